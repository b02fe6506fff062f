#!/bin/sh
# 用现成工具核对这份导出：只用 sh、awk、sed、sort、openssl 和 sha256sum（或 shasum），不用文控程序。
# 用法： sh verify.sh [--root 封存的指纹单上的 64 位根证书指纹]
# 每一步证明什么、不证明什么，见“怎样核对.txt”。全部相符时退出码为 0，有不符为 1，工具不全为 2。
# 本程序只读取本目录；临时文件放在系统临时目录，结束时删除。

LC_ALL=C
export LC_ALL
# 只信任本目录中的根证书，不信任这台电脑上预装的任何机构。
SSL_CERT_DIR=/nonexistent SSL_CERT_FILE=/nonexistent
export SSL_CERT_DIR SSL_CERT_FILE
umask 077

wanted=''
while [ $# -gt 0 ]; do
    case $1 in
        --root) wanted=$(printf '%s' "${2-}" | tr -d ' :\t' | tr 'A-F' 'a-f' | sed 's/^sha256//'); shift; [ $# -gt 0 ] && shift ;;
        *) printf '用法： sh verify.sh [--root 根证书指纹]\n' >&2; exit 2 ;;
    esac
done

cd -- "$(dirname -- "$0")" || exit 2
for tool in awk sed sort comm cut find xargs openssl; do
    command -v "$tool" >/dev/null 2>&1 || { printf '这台电脑缺少 %s，无法核对。\n' "$tool" >&2; exit 2; }
done
if command -v sha256sum >/dev/null 2>&1; then sum='sha256sum'
elif command -v shasum >/dev/null 2>&1; then sum='shasum -a 256'
else printf '这台电脑缺少 sha256sum 或 shasum，无法核对。\n' >&2; exit 2
fi
openssl cms -help >/dev/null 2>&1 || openssl cms -help 2>&1 | grep -q verify || {
    printf '这台电脑的 openssl 没有 cms 功能，无法核对。\n' >&2; exit 2
}

work=${TMPDIR:-/tmp}/wenkong-verify-$$
mkdir "$work" || exit 2
trap 'rm -rf "$work"' 0
trap 'exit 130' 1 2 15
: >"$work/failed"
tab=$(printf '\t')

fail() { printf '%s\t%s\n' "$1" "$2" >>"$work/failed"; }
step() { printf '\n%s\n' "$1"; }
failures() { wc -l <"$work/failed" | tr -d ' '; }
# 打印这一步新发现的不符。
told=0
tell() {
    now=$(failures)
    if [ "$now" -gt "$told" ]; then
        sed -n "$((told + 1)),\$p" "$work/failed" | while IFS=$tab read -r path what; do
            printf '  不符  %s：%s\n' "$path" "$what"
        done
    else
        printf '  相符\n'
    fi
    told=$now
}
der_digest() { openssl x509 -in "$1" -outform DER 2>/dev/null | $sum | cut -c1-64; }

# ---------------------------------------------------------------------------------------------------------------
step '第 1 步　文件清单：每个文件都与 SHA256SUMS 一致，不多不少'
if [ ! -f SHA256SUMS ]; then
    fail SHA256SUMS '缺少文件清单'; : >"$work/sums"
else
    awk 'substr($0, 65, 2) == "  " && substr($0, 1, 64) !~ /[^0-9a-f]/ && length($0) > 66 { print; next }
         { print "SHA256SUMS\t第 " NR " 行读不懂" > bad }' bad="$work/bad" SHA256SUMS >"$work/sums"
    [ -f "$work/bad" ] && cat "$work/bad" >>"$work/failed"
fi
[ -f damage.txt ] && fail damage.txt '导出时档案已有不符，逐条见这个文件'
cut -c67- "$work/sums" | sort >"$work/listed"
find . -type f -print | sed 's|^\./||' | grep -v '^SHA256SUMS$' | sort >"$work/present"
find . ! -type f ! -type d -print | sed 's|^\./||' | while IFS= read -r path; do fail "$path" '不是普通文件'; done
uniq -d "$work/listed" | while IFS= read -r path; do fail "$path" '在清单中列了两次'; done
comm -13 "$work/present" "$work/listed" | uniq | while IFS= read -r path; do fail "$path" '清单中有，文件不在'; done
comm -23 "$work/present" "$work/listed" | while IFS= read -r path; do fail "$path" '文件在，清单中没有'; done
awk '/^archive\// && /[^A-Za-z0-9._\/-]/ { print $0 "\t文件名不可用" }
     /(^|\/)\.\.?(\/|$)/ || /^\// { print $0 "\t文件名不可用" }' "$work/present" >>"$work/failed"
$sum -c "$work/sums" 2>/dev/null | sed -n 's/: FAILED.*$//p' | sort | comm -12 - "$work/present" |
    while IFS= read -r path; do fail "$path" '内容与清单不符'; done
