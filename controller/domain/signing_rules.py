"""签名规则. The company's rules for signing in, passphrases and witnesses (21 CFR 11.200, 11.300).

They stand in `signatures/signing.yml`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Profile(StrEnum):
    """签名方式. When the passphrase is asked again."""

    GSP_CN = "gsp-cn"
    PART11 = "part11"


@dataclass(frozen=True)
class SigningRules:
    """签名规则. Defaults are those of the starter library."""

    profile: Profile = Profile.GSP_CN
    sitting_hours: int = 4
    idle_minutes: int = 30
    least_length: int = 10
    """Characters a passphrase must have at least."""
    most_days: int = 365
    """Days after which a passphrase must be changed; 0: never."""
    lock_after: int = 5
    lock_minutes: int = 15
    certificate_years: int = 3
    registrar_posts: tuple[str, ...] = ("general_manager", "quality_head", "hr_clerk")
    """Posts that register people and change posts."""
    witness_posts: tuple[str, ...] = (
        "general_manager",
        "legal_representative",
        "quality_head",
        "quality_officer",
        "hr_clerk",
    )
    """Posts that witness enrolments."""
    informed_posts: tuple[str, ...] = ("general_manager", "quality_head", "system_admin")
    """Posts that are told of failed logins."""
    unmask_posts: tuple[str, ...] = (
        "general_manager",
        "quality_head",
        "quality_officer",
        "after_sales_manager",
        "ae_officer",
    )
    """Posts that may see sensitive personal information (PIPL Art. 51; GSP 2023 Art. 51)."""
