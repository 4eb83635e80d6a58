"""Short records of another recorder, repeated to streams of minutes."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from archive.find import find_records
from archive.read import read_annotations, read_record
from ecg import Annotations
from training.judge_cases import Case

LEADS = ("i", "ii", "iii", "avf", "v1", "v2", "v5", "v6")
LENGTH_S = 180.0
FEWEST = 5  # beats
AHEAD = 0.35  # of an interval: a loop begins so far ahead of its first beat
FIRST_PATIENT = 3000  # number of the first one


def loops(folder: Path, count: int, rng: np.random.Generator) -> list[Case]:
    """Records of the Lobachevsky University Database, drawn at random, two leads each.

    The 10 s of a record are cut at the same place between two beats and repeated; a straight line
    is subtracted so that no step is left.
    """
    paths = find_records([folder / "data"])
    cases = []
    for i in rng.choice(len(paths), min(count, len(paths)), replace=False):
        names = [str(name) for name in rng.choice(LEADS, 2, replace=False)]
        marks = read_annotations(paths[i], names[0])
        beats = [s for s, c in zip(marks.sample, marks.symbol, strict=True) if c == "N"]
        if len(beats) >= FEWEST:
            record = read_record(paths[i], leads=names)
            cases.append(_loop(FIRST_PATIENT + int(i), record.x_mv, record.fs_hz, beats))
    return cases


def _loop(patient: int, x_mv: np.ndarray, fs_hz: float, beats: list[int]) -> Case:  # type: ignore[type-arg]
    ahead = round(AHEAD * (beats[1] - beats[0]))
    begin, end = max(beats[0] - ahead, 0), beats[-1] - ahead
    part = x_mv[:, begin:end].astype(np.float64)
    drift = part[:, -1:] - part[:, :1]
    part -= drift * np.linspace(0.0, 1.0, part.shape[1])
    times = int(np.ceil(LENGTH_S * fs_hz / part.shape[1]))
    n = round(LENGTH_S * fs_hz)
    one = np.array(beats[:-1], np.int64) - begin
    sample = (np.arange(times)[:, None] * part.shape[1] + one).ravel()
    sample = sample[sample < n]
    truth = Annotations(sample, ("N",) * sample.size, ("",) * sample.size)
    x = np.ascontiguousarray(np.tile(part, times)[:, :n], np.float32)
    return Case(patient, x, fs_hz, truth)
