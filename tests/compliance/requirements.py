"""要求清单. 21 CFR Part 11 in 34 phrases, GSP 5.51 (computer systems) in 12, in our words, each with its place.

`docs/compliance.md` is made from this list and from the tests that show each of them (`python -m tests.compliance`).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Requirement:
    """One requirement; `company` says what software alone cannot meet, `open` what it does not do."""

    id: str
    cite: str
    phrase: str
    company: str = ""
    open: str = ""
    alone: bool = False
    """True when it is the company's alone: no test of the software can show it."""


_PROFILE = (
    "受 Part 11 约束的企业须启用 part11 方式（signatures/signing.yml 的 profile，经签名的更改采用）。"
    "默认方式（gsp-cn）登录后，一般记录不再逐次问口令，只有决定性的签名才问。"
)

PART11 = (
    Requirement(
        "P11-01", "11.10(a)", "系统经验证准确、可靠、一致；被改动或无效的记录能被发现并如实显示",
        company="企业按自己的用途做验证并留档；每次升级看 CHANGELOG 写明的验证影响。",
    ),
    Requirement("P11-02", "11.10(b)", "任何记录连同历史和签名都能完整地给出：可读的打印件和电子副本"),
    Requirement(
        "P11-03", "11.10(c)", "记录在整个保存期内找得到、打得开；到期前不能删除",
        company="企业负责备份和异地存放；磁盘毁了，软件变不出记录。",
    ),
    Requirement(
        "P11-04", "11.10(d)", "没有本人有效账号不能进行操作",
        company="软件控制“做”；看文件夹里的文件由操作系统账号控制，企业应给每人单独的系统账号。",
    ),
    Requirement(
        "P11-05", "11.10(e)", "每次建立、更改、作废由机器写下：谁、何时、原值、新值；使用者不能关闭也不能改",
        open="从备份恢复密钥时先恢复、后写入审计追踪，因为签名要用恢复的密钥。",
    ),
    Requirement("P11-06", "11.10(e)", "更改不遮盖以前的值"),
    Requirement("P11-07", "11.10(e)", "审计追踪与记录保存一样久，可供检查员查看和复制"),
    Requirement("P11-08", "11.10(f)", "不按规定顺序的步骤被拒绝"),
    Requirement("P11-09", "11.10(g)", "进入系统、签名、更改记录、进行该操作，都核对权限"),
    Requirement(
        "P11-10", "11.10(h)", "记下操作来自哪台电脑、哪个账号、哪次登录",
        open="见证人在别人证书上的签名只记姓名和时间，不另记电脑。",
    ),
    Requirement(
        "P11-11", "11.10(i)", "开发、维护、使用的人有相应的教育、培训和经验", alone=True,
        company="企业用培训记录（JL-006、JL-007）证明使用者的培训；开发者的资历由供应商说明。",
    ),
    Requirement("P11-12", "11.10(j)", "书面规定人对其签名负责；每人的知悉书在档",
        company="企业发布书面规定（程序 002 第 5.4 条可用）。"),
    Requirement(
        "P11-13", "11.10(k)(1)", "系统运行维护文件的发放、取得和使用受控",
        company="发放和回收用 JL-003；软件自身的说明书随程序版本发布。", alone=True,
    ),
    Requirement("P11-14", "11.10(k)(2)", "系统文件的更改有版本控制和按时间的历史"),
    Requirement(
        "P11-15", "11.30", "经公开网络时，另加加密和数字签名",
        company="经网络复制时用加密的通道（SSH 或 HTTPS）；软件只在文件里带签名和密文。",
    ),
    Requirement("P11-16", "11.50(a)(1)", "签了名的记录显示签名人的全名"),
    Requirement("P11-17", "11.50(a)(2)", "显示签名的日期和时间"),
    Requirement("P11-18", "11.50(a)(3)", "显示签名的含义"),
    Requirement("P11-19", "11.50(b)", "这三项受同样的控制，屏幕和打印件上都有"),
    Requirement("P11-20", "11.70", "签名不能被剪下、复制或移到别的记录上"),
    Requirement("P11-21", "11.100(a)", "每个签名只属于一个人，不重新分配（账号停用，不再使用）"),
    Requirement("P11-22", "11.100(b)", "发放签名之前核对过身份",
        company="见证人当面核对证件；软件只能要求写明核对了什么，并要两个人作证。"),
    Requirement("P11-23", "11.100(c)", "企业向主管部门书面确认电子签名等同手写签名", alone=True,
        company="只有企业能发这封信；只在中国经营的企业不需要。"),
    Requirement(
        "P11-24", "11.200(a)(1)", "非生物特征的签名至少用两个要素（身份与口令）",
        company=_PROFILE,
    ),
    Requirement(
        "P11-25", "11.200(a)(1)(i)", "一次连续使用中，第一次签名用全部要素，以后至少用一个只有本人能用的要素",
        company=_PROFILE,
    ),
    Requirement("P11-26", "11.200(a)(1)(ii)", "不连续时，每次签名用全部要素", company=_PROFILE),
    Requirement("P11-27", "11.200(a)(2)", "签名只由本人使用",
        company="口令不告诉别人，离开电脑时锁屏或退出登录，是每个人的责任。",
        open="默认方式（gsp-cn）下，登录期间用同一系统账号的人可以登录者的名义作一般记录；part11 方式不能。"),
    Requirement(
        "P11-28", "11.200(a)(3)", "冒用他人签名须两人以上合谋（管理员不能代签）",
        open="建立工作区时，最先的两三人还没有足够的见证人；检查报告一直如实标注，企业应核对封存的指纹单。",
    ),
    Requirement("P11-29", "11.200(b)", "生物特征签名只能由本人使用", alone=True, company="不适用：不用生物特征。"),
    Requirement("P11-30", "11.300(a)", "身份与口令的组合唯一"),
    Requirement("P11-31", "11.300(b)", "口令定期检查、收回或更换"),
    Requirement("P11-32", "11.300(c)", "遗失、被盗、泄露的凭证立即停用，补发严格受控"),
    Requirement("P11-33", "11.300(d)", "未经授权的尝试被阻止、发现并立即报告",
        company="报告显示在负责人下次登录时；要求更快的企业另设通知。"),
    Requirement("P11-34", "11.300(e)", "口令牌、卡片在启用时和定期测试", alone=True,
        company="不适用：不用口令牌或卡片。"),
)  # fmt: skip

