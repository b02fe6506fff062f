from __future__ import annotations

import subprocess
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.adapters.archive_branch import InvalidSiteError, archive_branch
from controller.adapters.git_archive import ClockBackwardsError, NothingToFileError, PathTakenError
from controller.adapters.git_import import LockStuckError
from controller.adapters.git_objects import NotARepositoryError, ObjectDamagedError, parse_tree
from controller.adapters.git_program import RefMovedError
from controller.adapters.stored_path import PathRefusedError
from controller.domain.identifiers import RecordNumber
from controller.domain.record import Signatory
from controller.services.archive_ports import ArchiveChange, ArchiveRewrittenError, IrregularCommit
from tests.archives import SITE_FILE, change, file_next, make_workspace, open_archive
from tests.builders import FORM, MORNING, WANG
from tests.real_tools import need

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from controller.adapters.git_archive import GitArchive


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    need("git")
    return make_workspace(tmp_path / "ws")


@pytest.fixture
def archive(folder: Path) -> Iterator[GitArchive]:
    opened = open_archive(folder)
    yield opened
    opened.close()


def git(folder: Path, *arguments: str, stdin: bytes | None = None) -> str:
    who = ("-c", "user.name=x", "-c", "user.email=x")
    done = subprocess.run(["git", *who, *arguments], cwd=folder, input=stdin, capture_output=True, check=True)
    return done.stdout.decode().strip()


def files(**contents: str) -> ArchiveChange:
    named = {name.replace("__", "/"): data.encode() for name, data in contents.items()}
    return ArchiveChange(named, WANG, MORNING, "files", {})


def test_a_filed_record_is_there_for_every_reader_at_once(folder: Path, archive: GitArchive) -> None:
    other = open_archive(folder)
    assert other.listing("") == ["site.json"]
    number = file_next(archive)
    assert number == RecordNumber("XX-YLQXJL-018-2026-0001")
    assert other.listing(number.folder) == ["0001.json"]
    assert other.read(f"{number.folder}/0001.json") == change(number).files[f"{number.folder}/0001.json"]
    other.close()


def test_the_commit_names_who_when_and_what(folder: Path, archive: GitArchive) -> None:
    file_next(archive)
    shown = git(folder, "log", "-1", "--format=%an|%ae|%aI|%cn|%s|%(trailers:only,unfold)", "archive/main")
    assert shown.splitlines() == [
        "王芳|p003|2026-05-01T09:30:00+08:00|王芳|XX-YLQXJL-018-2026-0001|QMS-Action: open",
        "QMS-Signer: p003",
    ]


def test_texts_from_outside_cannot_forge_names_or_trailers(folder: Path, archive: GitArchive) -> None:
    with archive.writing() as writer:
        writer.append(
            ArchiveChange(
                {"a": b"1"}, WANG, MORNING, "标题\n\nQMS-Signer: p999", {"QMS-Action": "open\nQMS-Signer: p999"}
            )
        )
    trailers = git(folder, "log", "-1", "--format=%(trailers:only,unfold)", "archive/main")
    assert trailers.splitlines() == ["QMS-Action: open QMS-Signer: p999"]


def test_filing_touches_neither_index_nor_working_files(folder: Path, archive: GitArchive) -> None:
    before = (folder / ".git" / "index").read_bytes()
    names = sorted(path.name for path in folder.iterdir())
    file_next(archive)
    assert (folder / ".git" / "index").read_bytes() == before
    assert {path.name for path in folder.iterdir()} - set(names) == {".qms"}
    assert git(folder, "status", "--short", "--untracked-files=no") == ""


def test_no_private_ref_stays_behind(folder: Path, archive: GitArchive) -> None:
    file_next(archive)
    assert git(folder, "for-each-ref", "--format=%(refname)").splitlines() == [
        "refs/heads/archive/main",
        "refs/heads/main",
    ]


