"""Peaks that the detector judges, with their facts, and which of them are beats."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from archive.evaluate import MATCH_S
from archive.find import find_records
from archive.marks import read_marks
from archive.read import read_annotations, read_record
from detectors import Bank, kernel
from detectors.analyzer import tables
from detectors.judge import ADDED, COUNTED, LAST, N_WEIGHTS
from detectors.qrs import LEARNING_BEATS
from detectors.state import FACTS, HIDDEN
from detectors.trees import Forest
from detectors.weights import Models
from dsp.filters import DELAY
from dsp.resample import ANALYSIS_HZ
from training.capture import with_first
from training.disturb import nstdb
from training.hand_held import hand_held, noisy
from training.judge_cases import (
    Case,
    electrode_noise,
    simulated,
    with_jumps,
    with_noise,
    with_runs,
    with_stops,
)
from training.loops import loops

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]

CHUNK_S = 0.1  # shorter than the wait between two judgements: none is overlooked
TROUBLED_S = 600.0  # of a record with troubles
N_SIMULATED = 40
N_LOOPS = 60  # in each round, drawn anew
FIRST_SIMULATED = 1000  # number of the first simulated patient
CLEAN, TROUBLED, STOPPED, SIMULATED, HAND_HELD, HAND_HELD_NOISY = range(6)
EASY = 6.0  # log odds on the right side: of such peaks few are kept
EASY_SHARE = 0.15
STOPS = "hearts that stop"
WORKERS = min(2, os.cpu_count() or 1)


class Judge(NamedTuple):
    """A judge of later peaks: the networks, [2, N_WEIGHTS], and the forest where they doubt."""

    weights: Floats
    doubt: Forest


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Peaks, a row each; `weight` makes up for easy ones that were left out."""

    facts: Floats
    is_beat: Bools
    weight: Floats
    kind: NDArray[np.int64]  # CLEAN, TROUBLED and so on
    patient: NDArray[np.int64]
    several: Bools  # of more than one lead

    def __getitem__(self, part: Bools) -> Rows:
        return Rows(*(getattr(self, name)[part] for name in Rows.__slots__))


def joined(parts: list[Rows]) -> Rows:
    """All rows of several sets."""
    return Rows(*(np.concatenate([getattr(p, n) for p in parts]) for n in Rows.__slots__))


def records(data: Path) -> list[Case]:
    """The records of mitdb; patients are numbered in their order."""
    cases = []
    for i, path in enumerate(find_records([data / "mitdb"])):
        record = read_record(path)
        cases.append(Case(i, record.x_mv, record.fs_hz, read_annotations(path)))
    return cases


def troubles(data: Path) -> dict[str, tuple[Callable[..., Case], tuple[int | None, ...]]]:
    """Name -> what is done to a record, and of which leads it is learnt (None: both together)."""
    noise = nstdb(data).astype(np.float64)
    wander, muscle = noise[:2], noise[2:]

    def skin(case: Case, ratio_db: float | None, rng: np.random.Generator) -> Case:
        course = electrode_noise(case.x_mv.shape[1], case.fs_hz, rng)
        return with_noise(case, [course], ratio_db, rng)

    def amid(noises: list[Any], ratio_db: float | None) -> Callable[..., Case]:
        return partial(with_noise, noises=noises, ratio_db=ratio_db)

    return {
        "muscle 6 dB": (amid([muscle], 6.0), (None, 0)),
        "muscle 12 dB": (amid([muscle], 12.0), (0,)),
        "muscle and wander, -6 to 8 dB": (amid([muscle, wander], None), (None,)),
        "electrode 6 dB": (partial(skin, ratio_db=6.0), (0,)),
        "electrode -6 to 8 dB": (partial(skin, ratio_db=None), (None, 0)),
        "jumps of height": (with_jumps, (None, 0)),
        STOPS: (partial(with_stops, noise=muscle), (None, 0)),
        "runs out of the ventricles": (with_runs, (None, 0)),
    }


