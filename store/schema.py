"""The SQLite file: its tables, how it is opened, and what is refused."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from ecg.errors import StoreError

APPLICATION_ID = 0x54524831  # "TRH1": tells our files from other SQLite files
VERSION = 1

# Tables that are read by patient and time are clustered by them. Waveform rows are appended at the
# end of the file and found through two small indices: their rows are too big to be moved about.
TABLES = """
CREATE TABLE patients (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE devices (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,
    boot INTEGER, seq INTEGER, end_ns INTEGER) STRICT;
CREATE TABLE layouts (id INTEGER PRIMARY KEY, fs_hz REAL NOT NULL, leads TEXT NOT NULL,
    lsb_uv TEXT NOT NULL, UNIQUE (fs_hz, leads, lsb_uv)) STRICT;
CREATE TABLE waveform (id INTEGER PRIMARY KEY, patient INTEGER NOT NULL, t_ns INTEGER NOT NULL,
    end_ns INTEGER NOT NULL, device INTEGER NOT NULL, boot INTEGER NOT NULL,
    seq INTEGER NOT NULL, layout INTEGER NOT NULL, x BLOB NOT NULL) STRICT;
CREATE UNIQUE INDEX waveform_frame ON waveform (device, boot, seq);
CREATE INDEX waveform_time ON waveform (patient, t_ns);
CREATE TABLE beats (patient INTEGER NOT NULL, sample INTEGER NOT NULL, t_ns INTEGER NOT NULL,
    rr_s REAL, qrs_ms REAL, confidence REAL, flags INTEGER NOT NULL, code INTEGER NOT NULL,
    aami INTEGER NOT NULL, lead INTEGER NOT NULL,
    PRIMARY KEY (patient, t_ns)) STRICT, WITHOUT ROWID;
CREATE TABLE vitals (patient INTEGER NOT NULL, sample INTEGER NOT NULL, t_ns INTEGER NOT NULL,
    hr_bpm REAL, hr_fast_bpm REAL, pvc_per_min REAL, af_burden REAL,
    PRIMARY KEY (patient, t_ns)) STRICT, WITHOUT ROWID;
CREATE TABLE quality (patient INTEGER NOT NULL, sample INTEGER NOT NULL, t_ns INTEGER NOT NULL,
    sqi REAL, lead INTEGER NOT NULL, code INTEGER NOT NULL,
    PRIMARY KEY (patient, t_ns, lead)) STRICT, WITHOUT ROWID;
CREATE TABLE episodes (patient INTEGER NOT NULL, onset INTEGER NOT NULL, end INTEGER NOT NULL,
    onset_ns INTEGER NOT NULL, end_ns INTEGER NOT NULL, confidence REAL,
    evidence_0 REAL, evidence_1 REAL, evidence_2 REAL, evidence_3 REAL, kind INTEGER NOT NULL,
    PRIMARY KEY (patient, onset_ns, kind)) STRICT, WITHOUT ROWID;
CREATE TABLE transitions (id INTEGER PRIMARY KEY, t_ns INTEGER NOT NULL,
    noted_ns INTEGER NOT NULL, ward TEXT NOT NULL, bed TEXT NOT NULL, patient TEXT NOT NULL,
    alarm_id TEXT NOT NULL, kind TEXT NOT NULL, priority TEXT NOT NULL, phase TEXT NOT NULL,
    by TEXT, text TEXT NOT NULL, evidence TEXT NOT NULL,
    UNIQUE (ward, bed, alarm_id, phase)) STRICT;
CREATE INDEX transitions_time ON transitions (noted_ns);
CREATE TABLE audit (id INTEGER PRIMARY KEY, t_ns INTEGER NOT NULL, who TEXT NOT NULL,
    action TEXT NOT NULL, detail TEXT NOT NULL, UNIQUE (t_ns, who, action, detail)) STRICT;
"""

# Made in older files, too, when they are opened for writing: nothing else changes.
STATES = """
CREATE TABLE IF NOT EXISTS states (key TEXT PRIMARY KEY, value TEXT) STRICT, WITHOUT ROWID;
"""

COUNTED = ("waveform", "beats", "vitals", "quality", "episodes", "transitions", "audit")


def open_for_writing(path: Path, busy_s: float) -> sqlite3.Connection:
    """The file, made when it is not there.

    Raises
    ------
    StoreError
        If it cannot be opened or is not a store of this version.
    """
    connection: sqlite3.Connection | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(
            path, timeout=busy_s, isolation_level=None, check_same_thread=False
        )
        if _is_empty(connection):
            _create(connection)
        _verify(connection, path)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(STATES)
        # FULL waits for the disk at every commit. NORMAL would not, in WAL mode: rows that were
        # acknowledged to a broker would be lost with the power.
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA wal_autocheckpoint = 4000")  # pages: 16 MB
        connection.execute("PRAGMA journal_size_limit = 67108864")
    except (sqlite3.Error, OSError, StoreError) as error:
        if connection is not None:
            connection.close()
        raise error if isinstance(error, StoreError) else cause(error, path) from error
    return connection


def open_for_reading(path: Path, busy_s: float) -> sqlite3.Connection:
    """The file, read-only: never holds up the writer.

    Raises
    ------
    StoreError
        If it is not there, cannot be opened or is not a store of this version.
    """
    if not path.is_file():
        raise StoreError(f"{path}: there is no store here; `telerhythm serve` makes one")
    connection: sqlite3.Connection | None = None
    try:
        connection = sqlite3.connect(
            f"{path.resolve().as_uri()}?mode=ro",
            uri=True,
            timeout=busy_s,
            isolation_level=None,
            check_same_thread=False,
        )
        _verify(connection, path)
    except (sqlite3.Error, StoreError) as error:
        if connection is not None:
            connection.close()
        raise error if isinstance(error, StoreError) else cause(error, path) from error
    return connection


def cause(error: BaseException, path: Path) -> StoreError:
    """What went wrong with the file, in words that say what to do."""
    name = getattr(error, "sqlite_errorname", "") or ""
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        advice = "another program holds the file locked; close it"
    elif name.startswith("SQLITE_FULL"):
        advice = "the disk is full; make room"
    elif name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        advice = "the file is damaged or not a store; bring back a backup"
    elif name.startswith("SQLITE_READONLY"):
        advice = "the file or its folder cannot be written; check its permissions"
    elif name.startswith(("SQLITE_IOERR", "SQLITE_CANTOPEN")) or isinstance(error, OSError):
        advice = "the disk refuses; check that it is there, has room and can be written"
    else:
        advice = "see `telerhythm store check`"
    return StoreError(f"{path}: {error}: {advice}")


def _is_empty(connection: sqlite3.Connection) -> bool:
    return not connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]


def _create(connection: sqlite3.Connection) -> None:
    connection.executescript(
        f"BEGIN IMMEDIATE; PRAGMA application_id = {APPLICATION_ID};"
        f" PRAGMA user_version = {VERSION}; {TABLES} COMMIT;"
    )


def _verify(connection: sqlite3.Connection, path: Path) -> None:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if application != APPLICATION_ID:
        raise StoreError(f"{path}: a SQLite file, but not a store of telerhythm; name another")
    if version != VERSION:
        raise StoreError(
            f"{path}: store of version {version}, this program knows {VERSION}; use the program"
            " that wrote it"
        )