printf '  共 %s 个文件\n' "$(wc -l <"$work/present" | tr -d ' ')"
tell

# ---------------------------------------------------------------------------------------------------------------
step '第 2 步　根证书：请逐位核对下面的指纹与封存的指纹单'
root=''
if [ -f ca.pem ]; then root=$(der_digest ca.pem); fi
printf '  根证书指纹（SHA-256）： %s\n' "${root:-读不出来}"
if [ -z "$root" ] || ! openssl x509 -in ca.pem -noout >/dev/null 2>&1; then fail ca.pem '根证书读不出来'; fi
if [ -n "$wanted" ]; then
    if [ "$wanted" != "$root" ]; then fail ca.pem "指纹与您给出的 $wanted 不同"
    else printf '  与您给出的指纹相同\n'; fi
else
    printf '  （您没有用 --root 给出指纹；不与封存的指纹单核对，以下各步不能排除整套重做）\n'
fi
: >"$work/outside"
grep '^archive/certificates/' "$work/present" | while IFS= read -r path; do
    name=${path##*/}; name=${name%.pem}
    [ "$(der_digest "$path")" = "$name" ] || fail "$path" '证书内容与文件名中的指纹不符'
done
tell

# ---------------------------------------------------------------------------------------------------------------
step '第 3 步　条目与陈述：能读懂，首尾相接，不缺号，都属于这个工作区'
cat >"$work/flat.awk" <<'AWK'
# 把规范 JSON（一行、无空白、键有序、无数字）拆成制表符分隔的行。
function bad(why) { if (!broken) print "BAD\t" FILENAME "\t" why; broken = 1 }
function days(y, m, d,    era, yoe, doy) {
    if (m <= 2) { y--; m += 12 }
    era = int(y / 400); yoe = y - era * 400; doy = int((153 * (m - 3) + 2) / 5) + d - 1
    return era * 146097 + yoe * 365 + int(yoe / 4) - int(yoe / 100) + doy - 719468
}
function seconds(t,    off) {
    if (t !~ /^[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9][0-9]:[0-9][0-9]:[0-9][0-9][+-][0-9][0-9]:[0-9][0-9]$/) return -1
    off = (substr(t, 21, 2) * 60 + substr(t, 24, 2)) * 60
    if (substr(t, 20, 1) == "-") off = -off
    return days(substr(t, 1, 4) + 0, substr(t, 6, 2) + 0, substr(t, 9, 2) + 0) * 86400 + substr(t, 12, 2) * 3600 + substr(t, 15, 2) * 60 + substr(t, 18, 2) - off
}
function utc(s,    z, era, doe, yoe, y, doy, mp, d, m, r, head) {
    r = s % 86400; z = int(s / 86400) + 719468; era = int(z / 146097); doe = z - era * 146097
    yoe = int((doe - int(doe / 1460) + int(doe / 36524) - int(doe / 146096)) / 365); y = yoe + era * 400
    doy = doe - (365 * yoe + int(yoe / 4) - int(yoe / 100)); mp = int((5 * doy + 2) / 153)
    d = doy - int((153 * mp + 2) / 5) + 1; m = mp < 10 ? mp + 3 : mp - 9; if (m <= 2) y++
    head = y < 2050 ? sprintf("%02d", y % 100) : sprintf("%04d", y)
    return head sprintf("%02d%02d%02d%02d%02dZ", m, d, int(r / 3600), int(r / 60) % 60, r % 60)
}
function value(v) {
    if (depth == 1) top[key[1]] = v
    else if (depth == 2 && kind[2] == "{") sub2[key[1] "." key[2]] = v
    else if (depth == 3 && kind[3] == "{") sub3[key[1] "." key[2] "." key[3]] = v
    else if (depth == 4 && key[1] == "new" && key[2] == "posts" && kind[4] == "{") post[place[3], key[4]] = v
    if (depth == 2 && key[1] == "files" && key[2] ~ /^signatures\//) named[key[2]] = v
}
function part(name) { return (name in sub2) ? sub2[name] : "" }
FNR > 1 { bad("多于一行"); next }
{
    broken = 0; depth = 0; wantkey = 0; last = ""
    split("", top); split("", sub2); split("", sub3); split("", post); split("", named); split("", key); split("", kind); split("", place)
    line = $0
    if (line ~ /[\001\002]/) { bad("含有控制字符"); next }
    gsub(/\\\\/, "\001", line); gsub(/\\"/, "\002", line)
    n = split(line, s, "\"")
    if (n % 2 == 0) bad("引号不成对")
    for (i = 1; i <= n && !broken; i++) {
        if (i % 2 == 0) {
            if (wantkey) {
                key[depth] = s[i]; wantkey = 0
                if (depth == 1) { if (s[i] <= last) bad("键重复或次序不对"); last = s[i] }
                else if (depth == 2 && ((key[1] "." s[i]) in sub2)) bad("键重复")
            } else value(s[i])
            continue
        }
        m = length(s[i])
        for (j = 1; j <= m && !broken; j++) {
            c = substr(s[i], j, 1)
            if (c == "{") { depth++; kind[depth] = "{"; wantkey = 1 }
            else if (c == "[") { depth++; kind[depth] = "["; place[depth] = 1; wantkey = 0 }
            else if (c == "}" || c == "]") { if (depth < 1 || kind[depth] != (c == "}" ? "{" : "[")) bad("括号不成对"); depth--; wantkey = 0; if (depth == 0 && (j < m || i < n)) bad("末尾有多余内容") }
            else if (c == ",") { if (kind[depth] == "{") wantkey = 1; else place[depth]++ }
            else if (c == ":") continue
            else if (match(substr(s[i], j), /^(null|true|false)/)) { value(""); j += RLENGTH - 1 }
            else bad("不是规范 JSON")
        }
    }
    if (!broken && depth != 0) bad("内容不完整")
    format = top["format"]
    if (!broken && format != "wenkong/entry/1" && format != "wenkong/statement/1") bad("格式不认识")
    at = seconds(top["at"])
    if (!broken && at < 0) bad("时间写法不对")
    if (!broken && top["sequence"] !~ /^[1-9][0-9]*$/) bad("序号写法不对")
    if (broken) next
    entry = format == "wenkong/entry/1"
    printf "ROW\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", FILENAME, entry ? "entry" : "statement", entry ? top["record"] : top["chain"], top["sequence"], top["previous"] == "" ? "-" : substr(top["previous"], 8), entry ? top["act"] : top["event"], part("by.person") == "" ? "-" : part("by.person"), top["certificate"] == "" ? "-" : substr(top["certificate"], 8), substr(top["at"], 1, 10), at, utc(at), top["workspace"], top["site"], part("new.certificate") == "" ? "-" : substr(part("new.certificate"), 8), part("new.root") == "" ? "-" : substr(part("new.root"), 8), part("old.root") == "" ? "-" : substr(part("old.root"), 8), part("new.name") == "" ? "-" : part("new.name"), part("by.name") == "" ? "-" : part("by.name")
    if (part("new.added") != "") printf "ADDED\t%s\t%s\t%s\t%s\n", FILENAME, substr(part("new.added"), 8), part("new.files"), top["sequence"]
    for (k in sub3) if (substr(k, 1, 10) == "new.heads.") printf "HEAD\t%s\t%s\t%s\n", FILENAME, substr(k, 11), sub3[k]
    for (k in named) printf "NAMED\t%s\t%s\t%s\t%s\n", FILENAME, at, k, substr(named[k], 8)
    list = ""
    for (k = 1; (k, "post") in post; k++) list = list (k > 1 ? ";" : "") post[k, "post"] "," post[k, "since"] "," post[k, "until"]
    if (list != "") printf "POSTS\t%s\t%s\n", FILENAME, list
}
AWK
grep '^archive/.*\.json$' "$work/present" | grep -v -e '^archive/controlled-forms/' -e '^archive/site\.json$' |
    grep -v '[^A-Za-z0-9._/-]' >"$work/json"
: >"$work/flat"
[ -s "$work/json" ] && xargs awk -f "$work/flat.awk" <"$work/json" >"$work/flat"
sed -n "s/^BAD$tab//p" "$work/flat" >>"$work/failed"
sed -n "s/^BAD$tab\\([^$tab]*\\)$tab.*/\\1/p" "$work/flat" | sort -u >"$work/unreadable"
sed -n "s/^ROW$tab//p" "$work/flat" | sort -t "$tab" -k1,1 | awk -F '\t' -v bad="$work/unreadable" '
    BEGIN { while ((getline line < bad) > 0) skip[line] = 1 } !($1 in skip)' >"$work/rows"
{ cut -f1 "$work/rows"; cat "$work/unreadable"; } | sort -u | comm -13 - "$work/json" | while IFS= read -r path; do
    fail "$path" '空文件或读不懂'
done
# 归档中先后用过的根证书。
awk -F '\t' '$3 == "authority" && $15 != "-" { print $15 }' "$work/rows" | sort -u | while IFS= read -r hex; do
    if [ -f "archive/certificates/$hex.pem" ]; then cat "archive/certificates/$hex.pem"
    else fail "archive/certificates/$hex.pem" '缺少根证书'
    fi
done >"$work/roots.pem"
workspace=$(sed -n 's/.*"workspace":"\([^"]*\)".*/\1/p' archive/site.json 2>/dev/null | sed -n 1p)
site=$(sed -n 's/.*"site":"\([^"]*\)".*/\1/p' archive/site.json 2>/dev/null | sed -n 1p)
[ -n "$workspace" ] || fail archive/site.json '缺少或读不懂'
sort -t "$tab" -k3,3 -k4,4n "$work/rows" | awk -F '\t' -v sums="$work/sums" -v workspace="$workspace" -v site="$site" '
    function wrong(what) { print $1 "\t" what }
    BEGIN { while ((getline line < sums) > 0) digest[substr(line, 67)] = substr(line, 1, 64) }
    {
        seq = $4 + 0
        if ($2 == "entry") {
            k = split($3, p, "-"); serial = p[k] + 0; year = p[k - 1]; form = substr($3, 1, length($3) - length(p[k]) - length(year) - 2)
            want = sprintf("archive/%s/%s/%02d/%02d/%s/%04d.json", form, year, int(serial / 10000), int(serial / 100) % 100, $3, seq)
        } else if ($3 == "trail" || $3 == "timestamps")
            want = sprintf("archive/%s/%04d/%02d/%08d.json", $3, int(seq / 10000), int(seq / 100) % 100, seq)
        else want = sprintf("archive/%s/%04d.json", $3, seq)
        if ($1 != want) wrong("不在它自己写明的位置 " want)
        if ($12 != workspace || $13 != site) wrong("属于别的工作区或站点")
        if ($3 != chain) { chain = $3; next_seq = 1; before = "" }
        if (seq == next_seq - 1) wrong("序号 " seq " 出现了两次")
        else if (seq != next_seq) wrong("前面缺少第 " next_seq (seq - 1 > next_seq ? " 至 " (seq - 1) : "") " 号")
        else if (before == "" ? $5 != "-" : $5 != digest[before]) wrong("写明的前一份摘要与前一份的内容不符")
        next_seq = seq + 1; before = $1
    }' >>"$work/failed"
# 记录编号不得缺号：每张表单每年从 1 开始。
awk -F '\t' '$2 == "entry" { k = split($3, p, "-"); print substr($3, 1, length($3) - length(p[k]) - 1) "\t" p[k] + 0 }' "$work/rows" |
    sort -t "$tab" -u -k1,1 -k2,2n | awk -F '\t' '
    $1 != form { form = $1; want = 1 }
    { if ($2 != want) print form "\t缺少第 " want ($2 - 1 > want ? " 至 " $2 - 1 : "") " 份记录"; want = $2 + 1 }' >>"$work/failed"
# 文件名就是内容摘要的：表单和未封存的附件。
awk '{ path = substr($0, 67); digest = substr($0, 1, 64); n = split(path, p, "/") }
    path ~ /^archive\/controlled-forms\/[^\/]*\/compiled\.json$/ && p[3] != digest { print path "\t表单内容与它的编号（摘要）不符" }
    p[n - 1] == "attachments" && p[n] !~ /\.sealed$/ && p[n] != digest { print path "\t附件内容与它的摘要不符" }' "$work/sums" >>"$work/failed"
printf '  条目 %s 份，陈述 %s 份\n' "$(grep -c "${tab}entry$tab" "$work/rows")" "$(grep -c "${tab}statement$tab" "$work/rows")"
tell

# ---------------------------------------------------------------------------------------------------------------
step '第 4 步　归档次序：每个文件何时归档，写明的时间与归档时间一致'
awk -F '\t' -v order="$work/order" '
    /^#/ { next }
    $1 == "commit" { if ($2 != n + 0) print "chain.txt\t第 " FNR " 行次序不对"; n++; at = $4; next }
    $1 == "file" { if ($2 in seen) print $2 "\t在 chain.txt 中归档了两次"; seen[$2] = 1; print $2 "\t" n - 1 "\t" at > order; next }
    { print "chain.txt\t第 " FNR " 行读不懂" }' chain.txt >>"$work/failed" 2>/dev/null
[ -f "$work/order" ] || { : >"$work/order"; fail chain.txt '缺少归档次序'; }
sort "$work/order" | cut -f1 >"$work/ordered"
grep '^archive/' "$work/present" >"$work/archived"
comm -23 "$work/archived" "$work/ordered" | while IFS= read -r path; do fail "$path" 'chain.txt 中没有它的归档次序'; done
comm -13 "$work/archived" "$work/ordered" | while IFS= read -r path; do fail "$path" 'chain.txt 中有，文件不在'; done
awk -F '\t' 'FILENAME == ARGV[1] { at[$1] = $3; place[$1] = $2; next }
    ($1 in at) && at[$1] != $10 + 0 { print $1 "\t写明的时间与归档时间不同" }
    ($1 in at) && $6 == "clock-corrected" { corrected[place[$1]] = 1 }
    END { for (path in place) when[place[path]] = at[path]; for (i = 1; i in when; i++) if (when[i] + 0 < when[i - 1] + 0 && !(i in corrected)) print "chain.txt\t第 " i " 次归档的时间早于前一次" }
' "$work/order" "$work/rows" >>"$work/failed"
tell

# ---------------------------------------------------------------------------------------------------------------
step '第 5 步　签名：逐份用 openssl 核对（数量多时需要较长时间）'
# 每行：正文、签名、证书、时间（秒）、签名时间的写法。
awk -F '\t' '$7 != "-" { p7s = $1; sub(/json$/, "p7s", p7s); print $1 "\t" p7s "\t" $8 "\t" $10 "\t" $11 }
    BEGIN { n = split("sign-in-failed sign-in-locked signing-failed refused stamp-failed", list, " "); for (i = 1; i <= n; i++) nobody[list[i]] = 1 }
    $7 == "-" && ($2 == "entry" || !($6 in nobody) || $8 != "-") { print $1 "\t没有写明签名人" > bad }
' bad="$work/bad2" "$work/rows" >"$work/signed"
[ -f "$work/bad2" ] && cat "$work/bad2" >>"$work/failed"
# 外部机构签发的证书：凭登记和见证认可，只核对这张证书本身。
cut -f3 "$work/signed" | sort -u | while IFS= read -r hex; do
    [ -f "archive/certificates/$hex.pem" ] || continue
    openssl verify -no_check_time -CAfile "$work/roots.pem" "archive/certificates/$hex.pem" >/dev/null 2>&1 || printf '%s\n' "$hex"
done >"$work/outside"
: >"$work/times"
cms() { # 正文 签名 时间 其余选项
    data=$1 p7s=$2 when=$3; shift 3
    openssl cms -verify -binary -inform DER -in "$p7s" -content "$data" -purpose any -attime "$when" "$@" -out /dev/null >/dev/null 2>&1
}
stamp_of() { printf 'FILE %s\n' "$1"; openssl asn1parse -inform DER -in "$1" 2>/dev/null; }
cat >"$work/times.awk" <<'AWK'
function done() { if (file != "") print file "\t" (n == 1 ? time : "-") }
/^FILE / { done(); file = substr($0, 6); n = 0; time = "-"; near = 0; next }
/OBJECT *:signingTime *$/ { n++; near = 3; next }
near && /(UTCTIME|GENERALIZEDTIME) *:/ { time = $0; sub(/.*TIME *:/, "", time); sub(/ *$/, "", time); near = 0 }
near { near-- }
END { done() }
AWK
count=0
while IFS=$tab read -r data p7s hex when text; do
    count=$((count + 1))
    [ -t 2 ] && [ $((count % 200)) -eq 0 ] && printf '  已核对 %s 份\r' "$count" >&2
    if [ ! -f "$p7s" ]; then fail "$p7s" '缺少签名'; continue; fi
    certificate=archive/certificates/$hex.pem
    if [ ! -f "$certificate" ]; then fail "$data" "写明的证书 $hex 不在导出中"; continue; fi
    if grep -q "^$hex\$" "$work/outside"; then
        cms "$data" "$p7s" "$when" -nointern -certfile "$certificate" -CAfile "$certificate" -partial_chain || fail "$p7s" '签名与内容、证书或时间不符'
    else
        cms "$data" "$p7s" "$when" -nointern -certfile "$certificate" -CAfile "$work/roots.pem" || fail "$p7s" '签名与内容、证书或时间不符'
    fi
    stamp_of "$p7s"
done <"$work/signed" | awk -f "$work/times.awk" >"$work/times"
awk -F '\t' 'FILENAME == ARGV[1] { time[$1] = $2; next }
    ($2 in time) && time[$2] != $5 { print $2 "\t签名时间与写明的时间不同" }' "$work/times" "$work/signed" >>"$work/failed"
# 没有正文的签名，和不该有的签名。
awk -F '\t' 'FILENAME == ARGV[1] { if ($7 != "-") signed[$1] = 1; any[$1] = 1; next }
    /\.p7s$/ { name = $1; sub(/\.p7s$/, "", name); main = name ".json"; own = (main in any)
        if (!own) { sub(/\.[^.\/]*$/, "", name); main = name ".json" }
        if (!(main in any)) print $1 "\t没有它所签的正文"
        else if (own && !(main in signed)) print $1 "\t正文没有写明签名人，却有签名" }' "$work/rows" "$work/archived" >>"$work/failed"
# 见证人的签名：NNNN.工号.p7s，签的是同一份正文。
: >"$work/witnesses"
if [ -s "$work/outside" ]; then
    while IFS= read -r hex; do cat "archive/certificates/$hex.pem"; done <"$work/outside" >"$work/outside.pem"
fi
awk -F '\t' 'FILENAME == ARGV[1] { json[$1] = 1; next }
    $1 ~ /\.p7s$/ { name = $1; sub(/\.p7s$/, "", name); if ((name ".json") in json) next
        person = name; sub(/^.*\/[0-9]*\./, "", person); sub(/\.[^.\/]*$/, "", name)
        if ((name ".json") in json) print name ".json\t" $1 "\t" person "\t" $2 "\t" $3 }' "$work/rows" "$work/order" >"$work/cosigned"
while IFS=$tab read -r data p7s person position when; do
    [ -f "$p7s" ] || continue
    rm -f "$work/signer.pem"
    if cms "$data" "$p7s" "$when" -CAfile "$work/roots.pem" -signer "$work/signer.pem" ||
        { [ -f "$work/outside.pem" ] && cms "$data" "$p7s" "$when" -CAfile "$work/outside.pem" -partial_chain -signer "$work/signer.pem"; }; then
        printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$data" "$p7s" "$person" "$position" "$(der_digest "$work/signer.pem")" "$when" >>"$work/witnesses"
    else fail "$p7s" '见证签名与内容、证书或时间不符'
    fi
done <"$work/cosigned"
while IFS=$tab read -r data p7s person position hex when; do stamp_of "$p7s"; done <"$work/witnesses" | awk -f "$work/times.awk" >"$work/times2"
printf '  签名 %s 个，见证签名 %s 个\n' "$(wc -l <"$work/signed" | tr -d ' ')" "$(wc -l <"$work/cosigned" | tr -d ' ')"
tell

# ---------------------------------------------------------------------------------------------------------------
step '第 6 步　谁可以签名：每个签名所用的证书当时已由本人登记、有人见证、没有吊销'
# 见证岗位取自签名规则；规则文件的摘要写在最新一份提到它的签名陈述里。
awk '/^witness_posts:/ { inside = 1; line = $0; sub(/^witness_posts: */, "", line); sub(/#.*$/, "", line)
        if (line ~ /^\[/) { gsub(/[][,"\047]/, " ", line); print line; inside = 0 } next }
    inside && /^ *- / { line = $0; sub(/^ *- */, "", line); sub(/ *#.*$/, "", line); gsub(/["\047]/, "", line); print line; next }
    inside && /^[^ #]/ { inside = 0 }' library/signatures/signing.yml 2>/dev/null | tr '\n' ' ' >"$work/posts"
grep -q '[a-z]' "$work/posts" || printf '%s' 'general_manager legal_representative quality_head quality_officer hr_clerk' >"$work/posts"
if [ -f library/signatures/signing.yml ]; then
    stated=$(sed -n "s/^NAMED$tab//p" "$work/flat" | awk -F '\t' 'FILENAME == ARGV[1] { place[$1] = $2; next } $3 == "signatures/signing.yml" { print place[$1] "\t" $4 }' "$work/order" - | sort -n | tail -n 1 | cut -f2)
    found=$($sum library/signatures/signing.yml | cut -c1-64)
    [ "$stated" = "$found" ] || fail library/signatures/signing.yml '与签名陈述中写明的摘要不符'
fi
awk -F '\t' -v posts="$(cat "$work/posts")" -v orders="$work/order" -v flat="$work/flat" -v witnesses="$work/witnesses" -v times="$work/times2" -v people="$work/people" -v siteroot="$(sed -n 's/.*"root":"sha256:\([0-9a-f]*\)".*/\1/p' archive/site.json 2>/dev/null)" -v root="$root" '
    function wrong(path, what) { print path "\t" what }
    function holds(id, day,    n, i, p, q, found) {
        found = ""; n = split(held[id], p, ";")
        for (i = 1; i <= n; i++) { split(p[i], q, ","); if ((q[1] in witness_post) && (q[2] == "" || q[2] <= day) && (q[3] == "" || day <= q[3])) found = found "," q[1] }
        return found
    }
    function counting(id) { return (id in current) && !(id in retired) }
    function effective(id, position) {
        if (id in current) ends[current[id]] = position
        current[id] = pending[id]; owner[pending[id]] = id; begins[pending[id]] = position; delete ends[pending[id]]
        delete pending[id]
    }
    function trusted(path, hex, person, position, signed_as) {
        if (!(hex in owner) || position < begins[hex]) { wrong(path, "证书 " substr(hex, 1, 16) " 当时没有完成登记和见证"); return 0 }
        if (owner[hex] != person) { wrong(path, "证书属于 " owner[hex] "，不属于写明的 " person); return 0 }
        if (full[person] != signed_as) { wrong(path, "写明的姓名 " signed_as " 不是 " person " 登记的姓名 " full[person]); return 0 }
        if ((hex in ends) && position > ends[hex]) { wrong(path, "证书 " substr(hex, 1, 16) " 当时已吊销、停用或被取代"); return 0 }
        return 1
    }
    BEGIN {
        n = split(posts, list, " "); for (i = 1; i <= n; i++) witness_post[list[i]] = 1
        while ((getline line < orders) > 0) { split(line, f, "\t"); place[f[1]] = f[2] }
        while ((getline line < flat) > 0) { split(line, f, "\t"); if (f[1] == "POSTS") stated[f[2]] = f[3] }
        while ((getline line < times) > 0) { split(line, f, "\t"); witness_time[f[1]] = f[2] }
        while ((getline line < witnesses) > 0) {
            split(line, f, "\t"); m = ++total[f[1]]
            w_path[f[1], m] = f[2]; w_person[f[1], m] = f[3]; w_place[f[1], m] = f[4]; w_hex[f[1], m] = f[5]
        }
    }
    { rows++; path[rows] = $1; where[rows] = ($1 in place) ? place[$1] : 0; chain[rows] = $3; event[rows] = $6; person[rows] = $7; hex[rows] = $8; day[rows] = $9; new_hex[rows] = $14; new_root[rows] = $15; old_root[rows] = $16; name[rows] = $17; by[rows] = $18 }
    $3 ~ /^people\// || $3 == "authority" { steps++; step[steps] = rows; key[steps] = where[rows] * 100000 + $4; signed_by[steps] = ""
        for (m = 1; m <= total[$1]; m++) if ($6 == "person-enrolled") { steps++; step[steps] = rows; key[steps] = w_place[$1, m] * 100000 + $4 + 0.5; signed_by[steps] = w_person[$1, m] } }
    END {
        # 先按归档次序走一遍人员链和见证签名；同一次归档内先登记后见证。
        for (i = 2; i <= steps; i++) { a = step[i]; b = key[i]; c = signed_by[i]; for (j = i - 1; j > 0 && key[j] > b; j--) { step[j + 1] = step[j]; key[j + 1] = key[j]; signed_by[j + 1] = signed_by[j] } step[j + 1] = a; key[j + 1] = b; signed_by[j + 1] = c }
        for (i = 1; i <= steps; i++) {
            r = step[i]; id = chain[r]; sub(/^people\//, "", id); p = path[r]; at = where[r]
            if (signed_by[i] != "") {
                at = int(key[i] / 100000); if ((id in pending) && from[id] == r) { recount(id, day[r]); settle(id, at, 0) }
            }
            else if (event[r] == "person-registered") { held[id] = stated[p]; full[id] = name[r]; registered[id] = r }
            else if (event[r] == "person-posts-changed") held[id] = stated[p]
            else if (event[r] == "person-enrolled") {
                if (!(id in registered)) wrong(p, "登记的人员没有先注册")
                else if (person[r] != id || hex[r] != new_hex[r]) wrong(p, "登记不是由本人用新证书签名的")
                else if ((new_hex[r] in owner) || (id in retired)) wrong(p, "证书或人员编号不能再次使用")
                else {
                    need[id] = 0; apart[id] = 0; pending[id] = new_hex[r]; from[id] = r
                    recount(id, day[r]); settle(id, at, 0)
                }
            }
            else if (event[r] == "person-revoked") { if (new_hex[r] in owner) ends[new_hex[r]] = at; if (current[id] == new_hex[r]) delete current[id]; if (pending[id] == new_hex[r]) delete pending[id]; if (pending[id] == "") delete pending[id] }
            else if (event[r] == "person-retired") { retired[id] = 1; if (id in current) { ends[current[id]] = at; delete current[id] } delete pending[id] }
            else if (event[r] == "authority-founded") { if (new_root[r] != siteroot) wrong(p, "根证书与 site.json 写明的不同"); now_root = new_root[r] }
            else if (event[r] == "authority-replaced") {
                if (old_root[r] != now_root) wrong(p, "没有写对原来的根证书")
                others = 0; for (other in current) if (other != person[r] && counting(other) && holds(other, day[r]) != "") others++
                if (others && !total[p]) wrong(p, "根证书更换没有第二人签名")
                now_root = new_root[r]
            }
            for (other in pending) recount(other, day[r])
        }
        for (other in pending) settle(other, 1e15, 1)
        if (now_root == "") wrong("archive/authority", "没有设立证书机构的陈述")
        else if (now_root != root) wrong("ca.pem", "不是归档中现行的根证书")
        for (r = 1; r <= rows; r++) if (person[r] != "-" && !(event[r] == "person-enrolled" && hex[r] == new_hex[r])) trusted(path[r], hex[r], person[r], where[r], by[r])
        for (id in registered) print id "\t" full[id] "\t" (id in shown ? shown[id] : "") > people
        close(people)
    }
    function various(kinds,    n, p, i, first) {
        n = split(kinds, p, ","); first = ""
        for (i = 1; i <= n; i++) if (p[i] != "") { if (first == "") first = p[i]; else if (p[i] != first) return 1 }
        return 0
    }
    # 需要几位见证人：登记时和生效前任何时候，别人中可以见证的人数的最大值，至多两位。
    function recount(id, on,    other, needed, kinds, found) {
        needed = 0; kinds = ""
        for (other in current) if (other != id && counting(other) && (found = holds(other, on)) != "") { needed++; kinds = kinds found }
        if (needed > 2) needed = 2
        if (needed > need[id]) need[id] = needed
        if (various(kinds)) apart[id] = 1
    }
    # 看 id 的登记到第 until 次归档为止是否凑齐见证人。
    function settle(id, until, last,    r, p, m, k, done, kinds, latest, w, found, names) {
        if (!(id in pending)) return
        r = from[id]; p = path[r]; done = 0; kinds = ""; latest = where[r]; names = ""
        for (m = 1; m <= total[p]; m++) {
            w = w_person[p, m]
            if (w_place[p, m] > until || w == id || (w in counted)) continue
            if (!(w_hex[p, m] in owner) || owner[w_hex[p, m]] != w || w_place[p, m] < begins[w_hex[p, m]] || ((w_hex[p, m] in ends) && w_place[p, m] > ends[w_hex[p, m]])) { if (last) wrong(w_path[p, m], "见证人的证书当时不算数"); continue }
            found = holds(w, day[r]); if (found == "") { if (last) wrong(w_path[p, m], "见证人当时没有见证岗位"); continue }
            done++; kinds = kinds found; counted[w] = 1; names = names (names == "" ? "" : "、") w
            if (w_place[p, m] > latest) latest = w_place[p, m]
        }
        for (w in counted) delete counted[w]
        if (done >= need[id] && (need[id] < 2 || !apart[id] || various(kinds))) {
            shown[id] = shown[id] (shown[id] == "" ? "" : "；") substr(pending[id], 1, 16) " 见证人 " done " 位" (names == "" ? "" : "（" names "）")
            effective(id, latest)
        } else if (last) wrong(p, "登记还差 " need[id] - done " 位见证人，这张证书不算数")
    }' "$work/rows" >>"$work/failed"
awk -F '\t' 'FILENAME == ARGV[1] { time[$1] = $2; next }
    { utc = time[$2]; if (utc == "-" || utc == "") print $2 "\t见证签名没有签名时间" }' "$work/times2" "$work/witnesses" >>"$work/failed"
if [ -f "$work/people" ]; then
    sort "$work/people" | while IFS=$tab read -r id name how; do printf '  %s %s　证书 %s\n' "$id" "$name" "${how:-（没有有效证书）}"; done
fi
printf '  见证人不足 2 位的登记，是当时还没有两位可以见证的人；请向企业核实第一批人员。\n'
tell

# ---------------------------------------------------------------------------------------------------------------
step '第 7 步　时间证明：外部机构盖过时间戳的每日总摘要'
stamps=0
grep '^archive/timestamps/.*\.tsr$' "$work/present" >"$work/stamps"
while IFS= read -r tsr; do
    data=${tsr%.tsr}.json
    if [ ! -f "$data" ]; then fail "$tsr" '没有它所证明的陈述'; continue; fi
    when=$(awk -F '\t' -v path="$data" '$1 == path { print $10 }' "$work/rows")
    stamps=$((stamps + 1))
    if [ ! -s timestamp-roots.pem ]; then fail "$tsr" '导出中没有时间戳机构的根证书，无法核对'; continue; fi
    openssl ts -verify -attime "${when:-0}" -data "$data" -in "$tsr" -CAfile timestamp-roots.pem >/dev/null 2>&1 || fail "$tsr" '时间戳与陈述不符，或不是由所列机构出具'
done <"$work/stamps"
# 每份总摘要：自上一份以来归档的全部文件。
grep "^HEAD$tab" "$work/flat" >"$work/heads"
grep "^ADDED$tab" "$work/flat" | sort -t "$tab" -k5,5n | while IFS=$tab read -r kind path digest files sequence; do
    head=$(awk -F '\t' -v path="$path" -v branch="archive/$site" '$2 == path && $3 == branch { print $4 }' "$work/heads")
    until=$(awk -F '\t' -v id="$head" '$1 == "commit" && $3 == id { print $2 }' chain.txt)
    if [ -z "$until" ]; then fail "$path" '写明的档案提交不在 chain.txt 中'; continue; fi
    since=$(cat "$work/since" 2>/dev/null || echo -1)
    printf '%s' "$until" >"$work/since"
    awk -F '\t' -v since="$since" -v until="$until" '
        FILENAME == ARGV[1] { if ($2 + 0 > since + 0 && $2 + 0 <= until + 0) wanted[$1] = 1; next }
        substr($0, 67) in wanted { print substr($0, 67 + length("archive/")) "\t" substr($0, 1, 64) }' "$work/order" "$work/sums" |
        sort -t "$tab" -k1,1 | awk -F '\t' '{ print $2 "  " $1 }' >"$work/added"
    [ "$($sum <"$work/added" | cut -c1-64)" = "$digest" ] || fail "$path" '总摘要与其间归档的文件不符'
done
if [ "$stamps" -eq 0 ]; then printf '  没有时间戳：时间未经独立证明。\n'; else printf '  时间戳 %s 个\n' "$stamps"; fi
tell

# ---------------------------------------------------------------------------------------------------------------
total=$(failures)
if [ "$total" -eq 0 ]; then
    printf '\n结论：全部相符。\n'
    exit 0
fi
printf '\n结论：有 %s 处不符，见上。\n' "$total"
exit 1
