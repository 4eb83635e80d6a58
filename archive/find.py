"""Which records do these paths mean?"""

from __future__ import annotations

import glob
from collections.abc import Iterable, Iterator
from pathlib import Path

from ecg import BadRecord

_SUFFIXES = {".hea", ".dat", ".mat", ".edf"}


def strip_suffix(path: Path) -> Path:
    """A record's path: without `.hea`, `.dat`, `.mat` or `.edf`; any other dot is of its name."""
    return path.with_suffix("") if path.suffix.lower() in _SUFFIXES else path


def find_records(paths: Iterable[str | Path]) -> list[Path]:
    """Records that paths mean, each once, in the order of the paths.

    Parameters
    ----------
    paths : iterable of str or Path
        Records (with or without suffix), globs, `RECORDS` files (one record a line, relative to
        the file) or directories. A directory means what its `RECORDS` file lists, or all its
        `*.hea` and `*.edf` when it has none.

    Returns
    -------
    list of Path
        Without suffix. A record that a `RECORDS` file lists need not be there.

    Raises
    ------
    BadRecord
        If a path means nothing.
    """
    found: dict[Path, Path] = {}
    for path in paths:
        records = list(_expand(Path(path)))
        if not records:
            raise BadRecord(
                f"{path}: no records there; give a record, a directory or a RECORDS file"
            )
        for record in records:
            found.setdefault(record.resolve(), record)
    return list(found.values())


def _expand(path: Path) -> Iterator[Path]:
    if path.is_dir():
        yield from _in_directory(path)
    elif path.name.startswith("RECORDS") and path.is_file():
        yield from _listed(path)
    elif _is_record(path):
        yield strip_suffix(path)
    elif glob.has_magic(str(path)):
        for match in sorted(glob.glob(str(path), recursive=True)):  # noqa: PTH207 - may be absolute
            # a glob also meets the annotation files and notes that lie beside records
            if Path(match).is_dir() or _is_record(Path(match)):
                yield from _expand(Path(match))
    else:
        raise BadRecord(f"{path}: no such record, directory or RECORDS file")


def _is_record(path: Path) -> bool:
    record = strip_suffix(path)
    if path != record and not path.is_file():
        return False
    return any(record.with_name(record.name + s).is_file() for s in (".hea", ".edf", ".EDF"))


def _in_directory(directory: Path) -> Iterator[Path]:
    if (directory / "RECORDS").is_file():
        yield from _listed(directory / "RECORDS")
    else:
        files = directory.iterdir()
        yield from sorted(strip_suffix(f) for f in files if f.suffix.lower() in {".hea", ".edf"})


def _listed(file: Path) -> Iterator[Path]:
    for line in file.read_text(encoding="utf-8").split():
        listed = file.parent / line
        # a large database lists its directories
        yield from _in_directory(listed) if listed.is_dir() else [strip_suffix(listed)]
