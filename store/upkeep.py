"""Looking after a store's file: is it sound, and a copy of it while it is in use."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from ecg.errors import BadInput, StoreError
from store import schema

_BUSY_S = 5.0
_PAGES_AT_ONCE = 2_000  # 8 MB: between two pieces a writer gets its turn


def check(path: str | Path) -> list[str]:
    """What is wrong with the file, a line each; empty when it is sound.

    Reads all of it, so a large store takes a while.

    Raises
    ------
    StoreError
        If it cannot be opened or is not a store of this version.
    """
    path = Path(path)
    connection = schema.open_for_reading(path, _BUSY_S)
    try:
        lines = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(100)")]
    except sqlite3.Error as error:
        lines = [str(schema.cause(error, path))]
    finally:
        connection.close()
    return [] if lines == ["ok"] else lines


def backup(path: str | Path, to: str | Path) -> int:
    """Copy the store as it is at one moment, also while another process writes.

    Returns
    -------
    int
        Size of the copy in bytes.

    Raises
    ------
    BadInput
        If there is something at `to` already.
    StoreError
        If the store cannot be read or the copy cannot be written.
    """
    path, to = Path(path), Path(to)
    if to.exists():
        raise BadInput(f"{to} is there already: name a file that is not")
    source = schema.open_for_reading(path, _BUSY_S)
    part = to.with_name(f"{to.name}.part")  # an unfinished copy must not be taken for a whole one
    try:
        part.unlink(missing_ok=True)
        copy = sqlite3.connect(part, isolation_level=None)
        try:
            # one read transaction: else every commit meanwhile would begin the copy anew
            source.execute("BEGIN")
            source.backup(copy, pages=_PAGES_AT_ONCE, sleep=0.0)
        finally:
            copy.close()
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        part.rename(to)
    except (sqlite3.Error, OSError) as error:
        raise schema.cause(error, part) from error
    finally:
        source.close()
        part.unlink(missing_ok=True)
    found = check(to)
    if found:
        raise StoreError(f"{to}: the copy is not sound: {found[0]}; look at the disk")
    return to.stat().st_size
