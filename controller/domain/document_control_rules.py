"""文件控制规则. The company's own numbers for changing, training, copying and reviewing documents (企业自定).

They stand in `signatures/document_control.yml`; law and standard ask for the act, not for the number.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DocumentControlRules:
    """文件控制规则. Defaults are those of the starter library; a workspace without the file has them too."""

    lead_days: int = 7
    """Calendar days from approval to effect, where nobody asks for another day."""
    review_months: int = 12
    """A document in force is reviewed at least this often (ISO 13485 4.2.4 b)."""
    review_warning_days: int = 60
    """How long before that day the review shows as due."""
    law_change_days: int = 30
    """Within how many days documents that cite an external document that is no longer valid are reviewed."""
    uncontrolled_days: int = 30
    """How long an uncontrolled print may be looked at."""
    pass_mark: int = 80
    """Percent of the questions that must be answered rightly."""
    attempts: int = 3
    """How often somebody may answer the questions of one revision before the quality head has to decide."""
    controller_posts: tuple[str, ...] = ("document_controller", "quality_officer")
    """Posts that issue documents, hand out copies and close changes."""
    deciding_posts: tuple[str, ...] = ("quality_head", "general_manager")
    """Posts that waive training, postpone effect, and cancel changes of others."""
