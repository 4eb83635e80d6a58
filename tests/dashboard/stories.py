"""An asystole as the store of a ward has it: ten beats, none for six seconds, one more."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from alerts.words import Evidence
from ecg import BEAT, EPISODE
from ecg.clock import NS
from ecg.codes import EpisodeKind
from store.base import BeatRows, EpisodeRows, Row, TransitionRow, WaveformChunk
from store.sqlite import SqliteStore

FS_HZ = 250.0
LAST_S, NEXT_S = 10.0, 16.0  # beats before and after the silence
ID = "asystole.{began}.1"


def alarm_id(start_ns: int) -> str:
    return ID.format(began=start_ns + round((LAST_S + 4) * NS))


def rows(start_ns: int, *, patient: str = "p", bed: str = "1", n_s: int = 20) -> list[Row]:
    """All that the store gets; seconds are those of the signal since `start_ns`."""
    beats = np.zeros(11, BEAT)
    at_s = np.array([*np.arange(1.0, LAST_S + 1), NEXT_S])
    beats["t_ns"] = start_ns + np.round(at_s * NS).astype(np.int64)
    beats["sample"] = at_s * FS_HZ
    beats["code"] = beats["aami"] = ord("N")
    beats["code"][-1] = beats["aami"][-1] = ord("V")
    episode = np.zeros(1, EPISODE)
    episode["kind"] = EpisodeKind.ASYSTOLE
    episode["onset_ns"], episode["end_ns"] = beats["t_ns"][-2], beats["t_ns"][-1]
    return [
        *(_second(start_ns, second, at_s, patient) for second in range(n_s)),
        BeatRows(patient, beats),
        EpisodeRows(patient, episode),
        *transitions(start_ns, patient=patient, bed=bed, beats_ns=beats["t_ns"][:10].tolist()),
    ]


def transitions(
    start_ns: int, *, patient: str = "p", bed: str = "1", beats_ns: Sequence[int] = ()
) -> list[Row]:
    began_ns = start_ns + round((LAST_S + 4) * NS)
    evidence = Evidence(
        began_ns - 10 * NS,
        began_ns + 6 * NS,
        "asystole: no QRS for 4.0 s, limit 4 s",
        tuple(beats_ns),
        (0,),
        60.0,
        "N" * len(beats_ns),
    )
    steps = [
        ("raised", began_ns, began_ns + NS // 2, None, evidence.to_json()),
        ("acknowledged", began_ns + NS, began_ns + NS + NS // 10, "Anna <b>", ""),
        ("ended", began_ns + 2 * NS, began_ns + 3 * NS, None, ""),
    ]
    return [
        TransitionRow(
            t_ns,
            noted_ns,
            "a",
            bed,
            patient,
            alarm_id(start_ns),
            "asystole",
            "high",
            phase,
            by,
            "No heartbeat for 4 s; 60/min before.",
            text,
        )
        for phase, t_ns, noted_ns, by, text in steps
    ]


def fill(path: Path, told: Sequence[Row]) -> None:
    store = SqliteStore(path)
    store.append(told).wait(30)
    store.close()


def _second(start_ns: int, second: int, at_s: np.ndarray, patient: str) -> WaveformChunk:
    t_s = second + np.arange(int(FS_HZ)) / FS_HZ
    mv = np.exp(-((t_s[:, None] - at_s) ** 2) / 0.0004).sum(1)
    return WaveformChunk(
        patient,
        "s/1",
        1,
        second,
        start_ns + second * NS,
        FS_HZ,
        ("II",),
        np.array([5.0], np.float32),
        np.round(mv * 200).astype(np.int16)[None],
    )
