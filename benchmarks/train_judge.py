"""Learn the weights of the judge of peaks, and write them into detectors/models/judge.npz.

    python -m benchmarks.train_judge --collect facts.npz     facts of all peaks that are judged now
    python -m benchmarks.train_judge --fit facts.npz         cross-validate by patient, then write

What a detector sees depends on what it has decided before. So facts are collected with the judge
as it is, weights are fitted, and both are done again until nothing changes (two or three rounds;
Ross et al. 2011, "A reduction of imitation learning", AISTATS). Compare with docs/qrs.md, step 7.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.neural_network import MLPClassifier

from archive.evaluate import MATCH_S
from archive.find import find_records
from archive.marks import read_marks
from archive.read import read_annotations, read_record
from benchmarks.judge_cases import (
    Case,
    electrode_noise,
    simulated,
    with_jumps,
    with_noise,
    with_stops,
)
from benchmarks.noise import read_noise
from detectors import Bank, kernel
from detectors.analyzer import forests, tables
from detectors.state import HIDDEN
from dsp.filters import DELAY
from dsp.resample import ANALYSIS_HZ

MODEL = Path(__file__).parent.parent / "detectors" / "models" / "judge.npz"
CLEAN_WEIGHT = 3.0  # of a peak in a record as it is, in lead 1 or both
BEAT_WEIGHT = 1.4  # of a beat amid troubles: to miss one is worse than to find one too many
TROUBLED_S = 900.0  # of a record with troubles
CHUNK_S = 0.1  # shorter than the wait between two judgements: none is overlooked
N_SIMULATED = 26

Work = tuple[float, list[Case]]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--collect", type=Path, metavar="FILE")
    parser.add_argument("--fit", type=Path, metavar="FILE")
    parser.add_argument("--seed", type=int, default=1, help="of the troubles")
    options = parser.parse_args()
    if options.collect:
        collect(Path(os.environ["TELERHYTHM_DATA"]), options.seed, options.collect)
    if options.fit:
        stored = np.load(options.fit)
        fit(*(stored[name] for name in ("facts", "is_beat", "weight", "patient")))
    return 0


def work_list(data: Path, seed: int) -> Iterator[tuple[str, Callable[[], Work]]]:
    """All sets of cases, made when they are wanted."""
    paths = find_records([data / "mitdb"])
    records = [(read_record(path), read_annotations(path)) for path in paths]
    both = [Case(i, r.x_mv, r.fs_hz, truth) for i, (r, truth) in enumerate(records)]
    muscle, wander = (read_noise(data / "nstdb" / kind) for kind in ("ma", "bw"))

    def plain(lead: int | None, weight: float) -> Work:
        return weight, both if lead is None else [case.lead(lead) for case in both]

    def troubled(trouble: Callable[..., Case], lead: int | None, number: int) -> Work:
        rng = np.random.default_rng([seed, number])
        cases = [trouble(case, rng=rng).until(TROUBLED_S) for case in both]
        return 1.0, cases if lead is None else [case.lead(lead) for case in cases]

    def skin(case: Case, ratio_db: float | None, rng: np.random.Generator) -> Case:
        noise = electrode_noise(case.x_mv.shape[1], case.fs_hz, rng)
        return with_noise(case, [noise], ratio_db, rng)

    def hearts(lead: int | None, number: int) -> Work:
        rng = np.random.default_rng([seed, number])
        cases = [simulated(1000 + i, rng) for i in range(N_SIMULATED)]
        return 1.0, cases if lead is None else [case.lead(lead) for case in cases]

    yield "both leads", partial(plain, None, CLEAN_WEIGHT)
    yield "lead 1", partial(plain, 0, CLEAN_WEIGHT)
    yield "lead 2", partial(plain, 1, 1.0)
    troubles: list[tuple[str, Callable[..., Case], tuple[int | None, ...]]] = [
        ("muscle 6 dB", partial(with_noise, noises=[muscle], ratio_db=6.0), (None, 0)),
        ("muscle 12 dB", partial(with_noise, noises=[muscle], ratio_db=12.0), (0,)),
        ("muscle -6 to 8 dB", partial(with_noise, noises=[muscle], ratio_db=None), (None,)),
        ("all -6 to 8 dB", partial(with_noise, noises=[muscle, wander], ratio_db=None), (None,)),
        ("electrode 6 dB", partial(skin, ratio_db=6.0), (None,)),
        ("electrode -6 to 8 dB", partial(skin, ratio_db=None), (0,)),
        ("jumps of height", with_jumps, (None, 0)),
        ("hearts that stop", partial(with_stops, noise=muscle), (None, 0)),
    ]
    number = 0
    for name, trouble, leads in troubles:
        for lead in leads:
            number += 1
            yield f"{name}, lead {lead}", partial(troubled, trouble, lead, number)
    yield "simulated, both leads", partial(hearts, None, 100)
    yield "simulated, lead 1", partial(hearts, 0, 101)


def collect(data: Path, seed: int, target: Path) -> None:
    """Facts of every peak that the detector judges, and whether it was a beat."""
    columns: list[list[NDArray[Any]]] = [[], [], [], []]
    for name, make in work_list(data, seed):
        began = time.perf_counter()
        weight, cases = make()
        for case, (facts, at) in zip(cases, judged(cases), strict=True):
            is_beat, counts = labels(case, at)
            columns[0].append(facts[counts])
            columns[1].append(is_beat[counts])
            columns[2].append(np.full(counts.sum(), weight, np.float32))
            columns[3].append(np.full(counts.sum(), case.patient, np.int64))
        print(f"{name}: {time.perf_counter() - began:.0f} s", flush=True)
    facts, is_beat, weights, patient = (np.concatenate(column) for column in columns)
    np.savez(target, facts=facts, is_beat=is_beat, weight=weights, patient=patient)


def judged(cases: list[Case]) -> list[tuple[NDArray[np.float32], NDArray[np.float64]]]:
    """Facts [n, n_facts] and places (device samples) of all peaks judged, by case."""
    fs_hz, n_leads = cases[0].fs_hz, len(cases[0].x_mv)
    bank, chunk = Bank(fs_hz, n_leads, len(cases)), int(CHUNK_S * fs_hz)
    longest = max(case.x_mv.shape[1] for case in cases)
    x = np.full((len(cases), n_leads, longest), np.nan, np.float32)
    for i, case in enumerate(cases):
        x[i, :, : case.x_mv.shape[1]] = case.x_mv
    qrs, seen = bank.state["head"]["qrs"], np.zeros(len(cases), np.int64)
    rows = tables(chunk, fs_hz, n_leads, len(cases))
    counts, sizes = np.zeros((len(cases), 4), np.int64), np.full(len(cases), chunk)
    facts: list[list[NDArray[np.float32]]] = [[] for _ in cases]
    places: list[list[float]] = [[] for _ in cases]
    for begin in range(0, longest - chunk + 1, chunk):
        piece = np.ascontiguousarray(x[:, :, begin : begin + chunk])
        heads, leads = bank.state["head"], bank.state["leads"]
        tables_ = (*rows, counts)
        kernel.advance_all(heads, leads, piece, sizes, bank._work, tables_, forests())
        for i in np.flatnonzero(qrs["n_judged"] != seen):
            facts[i].append(qrs["facts"][i].copy())
            places[i].append((float(qrs["judged_at"][i]) - DELAY) * fs_hz / ANALYSIS_HZ)
        seen = qrs["n_judged"].copy()
    return [(np.array(f), np.array(p)) for f, p in zip(facts, places, strict=True)]


def labels(case: Case, at: NDArray[np.float64]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which peaks are beats: of those near a true beat the nearest. And which count at all."""
    window = round(MATCH_S * case.fs_hz)
    marks = read_marks(case.truth, window)
    beats = case.r_samples
    near = np.clip(np.searchsorted(beats, at), 1, beats.size - 1)
    near = np.where(np.abs(beats[near] - at) < np.abs(beats[near - 1] - at), near, near - 1)
    away = np.abs(beats[near] - at)
    is_beat = np.zeros(at.size, np.bool_)
    for beat in np.unique(near[away <= window]):
        rivals = np.flatnonzero((near == beat) & (away <= window))
        is_beat[rivals[np.argmin(away[rivals])]] = True
    counts = np.array([not marks.in_fibrillation(int(place)) for place in at], np.bool_)
    return is_beat, counts


