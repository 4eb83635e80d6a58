"""Verification of alarms: score, cross-validated by record, on the Challenge 2015 records."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from alerts.verify import KINDS, Limits, Verdict, verify
from archive.alarms import ALARM_S, read_alarm
from archive.find import find_records
from archive.read import read_annotations, read_record
from benchmarks.machine import describe
from detectors.lookback import look_back
from ecg import Annotations
from ecg.clock import NS
from ecg.codes import AAMI_CLASS, BEAT_CODES
from ecg.evidence import LeadView, PulseView
from telerhythm.verify import LOOK_BACK_S, views

FOLDS, REPEATS = 5, 20
LEAST_GAIN = 2.0  # points on the other folds, for which a limit leaves its shipped value
SEEN_S = 120.0  # of the MIT-BIH records, before each time
# the limits that are chosen, by the kinds that they decide, each with its neighbours
GRID: dict[str, dict[str, tuple[float, ...]]] = {
    "Asystole": {"pause_s": (3.3, 3.5, 3.7), "hole_s": (3.0, 3.3, 3.6), "credible": (0.65, 0.75)},
    "Bradycardia": {"slow_bpm": (42.0, 45.0, 48.0), "credible": (0.65, 0.75, 0.85)},
    "Tachycardia": {
        "fast_bpm": (130.0, 135.0),
        "not_fast_bpm": (105.0, 115.0, 125.0),
        "credible": (0.65, 0.75, 0.85),
    },
    "Ventricular_Tachycardia": {
        "run_hole_s": (0.9, 1.2, 1.5),
        "agreement": (0.75, 0.81, 0.87),
        "credible": (0.65, 0.75, 0.85),
    },
    "Ventricular_Flutter_Fib": {"hole_s": (3.0, 3.3, 3.6), "not_oscillating": (0.55, 0.625, 0.7)},
}
SCORE_AT_LEAST = {"ECG and pulse": (81.4, 88.0), "ECG only": (75.0, 82.0)}


@dataclass(frozen=True, slots=True)
class Case:
    """One alarm and what the channels show."""

    name: str
    kind: str
    is_true: bool
    leads: list[LeadView]
    pulses: list[PulseView]
    alarm_ns: int


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wrong", action="store_true", help="list the alarms decided wrongly")
    options = parser.parse_args()
    print(describe("numba", "numpy"))
    data = os.environ.get("TELERHYTHM_DATA")
    if not data or not (Path(data) / "cinc2015").is_dir():
        print("\nNot measured: set TELERHYTHM_DATA to a folder that holds cinc2015.")
        return 0
    began = time.process_time()
    cases = list(read(Path(data) / "cinc2015"))
    taken_s = (time.process_time() - began) / len(cases)
    print(
        f"\n{len(cases)} alarms; score 100·(TP+TN)/(TP+TN+FP+5·FN), undecided counts as true. "
        f"Cross-validated: {FOLDS} folds of records, {REPEATS} times; of each fold the limits are "
        f"the shipped ones, or neighbours that score {LEAST_GAIN:g} points better on the other "
        "folds.\n"
    )
    print(
        "| channels | cross-validated | lowest, highest | as shipped | at least | aim |"
        "\n|---|---|---|---|---|---|"
    )
    tables = {}
    for title, with_pulse in (("ECG and pulse", True), ("ECG only", False)):
        scores = cross_validate(cases, with_pulse)
        tables[title] = verdicts(cases, Limits(), with_pulse)
        print(
            f"| {title} | {np.mean(scores):.1f} ± {np.std(scores):.1f} "
            f"| {np.min(scores):.1f}, {np.max(scores):.1f} "
            f"| {score(tables[title], truth(cases)):.1f} "
            f"| {SCORE_AT_LEAST[title][0]} | {SCORE_AT_LEAST[title][1]} |"
        )
    print_kinds(cases, tables)
    if (Path(data) / "mitdb").is_dir():
        elsewhere(Path(data) / "mitdb")
    print(f"\n{taken_s * 1e3:.0f} ms of one core a record: five minutes read, looked at, decided.")
    if options.wrong:
        print_wrong(cases)
    return 0


def read(folder: Path) -> Iterator[Case]:
    """The alarms of a folder whose headers say whether they were true."""
    for path in find_records([folder]):
        alarm = read_alarm(path)
        if alarm.is_true is None:
            continue
        record = alarm.ecg or alarm.pulse
        assert record is not None
        at = record.start_ns + round(min(ALARM_S, record.duration_s) * NS)
        yield Case(alarm.name, alarm.kind, alarm.is_true, *views(alarm), at)


def elsewhere(folder: Path) -> None:
    """Other patients, at times without the arrhythmia: how often is an alarm refuted?"""
    counts = {kind: dict.fromkeys(Verdict, 0) for kind in KINDS}
    for path in find_records([folder]):
        record, marks = read_record(path), read_annotations(path)
        for end in quiet_times(marks, record.fs_hz, record.n_samples):
            begin = max(0, end - round(SEEN_S * record.fs_hz))
            leads = look_back(record.x_mv[:, begin:end], record.fs_hz, record.leads, LOOK_BACK_S)
            alarm_ns = round((end - begin) / record.fs_hz * NS)
            for kind in KINDS:
                counts[kind][verify(kind, leads, [], alarm_ns).verdict] += 1
    n = sum(next(iter(counts.values())).values())
    print(
        f"\nThe MIT-BIH Arrhythmia Database, none of whose records was used to set a limit, at {n} "
        "times without the arrhythmia and without a pulse signal:\n\n| kind | refuted | undecided "
        "| held true |\n|---|---|---|---|"
    )
    for kind, of in counts.items():
        cells = [f"{100 * of[v] / n:.1f} %" for v in (Verdict.FALSE, Verdict.UNDECIDED)]
        print(f"| {kind.replace('_', ' ')} | {' | '.join(cells)} | {of[Verdict.TRUE]} |")


def quiet_times(marks: Annotations, fs_hz: float, n_samples: int) -> Iterator[int]:
    """Samples, 130 s apart, before which 15 s show 45 to 125/min, no pause, no run of three."""
    is_beat = np.array([symbol in BEAT_CODES for symbol in marks.symbol])
    at = marks.sample[is_beat] / fs_hz
    is_v = np.array([AAMI_CLASS.get(s) == "V" for s in marks.symbol])[is_beat]
    for end_s in np.arange(100.0, n_samples / fs_hz, 130.0):
        here = (at > end_s - 15) & (at < end_s)
        if here.sum() < 4:
            continue
        rr_s, v = np.diff(at[here]), is_v[here]
        runs = (v[2:] & v[1:-1] & v[:-2]).any()
        if 45 < 60 / np.median(rr_s) < 125 and rr_s.max() < 3 and not runs:
            yield round(end_s * fs_hz)


def truth(cases: Sequence[Case]) -> NDArray[np.bool_]:
    return np.array([case.is_true for case in cases])


def verdicts(cases: Sequence[Case], limits: Limits, with_pulse: bool) -> NDArray[np.bool_]:
    """Whether each alarm is let through."""
    return np.array(
        [
            verify(c.kind, c.leads, c.pulses if with_pulse else [], c.alarm_ns, limits).verdict
            is not Verdict.FALSE
            for c in cases
        ]
    )


def score(through: NDArray[np.bool_], is_true: NDArray[np.bool_]) -> float:
    """The Challenge's score."""
    right = int((through == is_true).sum())
    missed = int((~through & is_true).sum())
    return 100 * right / (right + int((through & ~is_true).sum()) + 5 * missed)


