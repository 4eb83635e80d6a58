"""What the classifier of beats learns from: facts of beats, as the streaming analysis gathers them.

A stream is a record, or a piece of it, as one recorder or another would have given it. Beats are
those that the shipped detector finds; they have the label of the annotation within 150 ms.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from archive.evaluate import MATCH_S
from archive.find import find_records
from archive.read import read_annotations, read_record
from ecg import Annotations
from ecg.codes import AAMI_CLASS, BEAT_CODES
from training import disturb
from training.capture import capture
from training.disturb import Floats, Ints

N, S, V, F, PACED, NO_BEAT, LEFT_OUT = range(7)
# Escape beats (e, j) come late: they are neither the early beats nor the usual ones to learn from.
_LABEL = {c: "NSVF".find(AAMI_CLASS[c]) for c in BEAT_CODES}
_LABEL |= {"/": PACED, "f": PACED, "Q": LEFT_OUT, "?": LEFT_OUT, "e": LEFT_OUT, "j": LEFT_OUT}

STREAMS = (
    "both leads", "first lead", "second lead", "noise 12 dB", "noise 6 dB", "first lead, noise",
    "motion 6 dB", "first lead, motion", "other rate", "cold starts", "normal", "fibrillation",
    "made early",
)  # fmt: skip
PACED_RECORDS = ("102", "104", "107", "217")
IRREGULAR_RECORDS = ("201", "203")  # atrial fibrillation: no beat is early in it
RATES_HZ = (125.0, 200.0, 250.0, 300.0, 500.0)
COLD_STARTS = 6
NORMAL_SHARE = 0.7  # of the normal records of the 2017 challenge: there are more than needed
FEWEST = 6  # beats: shorter records say nothing about a rhythm


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Beats, one a row: `facts` float32 [n, N_FACTS], and of each beat the rest [n]."""

    facts: Floats
    label: Ints
    patient: Ints
    stream: Ints
    sample: Ints  # in the record, at the rate of its annotations

    def __getitem__(self, chosen: NDArray[np.bool_]) -> Rows:
        return Rows(*(getattr(self, name)[chosen] for name in self.__slots__))


def concat(parts: list[Rows]) -> Rows:
    """Rows of several streams."""
    return Rows(*(np.concatenate([getattr(p, n) for p in parts]) for n in Rows.__slots__))


def gather(folder: Path) -> Rows:
    """All rows, from `mitdb`, `nstdb` and `cinc2017` in `folder`; always the same."""
    parts: list[Rows] = []
    noise = disturb.nstdb(folder)
    for path in find_records([folder / "mitdb"]):
        parts += _mitdb(path, noise)
    parts += _cinc2017(folder / "cinc2017", np.random.default_rng(7))
    return concat(parts)


def _mitdb(path: Path, noise: Floats) -> Iterator[Rows]:
    record, marks = read_record(path), read_annotations(path)
    patient, fs_hz = int(path.name), record.fs_hz
    rng = np.random.default_rng(patient)
    x = record.x_mv
    rate_hz = float(rng.choice(RATES_HZ))
    for name, y, y_hz in (
        ("both leads", x, fs_hz),
        ("first lead", x[:1], fs_hz),
        ("second lead", x[1:], fs_hz),
        ("noise 12 dB", disturb.noisy(x, fs_hz, noise, 12.0, rng), fs_hz),
        ("noise 6 dB", disturb.noisy(x, fs_hz, noise, 6.0, rng), fs_hz),
        ("first lead, noise", disturb.noisy(x[:1], fs_hz, noise, 10.0, rng), fs_hz),
        ("motion 6 dB", disturb.moved(x, fs_hz, 6.0, rng), fs_hz),
        ("first lead, motion", disturb.moved(x[:1], fs_hz, 8.0, rng), fs_hz),
        ("other rate", _other_gain(disturb.resampled(x, fs_hz, rate_hz), rng), rate_hz),
    ):
        yield _labelled(name, patient, y, y_hz, marks, fs_hz, 0)
    for _ in range(COLD_STARTS):
        begin = int(rng.uniform(0, 27 * 60) * fs_hz)
        end = begin + int(rng.uniform(20, 180) * fs_hz)
        leads = (slice(0, 2), slice(0, 1), slice(1, 2))[int(rng.integers(3))]
        yield _labelled("cold starts", patient, x[leads, begin:end], fs_hz, marks, fs_hz, begin)
    if path.name not in PACED_RECORDS + IRREGULAR_RECORDS:
        leads = (slice(0, 2), slice(0, 1), slice(1, 2))[int(rng.integers(3))]
        yield _made_early(patient, x[leads], fs_hz, marks, rng)