def work_list(data: Path, seed: int) -> Iterator[tuple[str, int, list[Case]]]:
    """All sets of cases: name, kind, cases; made one after the other."""
    both = records(data)
    yield "both leads", CLEAN, both
    yield "lead 1", CLEAN, [case.lead(0) for case in both]
    yield "lead 2", TROUBLED, [case.lead(1).until(TROUBLED_S) for case in both]
    number = 0
    for name, (trouble, leads) in troubles(data).items():
        for lead in leads:
            number += 1
            rng = np.random.default_rng([seed, number])
            kind = STOPPED if name == STOPS else TROUBLED
            chosen = both if lead is None else [case.lead(lead) for case in both]
            cases = [trouble(case.until(TROUBLED_S), rng=rng) for case in chosen]
            yield f"{name}, {'both leads' if lead is None else f'lead {lead + 1}'}", kind, cases
    rng = np.random.default_rng([seed, 100])
    hearts = [simulated(FIRST_SIMULATED + i, rng) for i in range(N_SIMULATED)]
    yield "simulated, both leads", SIMULATED, hearts
    yield "simulated, lead 1", SIMULATED, [case.lead(0) for case in hearts]
    if (data / "ludb").is_dir():
        yield from of_loops(data, np.random.default_rng([seed, 101]))
    if (data / "cinc2017").is_dir():
        yield from of_hand_held(data, np.random.default_rng([seed, 102]))


def of_loops(data: Path, rng: np.random.Generator) -> Iterator[tuple[str, int, list[Case]]]:
    """Patients of another recorder, amid muscle noise, and with hearts that stop."""
    muscle = nstdb(data)[2:].astype(np.float64)
    hearts = loops(data / "ludb", N_LOOPS, rng)
    single = [case.lead(0) for case in hearts]
    for title, cases in (("two leads", hearts), ("one lead", single)):
        noisy = [with_noise(case, [muscle], None, rng) for case in cases]
        yield f"LUDB amid muscle noise, {title}", TROUBLED, noisy
        yield f"LUDB, {STOPS}, {title}", STOPPED, [with_stops(case, muscle, rng) for case in cases]


def of_hand_held(data: Path, rng: np.random.Generator) -> Iterator[tuple[str, int, list[Case]]]:
    """Many patients of a hand-held recorder, as they are and amid muscle noise."""
    muscle = nstdb(data)[2:].astype(np.float64)
    cases = list(hand_held(data / "cinc2017", WORKERS))
    yield "hand-held", HAND_HELD, cases
    yield (
        "hand-held amid muscle noise",
        HAND_HELD_NOISY,
        [noisy(case, muscle, rng) for case in cases],
    )


def collect(data: Path, seed: int, judges: dict[int, Judge]) -> Rows:
    """Facts of the peaks that the detector judges, and whether they are beats.

    judges : for each fold that of its patients.
    """

    def of_fold(kind: int, cases: list[Case], fold: int) -> Rows:
        parts, weights = [], judges[fold].weights
        for case, (facts, at) in zip(cases, judged(cases, with_first(*judges[fold])), strict=True):
            is_beat, counts = labels(case, at)
            rng = np.random.default_rng([seed, case.patient, at.size])
            several = len(case.x_mv) > 1
            odds = evidence(facts, weights[int(several)])
            easy = np.where(is_beat, odds, -odds) > EASY
            kept = counts & (~easy | (rng.random(at.size) < EASY_SHARE))
            weight = np.where(easy, 1 / EASY_SHARE, 1.0).astype(np.float32)
            every = np.ones(at.size, np.int64)
            rows = Rows(
                facts, is_beat, weight, kind * every, case.patient * every, every == several
            )
            parts.append(rows[kept])
        return joined(parts)

    with ThreadPoolExecutor(WORKERS) as pool:
        running = []
        for _, kind, cases in work_list(data, seed):
            for fold in judges:
                own = [case for case in cases if fold_of(case.patient, len(judges)) == fold]
                running.append(pool.submit(of_fold, kind, own, fold))
        return joined([future.result() for future in running])


