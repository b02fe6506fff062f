"""Definitions on which no record could ever be made are refused by their constructors."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from controller.domain.form import Field, FieldType, ImpossibleFormError, Section
from tests.form_samples import sample_form


@pytest.mark.parametrize(
    "parts",
    [
        {"type": FieldType.CHOICE},
        {"type": FieldType.TABLE},
        {"type": FieldType.COMPUTED},
        {"type": FieldType.TEXT, "value": "1"},
    ],
)
def test_an_impossible_field_is_refused(parts: dict[str, Any]) -> None:
    with pytest.raises(ImpossibleFormError):
        Field(key="a", label="甲", **parts)


@pytest.mark.parametrize(
    "change",
    [
        {"stages": ()},
        {"stages": sample_form().stages * 2},
        {"stages": sample_form().stages[1:]},
        {"fields": sample_form().fields * 2},
        {"event_time": "nowhere"},
        {"sections": (Section("一", ("nowhere",)),)},
        {"rules": (replace(sample_form().rules[0], from_stage="nowhere"),)},
    ],
)
def test_an_impossible_form_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ImpossibleFormError):
        replace(sample_form(), **change)
