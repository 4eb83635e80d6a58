"""The back ends that the contract is tested against, and rows to give them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from ecg.clock import NS
from ecg.findings import BEAT, EPISODE, QUALITY, VITALS
from store.base import (
    BeatRows,
    EpisodeRows,
    QualityRows,
    Store,
    TransitionRow,
    VitalsRows,
    WaveformChunk,
)
from store.sqlite import SqliteStore

BACK_ENDS: dict[str, Callable[[Path], Store]] = {
    "sqlite": lambda folder: SqliteStore(folder / "store.sqlite", gather_s=0.01),
}


@pytest.fixture(params=BACK_ENDS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    store = BACK_ENDS[request.param](tmp_path)
    yield store
    store.close()


class Rows:
    """Rows as an ingest would append them; times in seconds."""

    def __init__(self) -> None:
        self.rng = np.random.default_rng(1)

    def chunk(self, patient="p1", device="ward/d1", boot=7, seq=0, t_s=None) -> WaveformChunk:
        t_ns = round((seq if t_s is None else t_s) * NS)
        x = self.rng.integers(-32768, 32768, (2, 250)).astype(np.int16)
        lsb_uv = np.array([5.0, 2.44], np.float32)
        return WaveformChunk(patient, device, boot, seq, t_ns, 250.0, ("I", "aVR"), lsb_uv, x)

    def beats(self, times_s, patient="p1") -> BeatRows:
        beats = self.fill(BEAT, times_s)
        beats["code"], beats["lead"] = ord("V"), -1
        return BeatRows(patient, beats)

    def vitals(self, times_s, patient="p1") -> VitalsRows:
        return VitalsRows(patient, self.fill(VITALS, times_s))

    def quality(self, times_s, patient="p1") -> QualityRows:
        rows = np.concatenate([self.fill(QUALITY, [t, t]) for t in times_s])
        rows["lead"] = np.tile([0, 1], len(times_s))
        return QualityRows(patient, rows)

    def episode(self, onset_s, end_s=None, kind=11, patient="p1") -> EpisodeRows:
        row = np.zeros(1, EPISODE)
        row["onset_ns"], row["kind"] = round(onset_s * NS), kind
        row["end_ns"] = row["end"] = -1 if end_s is None else round(end_s * NS)
        row["evidence"] = [0.1, np.nan, -3.0, 1e9]
        return EpisodeRows(patient, row)

    def transition(self, alarm_id="asystole.1.1", phase="raised", noted_s=1.0, **words):
        fields = {
            "t_ns": round(noted_s * NS) - 5,
            "noted_ns": round(noted_s * NS),
            "ward": "icu",
            "bed": "1",
            "patient": "p1",
            "alarm_id": alarm_id,
            "kind": "asystole",
            "priority": "high",
            "phase": phase,
            "by": None,
            "text": "No heartbeat for 4 s.",
            "evidence": "{}",
        }
        return TransitionRow(**(fields | words))

    def fill(self, dtype, times_s) -> np.ndarray:
        """Rows at these times, other numbers at random, a NaN among them."""
        rows = np.zeros(len(times_s), dtype)
        for name in dtype.names:
            if rows.dtype[name].kind == "f":
                rows[name] = self.rng.normal(size=len(rows))
        rows["t_ns"] = [round(t * NS) for t in times_s]
        rows["sample"] = rows["t_ns"] // 4_000_000
        first_float = next(n for n in dtype.names if dtype[n].kind == "f")
        rows[first_float][:1] = np.nan
        return rows


@pytest.fixture
def rows() -> Rows:
    return Rows()
