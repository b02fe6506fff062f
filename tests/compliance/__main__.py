"""`python -m tests.compliance` writes `docs/compliance.md` anew."""

from __future__ import annotations

from tests.compliance.report import PAGE, page

PAGE.write_text(page(), encoding="utf-8")
