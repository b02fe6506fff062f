"""模板的许可. What a form template may use: attributes, methods and filters by name, and formats that mean one thing.

`strftime` knows only the codes that are the same in every locale, so that a print does not depend on the machine.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NoReturn

from jinja2 import Undefined
from jinja2.runtime import LoopContext
from jinja2.sandbox import SandboxedEnvironment, SandboxedFormatter
from jinja2.utils import Cycler

from controller.adapters.template_errors import ForbiddenInTemplateError, TemplateLimitError, UnprintableValueError
from controller.domain.text import T, Text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_TEXT_METHODS = _words(
    "capitalize casefold center count endswith find format index isalnum isalpha isdecimal isdigit "
    "islower isnumeric isspace istitle isupper join ljust lower lstrip partition removeprefix "
    "removesuffix replace rfind rindex rjust rpartition rsplit rstrip split splitlines startswith strip "
    "swapcase title upper zfill"
)
_DATE_PARTS = _words("year month day isoformat weekday isoweekday strftime")
ATTRIBUTES: tuple[tuple[type, frozenset[str]], ...] = (
    (str, _TEXT_METHODS),
    (dict, _words("items keys values get")),
    (list, _words("count index")),
    (tuple, _words("count index")),
    (datetime, _DATE_PARTS | {"hour", "minute", "second", "date"}),
    (date, _DATE_PARTS),
    (time, _words("hour minute second isoformat strftime")),
    (timedelta, _words("days seconds total_seconds")),
    (
        LoopContext,
        _words("index index0 revindex revindex0 first last length previtem nextitem changed cycle depth depth0"),
    ),
    (Cycler, _words("next current reset")),
)
TEXT_FILTERS = _words(
    "capitalize center e escape format indent lower replace string title trim truncate upper wordcount wordwrap"
)
ALLOWED_FILTERS = TEXT_FILTERS | _words(
    "abs batch count d default dictsort first float groupby int items join last length list map max min "
    "reject rejectattr reverse round select selectattr slice sort sum unique"
)
_SCALARS = (str, int, float, Decimal, date, time, timedelta, type(None))
WIDE_FORMAT = re.compile(r"%(?:\([^)]*\))?[-#0 +]*(?:\d{4,}|\*|\d*\.(?:\d{4,}|\*))")
"""A `%` format whose width comes from elsewhere or has four digits."""
_WIDE_SPEC = re.compile(r"\d{4,}")
_DATE_CODE = re.compile(r"%(.?)", re.DOTALL)
_DATE_CODES: Mapping[str, Callable[[Any], str]] = {
    "Y": lambda moment: f"{moment.year:04d}",
    "y": lambda moment: f"{moment.year % 100:02d}",
    "m": lambda moment: f"{moment.month:02d}",
    "d": lambda moment: f"{moment.day:02d}",
    "H": lambda moment: f"{moment.hour:02d}",
    "M": lambda moment: f"{moment.minute:02d}",
    "S": lambda moment: f"{moment.second:02d}",
    "%": lambda _moment: "%",
}


def forbid(what: str) -> NoReturn:
    """Refuse `what`; the renderer adds the place."""
    raise ForbiddenInTemplateError(what=what)


def too_much(detail: Text) -> NoReturn:
    """Refuse work that would grow without bound."""
    raise TemplateLimitError(detail=detail)


def size_of(value: object) -> int:
    """Return the length of a text or list, 1 for everything else."""
    return len(value) if isinstance(value, (str, list, tuple, dict, range)) else 1


def require_scalar(value: object) -> None:
    """Refuse tables and other compound values where a text belongs."""
    if isinstance(value, Undefined):
        str(value)
    if not isinstance(value, _SCALARS) and not hasattr(type(value), "__html__"):
        raise UnprintableValueError(kind=type(value).__name__)


class BoundedFormat:
    """`'…'.format` with bounded widths, and with attributes looked up under the rules of the sandbox."""

    def __init__(self, environment: SandboxedEnvironment, template: str) -> None:
        self._formatter = _BoundedFormatter(environment)
        self._template = template

    def __call__(self, *args: object, **kwargs: object) -> str:
        """Return the formatted text."""
        return self._formatter.vformat(self._template, args, kwargs)


class _BoundedFormatter(SandboxedFormatter):
    def format_field(self, value: Any, format_spec: str) -> Any:
        """Format one value; dates only with codes that mean the same everywhere."""
        require_scalar(value)
        if _WIDE_SPEC.search(format_spec):
            too_much(T("格式宽度过大"))
        if isinstance(value, (date, time)) and format_spec:
            return _formatted_date(value, format_spec)
        return super().format_field(value, format_spec)

    def convert_field(self, value: Any, conversion: Any) -> Any:
        """Convert one value, which must be a single one."""
        require_scalar(value)
        return super().convert_field(value, conversion)


class DateFormat:
    """`strftime` with the codes that mean the same in every locale."""

    def __init__(self, moment: date | time) -> None:
        self._moment = moment

    def __call__(self, pattern: str) -> str:
        """Return the moment in `pattern`."""
        return _formatted_date(self._moment, pattern)


def _formatted_date(moment: date | time, pattern: str) -> str:
    def part(match: re.Match[str]) -> str:
        write = _DATE_CODES.get(match[1])
        if write is None:
            return forbid(f"strftime {match[0]}")
        return write(moment)

    return _DATE_CODE.sub(part, str(pattern))