def fold_of(patient: int, n_folds: int) -> int:
    """The fold of a patient."""
    return patient % n_folds


def judged(
    cases: list[Case], models: Models, first: bool = False
) -> list[tuple[Floats, NDArray[np.float64]]]:
    """Facts [n, FACTS] and places (device samples) of all peaks judged, by case.

    models : those that find beats
    first : peaks judged before eight beats are known, else the later ones
    """
    fs_hz, n_leads = cases[0].fs_hz, len(cases[0].x_mv)
    bank, chunk = Bank(fs_hz, n_leads, len(cases)), int(CHUNK_S * fs_hz)
    longest = max(case.x_mv.shape[1] for case in cases)
    x = np.full((len(cases), n_leads, longest), np.nan, np.float32)
    for i, case in enumerate(cases):
        x[i, :, : case.x_mv.shape[1]] = case.x_mv
    qrs, seen = bank.state["head"]["qrs"], np.zeros(len(cases), np.int64)
    rows = tables(chunk, fs_hz, n_leads, len(cases))
    counts, sizes = np.zeros((len(cases), len(rows)), np.int64), np.full(len(cases), chunk)
    facts: list[list[Floats]] = [[] for _ in cases]
    places: list[list[float]] = [[] for _ in cases]
    heads, leads = bank.state["head"], bank.state["leads"]
    for begin in range(0, longest - chunk + 1, chunk):
        piece = np.ascontiguousarray(x[:, :, begin : begin + chunk])
        learning = qrs["n_beats"] < LEARNING_BEATS
        kernel.advance_all(heads, leads, piece, sizes, bank._work, models, (*rows, counts))
        for i in np.flatnonzero((qrs["n_judged"] != seen) & (learning == first)):
            facts[i].append(qrs["facts"][i].copy())
            places[i].append((float(qrs["judged_at"][i]) - DELAY) * fs_hz / ANALYSIS_HZ)
        seen = qrs["n_judged"].copy()
    return [
        (np.array(f, np.float32).reshape(-1, FACTS), np.array(p))
        for f, p in zip(facts, places, strict=True)
    ]


def labels(case: Case, at: NDArray[np.float64]) -> tuple[Bools, Bools]:
    """Which peaks are beats: of those near a true beat the nearest. And which count at all."""
    window = round(MATCH_S * case.fs_hz)
    marks = read_marks(case.truth, window)
    far = 1 << 40  # a case may have no beats
    beats = np.r_[-far, case.r_samples, far]
    near = np.clip(np.searchsorted(beats, at), 1, beats.size - 1)
    near = np.where(np.abs(beats[near] - at) < np.abs(beats[near - 1] - at), near, near - 1)
    away = np.abs(beats[near] - at)
    is_beat = np.zeros(at.size, np.bool_)
    for beat in np.unique(near[away <= window]):
        rivals = np.flatnonzero((near == beat) & (away <= window))
        is_beat[rivals[np.argmin(away[rivals])]] = True
    counts = np.array([not marks.in_fibrillation(int(place)) for place in at], np.bool_)
    if case.unsure.size:
        counts &= np.abs(at[:, None] - case.unsure).min(axis=1) > window
    return is_beat, counts


def evidence(facts: Floats, weights: Floats) -> Floats:
    """Log odds of peaks; the plain form of `detectors.judge.evidence`."""
    assert weights.size == N_WEIGHTS
    hidden = facts @ weights[:ADDED].reshape(FACTS, HIDDEN) + weights[ADDED:COUNTED]
    return np.maximum(hidden, 0) @ weights[COUNTED:LAST] + weights[LAST]
