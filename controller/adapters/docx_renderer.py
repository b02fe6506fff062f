"""渲染. Compiled form template and values → docx bytes, the same on every machine.

The plain way is pure Jinja and our own zip writer: no XML tree is built, nothing is compressed, no clock is read. What
docxtpl does after rendering (line breaks, table grids, drawing ids, pictures) is done only where a template or a value
needs it, in `docx_finishing` and `docx_pictures`.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from threading import Lock
from typing import TYPE_CHECKING, Any
from xml.parsers import expat

from jinja2 import TemplateError, UndefinedError
from markupsafe import Markup

from controller.adapters.docx_finishing import (
    fix_tables,
    mend_gaps,
    needs_table_fixing,
    number_drawings,
    resolve_breaks,
)
from controller.adapters.docx_pictures import PictureShelf, is_picture
from controller.adapters.docx_template import check_source
from controller.adapters.template_errors import (
    ForbiddenInTemplateError,
    TemplateCalculationError,
    TemplateLimitError,
    TemplateOutputBrokenError,
    UndefinedInTemplateError,
    UnprintableCharacterError,
    UnprintableValueError,
)
from controller.adapters.template_sandbox import TemplateSandbox
from controller.adapters.xml_balance import proves_well_formed
from controller.domain.identifiers import nearest
from controller.file_formats.docx_closing import with_closing_lines
from controller.file_formats.docx_package import DocxPackage, open_docx
from controller.file_formats.template_source import place_at, with_lines
from controller.file_formats.zip_container import ZipPlan

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from types import TracebackType

    from jinja2 import Template

    from controller.domain.identifiers import Digest

_MAX_PREPARED = 64
"""Compiled forms kept in memory; the starter library has some 40."""
_SPECIAL = re.compile("[\x00-\x1f\ud800-\udfff\ufffe\uffff]")
_IMPOSSIBLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_IMPOSSIBLE_IN_MARKUP = re.compile("[\x00-\x06\x08\x0b\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""docxtpl's own objects may carry \\a (new paragraph) and \\f (new page)."""


@dataclass(frozen=True)
class _PreparedPart:
    name: str
    template: Template
    lines: str
    proven: bool
    """Its output is well-formed whatever the values."""
    tables: bool
    drawings: bool
    text: bool
    """A part of the document's text, as against its properties."""


@dataclass(frozen=True)
class _Prepared:
    docx: bytes
    sources: Mapping[str, str]
    package: DocxPackage
    parts: tuple[_PreparedPart, ...]
    plan: ZipPlan


@dataclass
class _Output:
    """What one rendering has put out so far, beyond text."""

    breaks: bool = False
    markup: bool = False
    pictures: PictureShelf | None = None
    part: str = ""
    drawings: int = 1000
    """docxtpl numbers drawings from 1001."""