def _other_gain(x_mv: Floats, rng: np.random.Generator) -> Floats:
    """Leads in the other order, of another gain and polarity."""
    gain = rng.choice([-1.0, 1.0], len(x_mv)) * rng.uniform(0.4, 2.5, len(x_mv))
    return np.asarray(x_mv[::-1] * gain[:, None], np.float32)


def _labelled(
    name: str, patient: int, x: Floats, x_hz: float, marks: Annotations, fs_hz: float, begin: int
) -> Rows:
    told, facts = capture(x, x_hz)
    sample = np.round(told * fs_hz / x_hz).astype(np.int64) + begin
    return _rows(name, patient, sample, facts, labels(sample, marks, fs_hz))


def _rows(name: str, patient: int, sample: Ints, facts: Floats, label: Ints) -> Rows:
    whole = np.ones(label.size, np.int64)
    return Rows(facts, label, whole * patient, whole * STREAMS.index(name), sample)


def labels(sample: Ints, marks: Annotations, fs_hz: float) -> Ints:
    """Label of each beat found: that of the nearest annotation within 150 ms, each used once.

    What is found elsewhere is `NO_BEAT`; in ventricular flutter or fibrillation, `LEFT_OUT`.
    """
    window = round(MATCH_S * fs_hz)
    is_beat = np.array([c in _LABEL for c in marks.symbol], bool)
    at = marks.sample[is_beat]
    codes = [c for c in marks.symbol if c in _LABEL]
    label = np.full(sample.size, NO_BEAT, np.int64)
    taken: dict[int, int] = {}
    for i, here in enumerate(sample):
        k = int(np.argmin(np.abs(at - here))) if at.size else -1
        if k < 0 or abs(at[k] - here) > window:
            continue
        rival = taken.get(k)
        if rival is not None:
            if abs(sample[rival] - at[k]) <= abs(here - at[k]):
                continue
            label[rival] = NO_BEAT
        taken[k] = i
        label[i] = _LABEL[codes[k]]
    start = None
    for here, symbol in zip(marks.sample, marks.symbol, strict=True):
        if symbol == "[":
            start = here
        elif symbol == "]" and start is not None:
            label[(sample >= start - window) & (sample <= here + window)] = LEFT_OUT
    return label


def _made_early(
    patient: int, x: Floats, fs_hz: float, marks: Annotations, rng: np.random.Generator
) -> Rows:
    """Normal beats made early; beats of other classes in between are left out."""
    is_beat = np.array([c in _LABEL for c in marks.symbol], bool)
    beats = marks.sample[is_beat]
    normal = np.array([c in "NLR" for c in marks.symbol if c in _LABEL], bool)
    return _early_rows(patient, x, fs_hz, beats, normal, rng, 0.1)


def _early_rows(
    patient: int, x: Floats, fs_hz: float, beats: Ints, normal: NDArray[np.bool_],
    rng: np.random.Generator, share: float,
) -> Rows:  # fmt: skip
    y, place, is_early = disturb.early_beats(x, fs_hz, beats, share, rng)
    told, facts = capture(y, fs_hz)
    label = np.full(told.size, LEFT_OUT, np.int64)
    for at, early, ok in zip(place, is_early, normal, strict=True):
        k = int(np.argmin(np.abs(told - at)))
        if ok and abs(told[k] - at) < 0.08 * fs_hz:
            label[k] = S if early else N
    return _rows("made early", patient, told, facts, label)


def _cinc2017(folder: Path, rng: np.random.Generator) -> Iterator[Rows]:
    """Beats of normal records are N; in atrial fibrillation there are no early ones.

    Some are ventricular: the score of ventricular beats does not learn from fibrillation.
    """
    paths = {p.name: p for p in find_records([folder])}
    with (folder / "REFERENCE.csv").open(newline="") as file:
        kinds = [(row[0], row[1]) for row in csv.reader(file) if row[1] in "NA"]
    for i, (name, kind) in enumerate(kinds):
        if kind == "N" and rng.random() > NORMAL_SHARE:
            continue
        record = read_record(paths[name])
        x = record.x_mv if rng.random() < 0.5 else -record.x_mv
        patient = 10_000 + i
        told, facts = capture(x, record.fs_hz)
        if told.size < FEWEST:
            continue
        stream = "normal" if kind == "N" else "fibrillation"
        yield _rows(stream, patient, told, facts, np.zeros(told.size, np.int64))
        if kind == "N" and rng.random() < 0.6:
            every = np.ones(told.size, bool)
            yield _early_rows(patient, x, record.fs_hz, told, every, rng, 0.12)
