"""真实工具. Tests against real programs skip where one is missing, and fail in CI (`CI=true`)."""

from __future__ import annotations

import os
import shutil

import pytest


def need(program: str) -> str:
    """Return the path of `program`; skip the test when it is missing, fail it in CI."""
    found = shutil.which(program)
    if found is None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"{program} is missing in CI")
        pytest.skip(f"{program} is not on this machine")
    return found
