"""样例归档. Files the sample records of a made-up company, each act at its own moment and by its own person.

Used by `qms demo` only: it is the one place where the clock is set, because a year of records cannot be waited for.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from controller.domain.errors import MisconfiguredError
from controller.domain.text import T, Text
from controller.services.record_filing import OpeningAct

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from zoneinfo import ZoneInfo

    from controller.domain.identifiers import RecordNumber
    from controller.services.ports import Progress
    from controller.services.record_control import RecordControl
    from controller.services.record_filing import RecordFiling
    from controller.services.signing_ports import Signer


class SampleInvalidError(MisconfiguredError):
    """样例有误. A sample file does not say what it must."""

    code = "sample-invalid"

    def __init__(self, *, sample: str, problem: Text) -> None:
        super().__init__(
            T("样例 {sample} 有误：{problem}", sample=sample, problem=problem), hint=T("修改 records/samples。")
        )


@dataclass
class SampleClock:
    """样例时钟. Stands where the sample act says; implements `Clock`."""

    moment: datetime

    def now(self) -> datetime:
        """Return the moment of the act that is being filed."""
        return self.moment


@dataclass(frozen=True)
class SampleAct:
    """样例动作. One act on one sample record."""

    record: str
    form: str
    at: datetime
    person: str
    stage: str | None
    values: Mapping[str, Any]
    first: bool
    files: Mapping[str, bytes] = field(default_factory=dict)


def sample_acts(
    records: Sequence[Mapping[str, Any]], zone: ZoneInfo, files: Mapping[str, bytes]
) -> Iterator[SampleAct]:
    """Yield every act of the sample records in order of time.

    Raises:
        SampleInvalidError: an act lacks its id, form, person or time.
    """
    acts: list[SampleAct] = []
    for record in records:
        name = str(record.get("id", "?"))
        for position, step in enumerate([record, *record.get("then", [])]):
            try:
                at = datetime.fromisoformat(str(step["at"])).replace(tzinfo=zone)
                acts.append(
                    SampleAct(
                        record=name,
                        form=str(record["form"]),
                        at=at,
                        person=str(step["person"]),
                        stage=step.get("stage"),
                        values=step.get("values") or {},
                        first=position == 0,
                        files=files,
                    )
                )
            except (KeyError, ValueError) as exc:
                raise SampleInvalidError(sample=name, problem=T("缺少或写错 {key}", key=exc)) from exc
    return iter(sorted(acts, key=lambda act: act.at))


class SampleFiling:
    """样例归档. Turns sample acts into filed entries, resolving `@id` references to the numbers given."""

    def __init__(
        self,
        *,
        filing: RecordFiling,
        records: RecordControl,
        signer: Callable[[str], Signer],
        clock: SampleClock,
    ) -> None:
        self._filing = filing
        self._records = records
        self._signer = signer
        self._clock = clock
        self.numbers: dict[str, RecordNumber] = {}

    def file(self, acts: Sequence[SampleAct], progress: Progress | None = None) -> int:
        """File every act and return how many records came of them."""
        for done, act in enumerate(acts, start=1):
            self._clock.moment = act.at
            by = self._signer(act.person)
            values = {key: self._resolved(act, value) for key, value in act.values.items()}
            if act.first:
                opening = OpeningAct(by=by, stage=act.stage, files=act.files)
                self.numbers[act.record] = self._filing.open(act.form, values, opening).number
            elif act.record in self.numbers:
                self._records.advance(self.numbers[act.record], values, by, stage=act.stage, files=act.files)
            else:
                raise SampleInvalidError(sample=act.record, problem=T("后续动作早于立卷"))
            if progress is not None:
                progress(done, len(acts))
        return len(self.numbers)

    def _resolved(self, act: SampleAct, value: Any) -> Any:
        if isinstance(value, str) and value.startswith("@"):
            number = self.numbers.get(value[1:])
            if number is None:
                raise SampleInvalidError(sample=act.record, problem=T("引用的 {ref} 还没有立卷", ref=value))
            return number.text
        if isinstance(value, list):
            return [self._resolved(act, item) for item in value]
        if isinstance(value, dict):
            return {key: self._resolved(act, item) for key, item in value.items()}
        return value
