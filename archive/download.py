"""Download a public database: what its checksum list names, file by file, each one checked."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from archive.catalogue import Database
from archive.transfer import DiskTrouble, Fetcher, FetchError, Stopped, Unreachable, verify
from ecg import BadRecord

CONNECTIONS = 4  # side by side: thousands of small files would wait for the network one by one
_LISTS = "RECORDS"


@dataclass(slots=True)
class Download:
    """How a download went.

    Attributes
    ----------
    folder : Path
    fetched, kept : int
        Files that were downloaded; that were there already, whole.
    errors : dict of str to str
        By file.
    not_tried : int
        Files left out when the server was away or the disk full.
    """

    folder: Path
    fetched: int = 0
    kept: int = 0
    errors: dict[str, str] = field(default_factory=dict)
    not_tried: int = 0

    @property
    def is_complete(self) -> bool:
        """Whether all files that were asked for are there, checked."""
        return not self.errors and not self.not_tried


def download(
    database: Database,
    folder: Path,
    records: Sequence[str] | None = None,
    *,
    fetcher: Fetcher | None = None,
    on_file: Callable[[str, int, int], None] | None = None,
) -> Download:
    """Bring a database, or some records of it, into a folder.

    Files lie in the folder as they lie at the server, with the list of checksums. A `RECORDS`
    file lists the records that are there: it is the original one when all of them are.

    Parameters
    ----------
    database : Database
    folder : Path
        Made when it does not exist. Files that are there and right are not fetched again.
    records : sequence of str, optional
        Names (`100`) or paths (`training/a103l`); without it all.
    fetcher : Fetcher, optional
        How to fetch.
    on_file : callable(str, int, int), optional
        Called with each file that is done, how many are done and how many there are.

    Returns
    -------
    Download
        A file that fails never stops the others.

    Raises
    ------
    FetchError
        If the list of checksums cannot be had.
    BadRecord
        If the list is none, or has no record of a name that is asked for.
    """
    fetcher = fetcher or Fetcher()
    sums_file = folder / database.checksums
    fetcher.fetch(database.address + quote(database.checksums), sums_file)
    listed = read_checksums(sums_file)
    wanted = choose_files(listed, database, records)
    done = Download(folder)
    lists = {path: listed[path] for path in wanted if PurePosixPath(path).name == _LISTS}
    files = {path: listed[path] for path in wanted if path not in lists}
    total = len(wanted)

    def tell(path: str) -> None:
        if on_file is not None:
            on_file(path, done.fetched + done.kept + len(done.errors), total)

    _fetch_all(database.address, files, done, fetcher, tell)
    if done.is_complete and records is None:
        _fetch_all(database.address, lists, done, fetcher, tell)
    else:
        _list_what_is_there(database, listed, done)
    return done


def read_checksums(file: Path) -> dict[str, str]:
    """SHA-256 by path, from a list as `sha256sum` prints it.

    Raises
    ------
    BadRecord
        If a line is no `hash path`, or a path leads out of the folder.
    """
    found: dict[str, str] = {}
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        match = re.fullmatch(r"([0-9a-fA-F]{64}) [ *]?(\S.*)", line.rstrip())
        if match is None:
            raise BadRecord(
                f"{file}, line {number}: no SHA-256 and path: {line[:60]!r}; the address in the "
                "catalogue may be wrong, or something between here and the server answers for it"
            )
        path = PurePosixPath(match[2])
        if path.is_absolute() or ".." in path.parts or "\\" in match[2]:
            raise BadRecord(f"{file}, line {number}: {match[2]!r} leads out of the folder")
        found[str(path)] = match[1].lower()
    if not found:
        raise BadRecord(f"{file}: the list of checksums is empty")
    return found


def choose_files(
    listed: Mapping[str, str], database: Database, records: Sequence[str] | None
) -> list[str]:
    """Which paths of the list are wanted.

    With `records`, these are the records' own files and those that belong to no record (labels,
    licence). Raises `BadRecord` as `download` does.
    """
    wanted = [
        path
        for path in listed
        if any(fnmatchcase(path, glob) for glob in database.include)
        and not any(fnmatchcase(path, glob) for glob in database.exclude)
    ]
    known = {path.removesuffix(".hea") for path in wanted if path.endswith(".hea")}
    if not known:
        raise BadRecord(
            f"{database.name}: its list of checksums names no record among "
            f"{', '.join(database.include)}; the catalogue and the server do not fit"
        )
    if records is None:
        return wanted
    chosen: set[str] = set()
    for record in records:
        found = {path for path in known if record in (path, PurePosixPath(path).name)}
        if not found:
            names = sorted(PurePosixPath(path).name for path in known)
            some = ", ".join(names[:8]) + (" …" if len(names) > 8 else "")
            raise BadRecord(f"{database.name}: no record {record!r}; there are {some}")
        chosen |= found
    stems = {path: path.rpartition(".")[0] for path in wanted}
    return [path for path in wanted if stems[path] not in known or stems[path] in chosen]


def _fetch_all(
    address: str,
    files: Mapping[str, str],
    done: Download,
    fetcher: Fetcher,
    tell: Callable[[str], None],
) -> None:
    """Fetch side by side; when no file would be better off, the rest is given up."""

    def one(path: str) -> bool:
        target = done.folder / path
        if verify(target, files[path]):
            return False
        if fetcher.stopped.is_set():
            raise Stopped(path)
        fetcher.fetch(address + quote(path), target, files[path])
        return True

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        try:
            under_way: dict[Future[bool], str] = {pool.submit(one, path): path for path in files}
            for future in as_completed(under_way):
                _account(under_way[future], future, done, fetcher)
                tell(under_way[future])
        except KeyboardInterrupt:
            fetcher.stopped.set()
            pool.shutdown(cancel_futures=True)
            raise


def _account(path: str, future: Future[bool], done: Download, fetcher: Fetcher) -> None:
    try:
        if future.result():
            done.fetched += 1
        else:
            done.kept += 1
    except Stopped:
        done.not_tried += 1
    except (Unreachable, DiskTrouble) as error:
        done.errors[path] = str(error)
        fetcher.stopped.set()
    except FetchError as error:
        done.errors[path] = str(error)
    except OSError as error:
        done.errors[path] = f"{done.folder / path}: cannot be read: {error}"


def _list_what_is_there(database: Database, listed: Mapping[str, str], done: Download) -> None:
    """Write each `RECORDS` anew: a reader must not look for records that were not fetched."""
    offered = choose_files(listed, database, None)
    files: dict[str, list[str]] = {}
    for path in offered:
        files.setdefault(path.rpartition(".")[0], []).append(path)
    there = [
        PurePosixPath(path.removesuffix(".hea"))
        for path in sorted(offered)
        if path.endswith(".hea")
        and all((done.folder / part).is_file() for part in files[path.removesuffix(".hea")])
    ]
    for path in offered:
        file, place = done.folder / path, PurePosixPath(path).parent
        is_list_of_all = done.is_complete and verify(file, listed[path])
        if file.name != _LISTS or is_list_of_all:
            continue
        lines = [
            f"{record.relative_to(place)}\n" for record in there if record.is_relative_to(place)
        ]
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("".join(lines), encoding="utf-8")
        except OSError as error:
            done.errors[path] = f"{file}: cannot be written: {error}"