class JinjaDocxRenderer:
    """渲染器. Implements the port `DocxRenderer`; safe to share between threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._prepared: OrderedDict[str, _Prepared] = OrderedDict()
        self._output = _Output()
        self._sandbox = TemplateSandbox(finalize=self._finalize)

    def render(
        self,
        *,
        docx: bytes,
        parts: Mapping[str, str],
        key: Digest,
        context: Mapping[str, object],
        closing: Sequence[str] = (),
    ) -> bytes:
        """Return the docx for `context`, with `closing` as lines after its text.

        Raises:
            UndefinedInTemplateError: the template uses a name that `context` lacks.
            ForbiddenInTemplateError, TemplateLimitError: the template reaches out, or would not end.
            UnprintableValueError, UnprintableCharacterError, TemplateCalculationError: a value cannot be shown so.
            TemplateOutputBrokenError: the template's tags cut through the document's structure.
        """
        with self._lock:
            prepared = self._prepare(docx, parts, key)
            self._output = _Output(pictures=PictureShelf(prepared.package))
            self._sandbox.restart()
            contents: dict[str, bytes] = {}
            for part in prepared.parts:
                contents[part.name] = self._render_part(part, context)
            if closing:
                main = prepared.package.main
                contents[main] = with_closing_lines(contents.get(main, prepared.package.contents[main]), closing)
            shelf = self._output.pictures
            if shelf is not None and shelf.used:
                return shelf.write(contents)
            return prepared.plan.write(contents)

    def _prepare(self, docx: bytes, parts: Mapping[str, str], key: Digest) -> _Prepared:
        known = self._prepared.get(key.text)
        if known is not None and known.docx == docx and known.sources == parts:
            self._prepared.move_to_end(key.text)
            return known
        package = open_docx(docx)
        compiled = []
        for name in sorted(parts, key=lambda item: (item != package.main, item)):
            source = parts[name]
            lines = with_lines(source)
            check_source(self._sandbox, source, name)
            tree, template = self._sandbox.compile_template(lines)
            compiled.append(
                _PreparedPart(
                    name=name,
                    template=template,
                    lines=lines,
                    proven=proves_well_formed(tree),
                    tables=needs_table_fixing(source),
                    drawings="<wp:docPr" in source,
                    text=name.startswith("word/"),
                )
            )
        prepared = _Prepared(
            docx, dict(parts), package, tuple(compiled), ZipPlan(package.parts.values(), changing=parts)
        )
        self._prepared[key.text] = prepared
        if len(self._prepared) > _MAX_PREPARED:
            self._prepared.popitem(last=False)
        return prepared

    def _render_part(self, part: _PreparedPart, context: Mapping[str, object]) -> bytes:
        output = self._output
        output.part, output.breaks, output.markup = part.name, False, False
        try:
            xml = part.template.render(context)
        except UndefinedError as exc:
            raise _undefined(part, exc, context) from exc
        except (ForbiddenInTemplateError, TemplateLimitError, UnprintableValueError) as exc:
            raise exc.at(part=part.name, place=_place(part, exc.__traceback__)) from exc
        except UnprintableCharacterError as exc:
            name = _name_of(exc.name, context)
            raise UnprintableCharacterError(name=name, character=exc.character) from exc
        except (
            TemplateError,
            ArithmeticError,
            TypeError,
            ValueError,
            LookupError,
            AttributeError,
            RecursionError,
        ) as exc:
            place = _place(part, exc.__traceback__)
            raise TemplateCalculationError(part=part.name, place=place, detail=str(exc)) from exc
        if part.text:
            if output.breaks:
                xml = resolve_breaks(xml)
            xml = mend_gaps(xml)
            if part.tables:
                xml = fix_tables(xml)
            if part.drawings or (output.pictures is not None and output.pictures.used):
                xml, output.drawings = number_drawings(xml, output.drawings)
        data = xml.encode()
        if output.markup or not part.proven:
            _check_well_formed(data, part.name)
        return data

    def _finalize(self, value: Any) -> Any:
        """Turn what an expression gives into text; called by the compiled templates for everything they print."""
        kind = type(value)
        if kind is str:
            self._sandbox.spend(len(value))
            if _SPECIAL.search(value):
                return self._with_breaks(value)
            return value
        if value is None:
            return ""
        if kind is bool:
            return "是" if value else "否"
        if kind is int or kind is float:
            return str(value)
        if kind is Decimal:
            return f"{value:f}"
        if isinstance(value, datetime):
            return f"{value.date().isoformat()} {value.hour:02d}:{value.minute:02d}"
        if isinstance(value, (date, time)):
            return value.isoformat()
        return self._markup(value)

    def _with_breaks(self, value: str) -> str:
        impossible = _IMPOSSIBLE.search(value)
        if impossible:
            # The field is named later, from the context; the value itself stands in for it until then.
            raise UnprintableCharacterError(name=value, character=impossible[0])
        self._output.breaks = True
        return value.replace("\r\n", "\n").replace("\r", "\n")

    def _markup(self, value: Any) -> Any:
        output = self._output
        if is_picture(value) and output.pictures is not None:
            output.markup = True
            return Markup(output.pictures.drawing(value, part=output.part))  # noqa: S704 - made by us from image bytes
        if hasattr(value, "__html__"):
            text = str(value.__html__())
            self._sandbox.spend(len(text))
            impossible = _IMPOSSIBLE_IN_MARKUP.search(text)
            if impossible:
                raise UnprintableCharacterError(name=text, character=impossible[0])
            output.markup = True
            output.breaks = output.breaks or _SPECIAL.search(text) is not None
            return Markup(text)  # noqa: S704 - rich text escapes its own content; the output is checked
        if isinstance(value, str):
            return self._finalize(str(value))
        if hasattr(value, "_undefined_message"):
            return str(value)
        raise UnprintableValueError(kind=type(value).__name__)


def _undefined(part: _PreparedPart, exc: UndefinedError, context: Mapping[str, object]) -> UndefinedInTemplateError:
    message = exc.message or ""
    match = re.match(r"'([^']*)' is undefined", message)
    if match:
        name, close = match[1], nearest(match[1], context)
    else:
        match = re.search(r"(?:attribute|element) '?([^']*)'?$", message)
        name = match[1] if match else message
        known = {dotted.rpartition(".")[2]: dotted for dotted in _dotted(context)}
        within = nearest(name, known)
        close = known[within] if within else None
    return UndefinedInTemplateError(name=name, part=part.name, place=_place(part, exc.__traceback__), close=close)


def _dotted(values: Mapping[str, object], path: str = "") -> Iterator[str]:
    """Yield the dotted names inside groups and tables."""
    for key, value in values.items():
        group = value[0] if isinstance(value, list) and value else value
        if path:
            yield f"{path}{key}"
        if isinstance(group, dict):
            yield from _dotted(group, f"{path}{key}.")


def _place(part: _PreparedPart, trace: TracebackType | None) -> str:
    """Return the visible text of the paragraph where the template stopped."""
    place = ""
    while trace is not None:
        # Jinja has already rewritten the traceback to lines of the template's source.
        if trace.tb_frame.f_globals.get("__jinja_template__") is part.template or (
            trace.tb_frame.f_code.co_filename == "<template>"
        ):
            number = trace.tb_lineno
            if trace.tb_frame.f_code.co_filename != "<template>":
                number = part.template.get_corresponding_lineno(number)
            place = place_at(part.lines, number)
        trace = trace.tb_next
    return place


def _name_of(value: str, context: Mapping[str, object], path: str = "") -> str:
    """Return the dotted name under which `value` stands in the context."""
    for key, item in context.items():
        name = f"{path}{key}"
        if isinstance(item, str) and item and (item == value or item in value):
            if _IMPOSSIBLE.search(item):
                return name
        elif isinstance(item, dict):
            found = _name_of(value, item, f"{name}.")
            if found:
                return found
        elif isinstance(item, list):
            for row in item:
                found = _name_of(value, row, f"{name}.") if isinstance(row, dict) else ""
                if found:
                    return found
    return "" if path else "?"


def _check_well_formed(data: bytes, part: str) -> None:
    parser = expat.ParserCreate(namespace_separator=" ")
    try:
        parser.Parse(data, True)
    except expat.ExpatError as exc:
        raise TemplateOutputBrokenError(part=part) from exc