def cross_validate(cases: list[Case], with_pulse: bool) -> list[float]:
    """Scores of all records together, each decided with limits chosen without it."""
    is_true = truth(cases)
    kinds = np.array([case.kind for case in cases])
    through = np.zeros((REPEATS, len(cases)), bool)
    for kind, grid in GRID.items():
        mine = np.flatnonzero(kinds == kind)
        own = [cases[i] for i in mine]
        tried = [
            Limits(),
            *(
                replace(Limits(), **dict(zip(grid, v, strict=True)))
                for v in product(*grid.values())
            ),
        ]
        table = np.array([verdicts(own, limits, with_pulse) for limits in tried])
        for repeat in range(REPEATS):
            fold = folds(is_true[mine], np.random.default_rng([repeat, len(mine)]))
            for f in range(FOLDS):
                train = fold != f
                scores = [score(row[train], is_true[mine][train]) for row in table]
                best = int(np.argmax(scores))
                if scores[best] < scores[0] + LEAST_GAIN:
                    best = 0
                through[repeat, mine[~train]] = table[best, ~train]
    return [score(row, is_true) for row in through]


def folds(is_true: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.int64]:
    """The fold of each record, true and false alarms dealt apart."""
    fold = np.zeros(is_true.size, np.int64)
    for value in (False, True):
        members = rng.permutation(np.flatnonzero(is_true == value))
        fold[members] = (np.arange(members.size) + rng.integers(FOLDS)) % FOLDS
    return fold


def print_kinds(cases: list[Case], tables: dict[str, NDArray[np.bool_]]) -> None:
    print("\nBy kind, as shipped: true alarms kept, false alarms told.\n")
    print("| kind | " + " | ".join(f"{t}: kept | told" for t in tables) + " |")
    print("|---|" + "---|---|" * len(tables))
    kinds, is_true = np.array([case.kind for case in cases]), truth(cases)
    for kind in KINDS:
        mine = kinds == kind
        parts = [p for t in tables.values() for p in (t[mine & is_true], ~t[mine & ~is_true])]
        cells = [f"{part.sum()} of {part.size}" for part in parts]
        print(f"| {kind.replace('_', ' ')} | " + " | ".join(cells) + " |")


def print_wrong(cases: list[Case]) -> None:
    for title, with_pulse in (("ECG and pulse", True), ("ECG only", False)):
        print(f"\n{title}, decided wrongly:\n")
        for c in cases:
            found = verify(c.kind, c.leads, c.pulses if with_pulse else [], c.alarm_ns)
            if (found.verdict is not Verdict.FALSE) != c.is_true:
                print(f"- {c.name}, {'true' if c.is_true else 'false'}: {found.reason}")


if __name__ == "__main__":
    raise SystemExit(main())
