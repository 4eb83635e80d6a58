"""Reading a SQLite store, in any process, while another writes."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecg.errors import StoreError
from ecg.findings import BEAT, EPISODE, QUALITY, VITALS
from store import schema
from store.base import AuditRow, LastFrame, Latest, TransitionRow, WaveformChunk
from store.codec import WaveformCodec

MAX_CHUNK_S = 60
"""No chunk is longer: a reader need not look further back for the one that overlaps."""

_BUSY_S = 5.0
_VITALS_FIELDS = ", ".join(VITALS.names or ())
_EPISODE_FIELDS = (
    "onset, end, onset_ns, end_ns, confidence, evidence_0, evidence_1, evidence_2, evidence_3, kind"
)


class SqliteReader:
    """Reads a store's file.

    Every read is one short read transaction on a read-only connection: under WAL it neither waits
    for the writer nor holds it up. Safe to use from several threads, which take turns.

    Raises
    ------
    StoreError
        If there is no store at `path`, or it is not one of this version.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._reading = schema.open_for_reading(self.path, _BUSY_S)
        self._read_lock = threading.Lock()
        self._codec = WaveformCodec()

    def __enter__(self) -> SqliteReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the file back."""
        with self._read_lock:
            self._reading.close()

    def waveform(self, patient: str, from_ns: int, to_ns: int) -> list[WaveformChunk]:
        """Chunks that overlap the stretch, by time."""
        rows = self._select(
            "SELECT d.name, w.boot, w.seq, w.t_ns, l.fs_hz, l.leads, l.lsb_uv, w.x"
            " FROM waveform w JOIN devices d ON d.id = w.device JOIN layouts l ON l.id = w.layout"
            " WHERE w.patient = (SELECT id FROM patients WHERE name = ?)"
            " AND w.t_ns >= ? AND w.t_ns < ? AND w.end_ns > ? ORDER BY w.t_ns, w.id",
            (patient, from_ns - MAX_CHUNK_S * 10**9, to_ns, from_ns),
        )
        return [self._chunk(patient, row) for row in rows]

    def beats(self, patient: str, from_ns: int, to_ns: int) -> NDArray[Any]:
        """Rows of dtype `ecg.BEAT`, by time."""
        return self._table("beats", BEAT, patient, from_ns, to_ns)

    def vitals(self, patient: str, from_ns: int, to_ns: int) -> NDArray[Any]:
        """Rows of dtype `ecg.VITALS`, by time."""
        return self._table("vitals", VITALS, patient, from_ns, to_ns)

    def quality(self, patient: str, from_ns: int, to_ns: int) -> NDArray[Any]:
        """Rows of dtype `ecg.QUALITY`, by time and lead."""
        return self._table("quality", QUALITY, patient, from_ns, to_ns)

    def episodes(self, patient: str, from_ns: int, to_ns: int) -> NDArray[Any]:
        """Rows of dtype `ecg.EPISODE` that overlap the stretch, by onset."""
        rows = self._select(
            f"SELECT {_EPISODE_FIELDS} FROM episodes"
            " WHERE patient = (SELECT id FROM patients WHERE name = ?)"
            " AND onset_ns < ? AND (end_ns = -1 OR end_ns > ?) ORDER BY onset_ns, kind",
            (patient, to_ns, from_ns),
        )
        return np.array([(*row[:5], row[5:9], row[9]) for row in rows], EPISODE)

    def transitions(
        self, from_ns: int, to_ns: int, *, ward: str | None = None, bed: str | None = None
    ) -> list[TransitionRow]:
        """Alarm transitions noted in the stretch, in the order in which they were noted."""
        rows = self._select(
            "SELECT t_ns, noted_ns, ward, bed, patient, alarm_id, kind, priority, phase, by, text,"
            " evidence FROM transitions WHERE noted_ns >= ? AND noted_ns < ?"
            " AND ward = coalesce(?, ward) AND bed = coalesce(?, bed) ORDER BY noted_ns, id",
            (from_ns, to_ns, ward, bed),
        )
        return [TransitionRow(*row) for row in rows]

    def audit(self, from_ns: int, to_ns: int) -> list[AuditRow]:
        """Audit entries, by time."""
        rows = self._select(
            "SELECT t_ns, who, action, detail FROM audit WHERE t_ns >= ? AND t_ns < ?"
            " ORDER BY t_ns, id",
            (from_ns, to_ns),
        )
        return [AuditRow(*row) for row in rows]

    def states(self, prefix: str = "") -> dict[str, str]:
        """States whose keys begin so, by key."""
        if not self._select("SELECT 1 FROM sqlite_schema WHERE name = 'states'"):
            return {}  # a file of before there were states, that nobody has written to since
        rows = self._select(
            "SELECT key, value FROM states WHERE substr(key, 1, ?) = ? ORDER BY key",
            (len(prefix), prefix),
        )
        return dict(rows)

    def latest(self, patients: Iterable[str]) -> dict[str, Latest]:
        """The newest of many patients in one call; a patient without rows is left out."""
        newest = {}
        for patient in dict.fromkeys(patients):
            # each part is one step down a B-tree, however long the history is
            (row,) = self._select(
                "WITH p AS (SELECT id FROM patients WHERE name = ?)"
                " SELECT (SELECT max(t_ns) FROM vitals WHERE patient = p.id),"
                " (SELECT max(t_ns) FROM beats WHERE patient = p.id),"
                " (SELECT end_ns FROM waveform WHERE patient = p.id ORDER BY t_ns DESC LIMIT 1),"
                " p.id FROM p",
                (patient,),
            ) or ((None, None, None, None),)
            vitals_ns, beat_ns, end_ns, number = row
            if vitals_ns is None and beat_ns is None and end_ns is None:
                continue
            vitals = None
            if vitals_ns is not None:
                found = self._select(
                    f"SELECT {_VITALS_FIELDS} FROM vitals WHERE patient = ? AND t_ns = ?",
                    (number, vitals_ns),
                )
                vitals = np.array(found, VITALS)[0]
            newest[patient] = Latest(vitals, beat_ns, end_ns)
        return newest

    def last_frames(self) -> dict[str, LastFrame]:
        """How far each device's stream is, by device."""
        rows = self._select("SELECT name, boot, seq, end_ns FROM devices WHERE boot IS NOT NULL")
        return {name: LastFrame(_unsigned(boot), seq, end) for name, boot, seq, end in rows}

    def counts(self) -> dict[str, int]:
        """Rows in each table; looks at all of them, so it is not for every second."""
        return {name: self._select(f"SELECT count(*) FROM {name}")[0][0] for name in schema.COUNTED}

    def _table(
        self, name: str, dtype: np.dtype[np.void], patient: str, from_ns: int, to_ns: int
    ) -> NDArray[Any]:
        rows = self._select(
            f"SELECT {', '.join(dtype.names or ())} FROM {name}"
            " WHERE patient = (SELECT id FROM patients WHERE name = ?)"
            " AND t_ns >= ? AND t_ns < ? ORDER BY patient, t_ns",
            (patient, from_ns, to_ns),
        )
        return np.array(rows, dtype)  # NULL becomes NaN again

    def _chunk(self, patient: str, row: tuple[Any, ...]) -> WaveformChunk:
        device, boot, seq, t_ns, fs_hz, leads, lsb_uv, blob = row
        names = tuple(json.loads(leads))
        with self._read_lock:
            x = self._codec.decode(blob, len(names))
        lsb = np.array(json.loads(lsb_uv), np.float32)
        return WaveformChunk(patient, device, _unsigned(boot), seq, t_ns, fs_hz, names, lsb, x)

    def _select(self, sql: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        try:
            with self._read_lock:
                return self._reading.execute(sql, values).fetchall()
        except sqlite3.ProgrammingError as error:
            raise StoreError(f"{self.path}: cannot read: the store is closed") from error
        except (sqlite3.Error, OverflowError) as error:
            raise schema.cause(error, self.path) from error


def _unsigned(number: int) -> int:
    return number % 2**64  # SQLite's integers have a sign, a device's boot number has none