GSP_551 = (
    Requirement("GSP-5.51-01", "第五十一条(一)", "购进、验收、贮存、销售、出库、退货各环节实时控制", alone=True,
        company="由企业的进销存系统提供；文控记录质量判定、退货和不合格品，不控制库存。"),
    Requirement("GSP-5.51-02", "第五十一条(二)", "按岗位管理权限，身份由登录确定；姓名不手填、不下拉选择",
        company="在纸上签名的人由归档人写明，如实标为纸质签名；归档人自己由登录确定。"),
    Requirement("GSP-5.51-03", "第五十一条(三)", "部门之间按权限传递和共享信息，敏感信息遮蔽"),
    Requirement("GSP-5.51-04", "第五十一条(四)", "供货者、购货者和产品合法性的审核有据可查",
        company="拦截销售由进销存系统执行；文控保存供货者和购货者的审核记录和首营产品的审核记录（JL-008、JL-009、JL-031）。"),
    Requirement("GSP-5.51-05", "第五十一条(五)", "证照近效期预警", alone=True,
        company="目前由进销存系统提供。", open="到期提醒尚未提供。"),
    Requirement("GSP-5.51-06", "第五十一条(六)", "器械效期跟踪，过期自动锁定", alone=True,
        company="由进销存系统提供：文控看不见库存，也不装作能锁定。"),
    Requirement("GSP-5.51-07", "第五十一条(七)", "产品追溯，采集唯一标识 UDI",
        company="出入库扫码由进销存系统提供；文控在销售、售后、投诉记录里解析并保存 UDI。"),
    Requirement("GSP-5.51-08", "第五十一条(八)", "打印单据和记录"),
    Requirement("GSP-5.51-09", "第五十一条(九)", "数据自动备份，与服务器分开存放", alone=True,
        company="目前由企业用备份软件复制工作区和密钥文件夹。",
        open="自动备份命令尚未提供；密钥备份已有（qms person backup）。"),
    Requirement("GSP-5.51-10", "第五十一条(十)", "与外部系统和监管部门的数据接口",
        company="监管平台的上报由企业在其网站完成。"),
    Requirement("GSP-5.51-11", "现场检查 5.51", "日期和时间由系统生成，不能修改或选择",
        company="事情发生的时间（如来电时间）由人填写，与系统时间分开显示，晚补的须写明原因。"),
    Requirement("GSP-5.51-12", "现场检查 5.51", "基础数据只能由质量管理人员审核后更改，留有时间；其他人只读"),
)  # fmt: skip

REQUIREMENTS = {item.id: item for item in (*PART11, *GSP_551)}