@pytest.mark.parametrize("place", ["refs/heads/archive/main.lock", "refs/wenkong/inbox/main-0123.lock"])
def test_a_folder_in_the_place_of_a_lock_file_is_named_and_nothing_is_filed(
    folder: Path, archive: GitArchive, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.setattr("controller.adapters.git_import.GRACE", 0.05)
    number = file_next(archive)
    in_the_way = folder / ".git" / place
    in_the_way.mkdir(parents=True)
    with pytest.raises(LockStuckError) as refused:
        file_next(archive)
    assert refused.value.where == str(in_the_way)
    assert in_the_way.is_dir()
    in_the_way.rmdir()
    assert file_next(archive).serial == number.serial + 1


def test_serials_go_up_by_one_per_form_and_year(archive: GitArchive) -> None:
    assert [file_next(archive).serial for _ in range(3)] == [1, 2, 3]
    assert file_next(archive, year=2027).serial == 1
    assert file_next(archive, form="XX-YLQXJL-019").serial == 1
    assert file_next(archive).serial == 4


def test_serials_are_compared_as_numbers_beyond_ten_thousand(archive: GitArchive) -> None:
    with archive.writing() as writer:
        for serial in (99, 100, 9999, 10_000, 10_099):
            writer.append(change(RecordNumber.of(FORM, 2026, serial)))
    with archive.writing() as writer:
        assert writer.last_serial(FORM, 2026) == 10_099


def test_pending_changes_count_for_the_next_serial(archive: GitArchive) -> None:
    seen: list[int] = []

    def stream() -> Iterator[ArchiveChange]:
        for _ in range(3):
            seen.append(writer.last_serial(FORM, 2026) + 1)
            yield change(RecordNumber.of(FORM, 2026, seen[-1]))

    with archive.writing() as writer:
        writer.append_many(stream())
        assert writer.last_serial(FORM, 2026) == 3
    assert seen == [1, 2, 3]


def test_a_stream_that_fails_in_the_middle_leaves_nothing(folder: Path, archive: GitArchive) -> None:
    def stream() -> Iterator[ArchiveChange]:
        yield change(RecordNumber.of(FORM, 2026, 1))
        message = "the source broke"
        raise OSError(message)

    tip = archive.tip()
    with pytest.raises(OSError, match="the source broke"), archive.writing() as writer:
        writer.append_many(stream())
    assert archive.tip() == tip
    assert git(folder, "for-each-ref", "refs/wenkong") == ""
    assert list((folder / ".git" / "objects" / "pack").glob("tmp_*")) == []
    assert list((folder / ".git").glob("fast_import_crash_*")) == []
    assert file_next(archive).serial == 1


def test_a_writer_knows_its_serials_again_after_a_failed_stream(archive: GitArchive) -> None:
    with archive.writing() as writer:
        with pytest.raises(PathTakenError):
            writer.append_many([change(RecordNumber.of(FORM, 2026, 7)), files(**{"site.json": "x"})])
        assert writer.last_serial(FORM, 2026) == 0


@pytest.mark.parametrize(
    "second",
    [
        files(a__b="2"),
        files(a="2"),
        files(a__b__c="2"),
        files(**{"site.json": "2"}),
        files(**{"site.json/x": "2"}),
    ],
)
def test_what_is_filed_is_never_overwritten(archive: GitArchive, second: ArchiveChange) -> None:
    with archive.writing() as writer:
        writer.append(files(a__b="1"))
    tip = archive.tip()
    with archive.writing() as writer, pytest.raises(PathTakenError):
        writer.append(second)
    assert archive.tip() == tip
    assert archive.read("a/b") == b"1"
    assert archive.read("site.json") == SITE_FILE


@pytest.mark.parametrize("second", [files(a__b="2"), files(a="2"), files(a__b__c="2")])
def test_what_is_about_to_be_filed_is_not_overwritten_either(archive: GitArchive, second: ArchiveChange) -> None:
    tip = archive.tip()
    with archive.writing() as writer, pytest.raises(PathTakenError):
        writer.append_many([files(a__b="1"), second])
    assert archive.tip() == tip


def test_filing_nothing_is_refused(archive: GitArchive) -> None:
    tip = archive.tip()
    with archive.writing() as writer:
        with pytest.raises(NothingToFileError):
            writer.append_many([])
        with pytest.raises(NothingToFileError):
            writer.append(files())
    assert archive.tip() == tip


@pytest.mark.parametrize("path", ["../x", "/x", "a/../b", ".git/config", "a/.GIT/x", "a\nb", "con", "a:b", "a\\b", ""])
def test_path_tricks_are_refused_and_nothing_changes(archive: GitArchive, path: str) -> None:
    tip = archive.tip()
    with archive.writing() as writer, pytest.raises(PathRefusedError):
        writer.append(ArchiveChange({path: b"x"}, WANG, MORNING, "x", {}))
    assert archive.tip() == tip


def test_names_with_spaces_quotes_and_chinese_are_filed_as_they_are(archive: GitArchive) -> None:
    names = {"附件 一/现场'照片.jpg": b"1", "%s %d\u3000x": b"2", "- -x": b""}
    with archive.writing() as writer:
        writer.append(ArchiveChange(names, WANG, MORNING, "x", {}))
    assert dict(archive.walk()) == {**names, "site.json": SITE_FILE}
    assert archive.read("附件 一/现场'照片.jpg") == b"1"


def test_reading_asks_for_names_not_for_git_expressions(archive: GitArchive) -> None:
    number = file_next(archive)
    assert archive.read(number.folder) is None
    assert archive.read("missing") is None
    assert archive.read("a\nb") is None
    assert archive.listing("missing") == []
    assert archive.listing("site.json") == []
    assert archive.read("site.json", at="main") is None
    assert archive.read("site.json", at="HEAD") is None


def test_an_earlier_state_stays_readable(archive: GitArchive) -> None:
    first = file_next(archive)
    then = archive.tip()
    second = file_next(archive)
    assert archive.read(f"{second.folder}/0001.json", at=then) is None
    assert archive.read(f"{first.folder}/0001.json", at=then) is not None
    assert archive.listing(f"{FORM}/2026/00/00", at=then) == [first.text]
    assert [path for path, _ in archive.walk(FORM, at=then)] == [f"{first.folder}/0001.json"]


def test_walking_gives_every_file_in_path_order(archive: GitArchive) -> None:
    numbers = [RecordNumber.of(FORM, 2026, serial) for serial in range(1, 251)]
    with archive.writing() as writer:
        writer.append_many([change(*numbers[:200]), change(*numbers[200:])])
    found = list(archive.walk())
    assert [path for path, _ in found] == [f"{number.folder}/0001.json" for number in numbers] + ["site.json"]
    assert dict(found)[f"{numbers[7].folder}/0001.json"] == change(numbers[7]).files[f"{numbers[7].folder}/0001.json"]
    assert list(archive.walk("nowhere")) == []


def test_added_since_gives_what_came_after_a_commit(archive: GitArchive) -> None:
    start = archive.tip()
    assert [path for path, _ in archive.added_since(None)] == ["site.json"]
    first, second = file_next(archive), file_next(archive)
    assert [path for path, _ in archive.added_since(start)] == [
        f"{first.folder}/0001.json",
        f"{second.folder}/0001.json",
    ]
    assert list(archive.added_since(archive.tip())) == []


def test_a_rewound_or_rewritten_archive_is_noticed_by_its_reader(folder: Path, archive: GitArchive) -> None:
    start = archive.tip()
    assert start is not None
    file_next(archive)
    later = archive.tip()
    git(folder, "update-ref", "refs/heads/archive/main", start)
    with pytest.raises(ArchiveRewrittenError):
        list(archive.added_since(later))
    with pytest.raises(ArchiveRewrittenError):
        list(archive.added_since("0" * 40))
    with pytest.raises(ArchiveRewrittenError):
        list(archive.added_since("--all"))


def commit_tree(folder: Path, tree: str, *parents: str) -> str:
    named = [argument for parent in parents for argument in ("-p", parent)]
    commit = git(folder, "commit-tree", tree, *named, "-m", "forged")
    git(folder, "update-ref", "refs/heads/archive/main", commit)
    return commit


def tree_of(folder: Path, **contents: str) -> str:
    lines = []
    for name, text in sorted(contents.items()):
        oid = git(folder, "hash-object", "-w", "--stdin", stdin=text.encode())
        lines.append(f"100644 blob {oid}\t{name}")
    return git(folder, "mktree", stdin="\n".join(lines).encode())


def test_a_changed_file_is_noticed_by_readers_and_in_history(folder: Path, archive: GitArchive) -> None:
    tip = archive.tip()
    assert tip is not None
    forged = commit_tree(folder, tree_of(folder, **{"site.json": "other"}), tip)
    with pytest.raises(ArchiveRewrittenError):
        list(archive.added_since(tip))
    assert list(archive.irregular_commits()) == [IrregularCommit(forged, ("site.json",))]


def test_a_change_that_was_undone_later_is_still_in_history(folder: Path, archive: GitArchive) -> None:
    tip = archive.tip()
    assert tip is not None
    emptied = commit_tree(folder, tree_of(folder), tip)
    commit_tree(folder, git(folder, "rev-parse", f"{tip}^{{tree}}"), emptied)
    assert list(archive.irregular_commits()) == [IrregularCommit(emptied, ("site.json",))]


def test_merges_and_second_beginnings_are_found_in_history(folder: Path, archive: GitArchive) -> None:
    tip = archive.tip()
    assert tip is not None
    tree = git(folder, "rev-parse", f"{tip}^{{tree}}")
    other = commit_tree(folder, tree)
    merged = commit_tree(folder, tree, tip, other)
    found = list(archive.irregular_commits())
    assert merged in {item.commit for item in found}
    assert all(item.merge for item in found)


def test_an_honest_history_has_nothing_irregular(archive: GitArchive) -> None:
    for _ in range(4):
        file_next(archive)
    assert list(archive.irregular_commits()) == []


def test_a_branch_moved_by_a_foreign_program_stops_the_filing(folder: Path, archive: GitArchive) -> None:
    tip = archive.tip()
    assert tip is not None
    with archive.writing() as writer:
        foreign = commit_tree(folder, tree_of(folder, foreign="1"), tip)
        with pytest.raises(RefMovedError):
            writer.append(change(RecordNumber.of(FORM, 2026, 1)))
    assert archive.tip() == foreign
    assert file_next(archive).serial == 1
    assert git(folder, "for-each-ref", "refs/wenkong") == ""


def test_private_refs_of_killed_writers_are_swept_up_by_the_next(folder: Path, archive: GitArchive) -> None:
    tip = archive.tip()
    assert tip is not None
    git(folder, "update-ref", "refs/wenkong/inbox/main-00ff", tip)
    git(folder, "update-ref", "refs/wenkong/inbox/other-00ff", tip)
    file_next(archive)
    assert git(folder, "for-each-ref", "--format=%(refname)", "refs/wenkong") == "refs/wenkong/inbox/other-00ff"


def test_a_lost_archive_is_never_begun_anew(folder: Path, archive: GitArchive) -> None:
    git(folder, "update-ref", "-d", "refs/heads/archive/main")
    assert archive.tip() is None
    assert archive.listing("") == []
    assert archive.read("site.json") is None
    assert list(archive.walk()) == []
    assert list(archive.added_since(None)) == []
    assert list(archive.irregular_commits()) == []
    with pytest.raises(NotARepositoryError, match="档案分支"):
        file_next(archive)
    with pytest.raises(NotARepositoryError, match="档案分支"):
        archive.require()


def test_a_folder_without_a_repository_is_no_workspace_even_inside_another(folder: Path) -> None:
    inside = folder / "procedures"
    with pytest.raises(NotARepositoryError, match="不完整"):
        open_archive(inside)


def test_a_repository_without_its_branches_is_half_made(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    archive = open_archive(tmp_path)
    with pytest.raises(NotARepositoryError, match="没有受控文件分支 main"), archive.writing():
        pass
    archive.close()


@pytest.mark.parametrize("site", ["", "Main", "a/b", "../x", "-x", "a" * 40, "a.lock", "上海"])
def test_a_site_name_must_fit_into_a_branch_name(site: str) -> None:
    with pytest.raises(InvalidSiteError):
        archive_branch(site)


def loose_path(folder: Path, oid: str) -> Path:
    return folder / ".git" / "objects" / oid[:2] / oid[2:]


def unpack(folder: Path) -> None:
    packs = list((folder / ".git" / "objects" / "pack").glob("*.pack"))
    for pack in packs:
        data = pack.read_bytes()
        for path in pack.parent.glob(f"{pack.stem}.*"):
            path.unlink()
        git(folder, "unpack-objects", "-q", stdin=data)


def test_a_lost_file_is_damage_and_the_others_can_still_be_read(folder: Path, archive: GitArchive) -> None:
    numbers = [file_next(archive) for _ in range(3)]
    archive.close()
    unpack(folder)
    oids = [git(folder, "rev-parse", f"archive/main:{number.folder}/0001.json") for number in numbers]
    loose_path(folder, oids[0]).unlink()
    broken = loose_path(folder, oids[1])
    broken.chmod(0o644)
    broken.write_bytes(broken.read_bytes()[:-20] + b"x" * 20)
    damaged: list[str] = []
    found = [path for path, _ in archive.walk(damaged=damaged.append)]
    assert damaged == [f"{number.folder}/0001.json" for number in numbers[:2]]
    assert found == [f"{numbers[2].folder}/0001.json", "site.json"]
    with pytest.raises(ObjectDamagedError):
        list(archive.walk())
    with pytest.raises(ObjectDamagedError):
        archive.read(f"{numbers[1].folder}/0001.json")
    assert archive.read(f"{numbers[2].folder}/0001.json") is not None


def test_a_lost_folder_is_damage_and_the_others_can_still_be_walked(folder: Path, archive: GitArchive) -> None:
    numbers = [file_next(archive) for _ in range(3)]
    archive.close()
    unpack(folder)
    loose_path(folder, git(folder, "rev-parse", f"archive/main:{numbers[1].folder}")).unlink()
    damaged: list[str] = []
    found = [path for path, _ in archive.walk(damaged=damaged.append)]
    assert damaged == [numbers[1].folder]
    assert found == [f"{numbers[0].folder}/0001.json", f"{numbers[2].folder}/0001.json", "site.json"]
    assert any(item.unreadable for item in archive.irregular_commits())


def test_a_lost_commit_is_shown_as_unreadable_history(folder: Path, archive: GitArchive) -> None:
    file_next(archive)
    lost = git(folder, "rev-parse", "archive/main")
    file_next(archive)
    archive.close()
    unpack(folder)
    loose_path(folder, lost).unlink()
    assert [item.unreadable for item in archive.irregular_commits()] == [True]


names = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=6)


@settings(max_examples=30)
@given(st.dictionaries(names, st.binary(min_size=20, max_size=20), max_size=5))
def test_tree_objects_are_read_entry_by_entry(content: dict[str, bytes]) -> None:
    data = b"".join(b"100644 " + name.encode() + b"\0" + oid for name, oid in content.items())
    assert [(entry.name, entry.oid) for entry in parse_tree(data)] == [(n, oid.hex()) for n, oid in content.items()]


# -- time


def test_the_next_entry_gets_the_time_of_the_clock(archive: GitArchive) -> None:
    with archive.writing() as writer:
        assert writer.moment(MORNING) == MORNING
        assert writer.moment(MORNING + timedelta(seconds=1)) == MORNING + timedelta(seconds=1)


@pytest.mark.parametrize("seconds", [1, 119, 120])
def test_a_clock_up_to_two_minutes_behind_gets_the_time_of_the_newest_commit(archive: GitArchive, seconds: int) -> None:
    with archive.writing() as writer:
        moment = writer.moment(MORNING - timedelta(seconds=seconds))
    assert (moment, moment.utcoffset()) == (MORNING, timedelta(hours=8))


@pytest.mark.parametrize("behind", [timedelta(seconds=121), timedelta(days=400)])
def test_a_clock_further_behind_is_refused_until_a_statement_says_that_it_ran_ahead(
    archive: GitArchive, behind: timedelta
) -> None:
    with archive.writing() as writer:
        with pytest.raises(ClockBackwardsError, match=r"早于最近一次归档的时间 2026-05-01T09:30\+08:00") as refused:
            writer.moment(MORNING - behind)
        assert refused.value.code == "clock-backwards"
        assert writer.moment(MORNING - behind, corrected=True) == MORNING - behind


def test_the_time_within_one_writer_follows_its_own_commits(archive: GitArchive) -> None:
    with archive.writing() as writer:
        later = ArchiveChange({"a": b"1"}, WANG, MORNING + timedelta(hours=1), "a", {})
        writer.append(later)
        with pytest.raises(ClockBackwardsError):
            writer.moment(MORNING)


def test_words_of_people_in_a_commit_are_not_taken_for_its_time(archive: GitArchive) -> None:
    named = Signatory("p003", "committer 9999999999 +0800", "committer x 9999999999 +0800")
    with archive.writing() as writer:
        subject = "committer x <y> 9999999999 +0800"
        writer.append(ArchiveChange({"a": b"1"}, named, MORNING, subject, {"QMS-Action": "x"}))
        assert writer.moment(MORNING) == MORNING


def test_a_folder_that_was_exchanged_for_one_above_it_is_damage_and_no_endless_walk(tmp_path: Path) -> None:
    folder = make_workspace(tmp_path / "w")
    with closing(open_archive(folder)) as archive:
        number = file_next(archive)

    def git(*words: str) -> str:
        return subprocess.run(["git", "-C", str(folder), *words], capture_output=True, check=True, text=True).stdout

    for pack in list((folder / ".git/objects/pack").glob("*.pack")):
        aside = pack.rename(tmp_path / pack.name)
        subprocess.run(["git", "-C", str(folder), "unpack-objects", "-q"], input=aside.read_bytes(), check=True)
    for rest in (folder / ".git/objects/pack").iterdir():
        rest.unlink()
    above = git("rev-parse", f"archive/main:{number.form}/{number.year}").strip()
    below = git("rev-parse", f"archive/main:{number.folder.rpartition('/')[0].rpartition('/')[0]}").strip()
    source, target = (folder / ".git/objects" / oid[:2] / oid[2:] for oid in (above, below))
    target.chmod(0o644)
    target.write_bytes(source.read_bytes())
    damaged: list[str] = []
    with closing(open_archive(folder)) as archive:
        found = [path for path, _ in archive.walk(number.form, damaged=damaged.append)]
    assert found == []
    assert damaged