def fit(
    facts: NDArray[np.float32],
    is_beat: NDArray[np.bool_],
    weight: NDArray[np.float32],
    patient: NDArray[np.int64],
) -> None:
    """Cross-validate between halves of the patients, then fit on all and write the weights."""
    clean = weight == CLEAN_WEIGHT
    weight = np.where(is_beat & ~clean, BEAT_WEIGHT * weight, weight)
    middle, spread = facts.mean(axis=0), facts.std(axis=0) + 1e-6
    x = ((facts - middle) / spread).astype(np.float32)
    print("| learnt on | told on | peaks | missed | too many |\n|---|---|---|---|---|")
    for half in (0, 1):
        own = patient % 2 == half
        model = _train(x[own], is_beat[own], weight[own])
        for name, part in (("clean", clean & ~own), ("troubled", ~clean & ~own)):
            found, truth = model.predict(x[part]), is_beat[part]
            missed, extra = int((truth & ~found).sum()), int((found & ~truth).sum())
            print(f"| half {half} | other half, {name} | {truth.size} | {missed} | {extra} |")
    model = _train(x, is_beat, weight)
    w1 = model.coefs_[0].T / spread
    np.savez(
        MODEL,
        # in the order of use: the hidden units of one fact lie side by side
        w1=np.ascontiguousarray(w1.T, np.float32),
        b1=np.asarray(model.intercepts_[0] - w1 @ middle, np.float32),
        out=np.asarray(model.coefs_[1].ravel(), np.float32),
        b2=np.float32(model.intercepts_[1][0]),
    )


def _train(
    x: NDArray[np.float32], is_beat: NDArray[np.bool_], weight: NDArray[np.float32]
) -> MLPClassifier:
    model = MLPClassifier(
        (HIDDEN,), alpha=1e-3, batch_size=1024, max_iter=30, learning_rate_init=3e-3, random_state=0
    )
    return model.fit(x, is_beat, sample_weight=weight)


if __name__ == "__main__":
    raise SystemExit(main())
