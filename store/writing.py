"""Rows as SQLite takes them, in one transaction."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecg.errors import BadInput
from ecg.findings import BEAT, EPISODE, QUALITY, VITALS
from store.base import (
    AuditRow,
    BeatRows,
    EpisodeRows,
    QualityRows,
    Row,
    StateRow,
    TransitionRow,
    VitalsRows,
    WaveformChunk,
)
from store.codec import WaveformCodec
from store.reading import MAX_CHUNK_S

Values = tuple[Any, ...]


def _insert(table: str, n_values: int, conflict: str = "DO NOTHING") -> str:
    return f"INSERT INTO {table} VALUES ({', '.join('?' * n_values)}) ON CONFLICT {conflict}"


# In the order in which they are executed.
_STATEMENTS = {
    "waveform": "INSERT INTO waveform (patient, t_ns, end_ns, device, boot, seq, layout, x)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
    # frames come in order, so another boot is a later one
    "position": "UPDATE devices SET boot = ?1, seq = ?2, end_ns = ?3 WHERE id = ?4"
    " AND (boot IS NULL OR boot != ?1 OR seq < ?2)",
    "beats": _insert("beats", 10),
    "vitals": _insert("vitals", 7),
    "quality": _insert("quality", 6),
    "episodes": _insert(
        "episodes",
        11,
        "DO UPDATE SET end = excluded.end, end_ns = excluded.end_ns,"
        " confidence = excluded.confidence, evidence_0 = excluded.evidence_0,"
        " evidence_1 = excluded.evidence_1, evidence_2 = excluded.evidence_2,"
        " evidence_3 = excluded.evidence_3 WHERE excluded.end_ns != -1",
    ),
    "transitions": "INSERT INTO transitions (t_ns, noted_ns, ward, bed, patient, alarm_id, kind,"
    " priority, phase, by, text, evidence) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT DO NOTHING",
    "states": _insert("states", 2, "DO UPDATE SET value = excluded.value"),
    "audit": "INSERT INTO audit (t_ns, who, action, detail) VALUES (?, ?, ?, ?)"
    " ON CONFLICT DO NOTHING",
}


class Transaction:
    """Collects rows of many appends and executes them, a statement a table.

    One object serves one connection; `begin` … `add` … `commit`, or `rollback`.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._codec = WaveformCodec()
        self._numbers: dict[tuple[str, Values], int] = {}
        self._values: dict[str, list[Values]] = {name: [] for name in _STATEMENTS}

    def begin(self) -> None:
        """Take the write lock."""
        self._connection.execute("BEGIN IMMEDIATE")

    def add(self, rows: Sequence[Row]) -> None:
        """Add all rows, or none.

        Raises
        ------
        BadInput
            If a row cannot be stored: the transaction goes on without these rows.
        """
        values: dict[str, list[Values]] = defaultdict(list)
        for row in rows:
            self._encode(row, values)
        for name, more in values.items():
            self._values[name] += more

    def commit(self) -> None:
        """Make the rows durable."""
        for name, values in self._values.items():
            if values:
                self._connection.executemany(_STATEMENTS[name], values)
        if any(value is None for _, value in self._values["states"]):
            self._connection.execute("DELETE FROM states WHERE value IS NULL")
        self._connection.execute("COMMIT")
        self._forget_values()

    def rollback(self) -> None:
        """Forget everything since `begin`."""
        self._forget_values()
        self._numbers.clear()  # some may have been given in what is rolled back
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def _forget_values(self) -> None:
        for values in self._values.values():
            values.clear()

    def _encode(self, row: Row, values: dict[str, list[Values]]) -> None:
        match row:
            case WaveformChunk():
                self._encode_waveform(row, values)
            case BeatRows():
                values["beats"] += self._with_patient(row.patient, row.beats, BEAT)
            case VitalsRows():
                values["vitals"] += self._with_patient(row.patient, row.vitals, VITALS)
            case QualityRows():
                values["quality"] += self._with_patient(row.patient, row.quality, QUALITY)
            case EpisodeRows():
                rows = self._with_patient(row.patient, row.episodes, EPISODE)
                values["episodes"] += [(*r[:6], *map(float, r[6]), r[7]) for r in rows]
            case TransitionRow():
                times = (_integer(row.t_ns), _integer(row.noted_ns))
                words = (row.ward, row.bed, row.patient, row.alarm_id, row.kind, row.priority)
                by = None if row.by is None else _text(row.by)
                rest = (_text(row.phase), by, _text(row.text), _text(row.evidence))
                values["transitions"].append((*times, *map(_text, words), *rest))
            case AuditRow():
                entry = (row.who, row.action, row.detail)
                values["audit"].append((_integer(row.t_ns), *map(_text, entry)))
            case StateRow():
                value = None if row.value is None else _text(row.value)
                values["states"].append((_text(row.key), value))
            case _:
                raise BadInput(f"{type(row).__name__} is not a row of the store")

    def _encode_waveform(self, chunk: WaveformChunk, values: dict[str, list[Values]]) -> None:
        n_leads = len(chunk.leads)
        if chunk.x.dtype != np.int16 or chunk.x.ndim != 2 or not n_leads:
            raise BadInput(f"{chunk.device}: x must be int16 [n_leads, n_samples]")
        if chunk.x.shape[0] != n_leads or len(chunk.lsb_uv) != n_leads:
            raise BadInput(f"{chunk.device}: {n_leads} leads, but x {chunk.x.shape}")
        if not 0 <= chunk.end_ns - chunk.t_ns <= MAX_CHUNK_S * 10**9:
            raise BadInput(f"{chunk.device}: a chunk may last at most {MAX_CHUNK_S} s")
        patient = self._number("patients", name=chunk.patient)
        device = self._number("devices", name=chunk.device)
        layout = self._number(
            "layouts",
            fs_hz=float(chunk.fs_hz),
            leads=json.dumps(list(chunk.leads)),
            lsb_uv=json.dumps([float(lsb) for lsb in chunk.lsb_uv]),
        )
        t_ns, end_ns, seq = _integer(chunk.t_ns), _integer(chunk.end_ns), _integer(chunk.seq)
        boot = _signed(chunk.boot)
        blob = self._codec.encode(chunk.x)
        values["waveform"].append((patient, t_ns, end_ns, device, boot, seq, layout, blob))
        values["position"].append((boot, seq, end_ns, device))

    def _with_patient(
        self, patient: str, rows: NDArray[Any], dtype: np.dtype[np.void]
    ) -> list[Values]:
        if rows.dtype != dtype:
            raise BadInput(f"{patient}: rows of {rows.dtype}, expected {dtype}")
        number = self._number("patients", name=patient)
        return [(number, *row) for row in rows.tolist()]

    def _number(self, table: str, **fields: str | float) -> int:
        """The row's id, a new one if it is not there yet."""
        key = (table, tuple(fields.values()))
        number = self._numbers.get(key)
        if number is None:
            values = [v if isinstance(v, float) else _text(v) for v in fields.values()]
            marks = ", ".join("?" * len(values))
            self._connection.execute(
                f"INSERT INTO {table} ({', '.join(fields)}) VALUES ({marks})"
                " ON CONFLICT DO NOTHING",
                values,
            )
            where = " AND ".join(f"{name} = ?" for name in fields)
            (number,) = self._connection.execute(
                f"SELECT id FROM {table} WHERE {where}", values
            ).fetchone()
            self._numbers[key] = number
        return number


def _text(value: str) -> str:
    value.encode()  # lone surrogates cannot be stored: refuse them before the transaction does
    return value


def _integer(value: int) -> int:
    if not -(2**63) <= value < 2**63:
        raise BadInput(f"{value} does not fit 64 bits")
    return int(value)


def _signed(value: int) -> int:
    if not 0 <= value < 2**64:
        raise BadInput(f"boot {value} does not fit 64 bits")
    return int(value) - 2**64 if value >= 2**63 else int(value)
