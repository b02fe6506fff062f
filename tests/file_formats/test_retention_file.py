"""Reading records/retention.yml."""

from __future__ import annotations

import pytest

from controller.domain.retention import Basis, FromEvent, Span
from controller.file_formats.retention_file import RetentionFileError, read_retention

TEXT = """\
format: wenkong/retention/1
expiry_fields: [exp_date, items.exp_date]
warranty_fields: [warranty_to]
classes:
  sale:
    label: 销售记录
    expiry_plus: 2y
    min: 5y
    permanent_if: is_implant
    basis: [{text: 某办法第三十八条, certainty: 已核对}]
  staff:
    label: 人员档案
    from_event: {label: 离职, fields: [left_on], plus: 18m}
    basis: [{text: 公司规定, certainty: 企业自定}]
  history:
    label: 文件历史
    permanent: true
    basis: [{text: 公司规定, certainty: 企业自定}]
"""


def test_every_part_of_a_class_is_read() -> None:
    rules = read_retention(TEXT)
    assert rules.expiry_fields == ("exp_date", "items.exp_date")
    sale, staff = rules.classes["sale"], rules.classes["staff"]
    assert (sale.expiry_plus, sale.least, sale.permanent_if) == (Span(2, "y"), Span(5, "y"), "is_implant")
    assert sale.basis == (Basis("某办法第三十八条", "已核对"),)
    assert staff.from_event == FromEvent("离职", ("left_on",), Span(18, "m"))
    assert rules.classes["history"].permanent


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("expiry_plus: 2y", "expiry_plus: 两年", 7),
        ("expiry_plus: 2y", "expiry_pluss: 2y", 7),
        ("permanent_if: is_implant", "permanent_if: is_implant ==", 9),
        ("    expiry_plus: 2y\n    min: 5y\n", "", 5),
        ("    basis: [{text: 某办法第三十八条, certainty: 已核对}]\n", "", 5),
        ("certainty: 已核对", "certainty: 大概", 10),
        ("permanent: true", "permanent: true\n    min: 5y", 17),
        ("fields: [left_on], ", "", 13),
        ("[exp_date, items.exp_date]", "[exp-date]", 2),
        ("  sale:", "  销售:", 5),
        ("format: wenkong/retention/1", "format: x", 1),
        ("classes:", "klasses:", 4),
        ("min: 5y", "min: 5y\n    min: 6y", 9),
    ],
)
def test_mistakes_are_told_with_their_line(old: str, new: str, line: int) -> None:
    assert old in TEXT
    with pytest.raises(RetentionFileError) as caught:
        read_retention(TEXT.replace(old, new, 1))
    assert line in [finding.line for finding in caught.value.findings]
