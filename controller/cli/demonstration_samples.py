"""演示样例. Files the year of sample records, and among them, in order of time, the change of a procedure."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

from controller.domain.text import T

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from controller.bootstrap import Application
    from controller.cli.demonstration_change import ChangeShown
    from controller.cli.output import Output
    from controller.domain.identifiers import RecordNumber
    from controller.services.key_signing import KeySigner
    from controller.services.sample_filing import SampleAct, SampleClock


def file_samples(
    application: Application, signers: Mapping[str, KeySigner], clock: SampleClock, folder: Path, out: Output
) -> tuple[list[RecordNumber], ChangeShown]:
    """File the samples in order of time, and among them the change of a procedure; its prints go to `folder`."""
    from controller.cli.demonstration_change import DemonstratedChange
    from controller.services.sample_filing import SampleFiling

    acts, told = _samples(application)
    change = DemonstratedChange(application, signers, told, folder, out)
    filing = SampleFiling(
        filing=application.filing, records=application.records, signer=signers.__getitem__, clock=clock
    )
    done = 0
    with out.progress(T("正在归档样例")) as progress:
        for moment, step in chain(change.steps(), [(None, lambda: None)]):
            due = [act for act in acts[done:] if moment is None or act.at < moment]
            filing.file(due, lambda count, _total, before=done: progress(before + count, len(acts)))
            done += len(due)
            clock.moment = moment or clock.moment
            step()
    return list(filing.numbers.values()), change.shown


def _samples(application: Application) -> tuple[list[SampleAct], Mapping[str, Any]]:
    """Return every act of the sample records in order of time, and what is told of the change of a procedure."""
    from controller.adapters.starter_library import PackagedStarterLibrary
    from controller.file_formats.yaml_text import load_yaml
    from controller.services.sample_filing import sample_acts

    samples = PackagedStarterLibrary().samples()
    records: list[dict[str, Any]] = []
    for path in sorted(samples.glob("*.yml")):
        loaded = load_yaml(path.read_text(encoding="utf-8"), where=path.name)
        if isinstance(loaded, list):
            records.extend(loaded)
        elif isinstance(loaded, dict) and "records" in loaded:
            records.extend(loaded["records"])
    attached = samples / "attachments"
    files = {
        path.relative_to(samples).as_posix(): path.read_bytes()
        for path in sorted(attached.rglob("*"))
        if path.is_file()
    }
    change = load_yaml((samples / "change" / "014.yml").read_text(encoding="utf-8"), where="014.yml")
    return list(sample_acts(records, application.zone, files)), change
