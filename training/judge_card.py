"""The whole detector on patients, and the card of the judge's weights."""

from __future__ import annotations

import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from archive.evaluate import BeatTable, compare, total
from detectors import Analyzer, kernel
from detectors.analyzer import FINISH_S, tables
from detectors.facts import N_FACTS
from detectors.weights import Models
from ecg import Annotations
from training.capture import with_first
from training.hand_held import FIRST_PATIENT as FIRST_HAND_HELD
from training.judge_cases import Case
from training.judge_rows import (
    CLEAN,
    FIRST_SIMULATED,
    HAND_HELD,
    HAND_HELD_NOISY,
    SIMULATED,
    STOPPED,
    TROUBLED,
    WORKERS,
    Judge,
    Rows,
    fold_of,
    records,
    troubles,
)
from training.loops import FIRST_PATIENT as FIRST_LOOPED

TESTED_S = 900.0  # of a record with troubles
TESTED = (
    "muscle 6 dB", "muscle 12 dB", "electrode -6 to 8 dB",
    "jumps of height", "hearts that stop", "runs out of the ventricles",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Figure:
    """Beats found, missed and made up, EC57 from minute 5, pooled."""

    n: int
    missed: int
    extra: int

    @property
    def se(self) -> float:
        """Sensitivity, %."""
        return 100 * (1 - self.missed / self.n) if self.n else math.nan

    @property
    def ppv(self) -> float:
        """Positive predictivity, %."""
        found = self.n - self.missed
        return 100 * found / (found + self.extra) if found + self.extra else math.nan

    def line(self) -> str:
        """As text."""
        return (
            f"Se {self.se:.3f} +P {self.ppv:.3f} missed {self.missed} extra {self.extra} "
            f"of {self.n}"
        )


Figures = dict[str, Figure]


def tested(data: Path, seed: int, choices: list[dict[int, Judge]]) -> list[Figures]:
    """The whole detector on all records, with each choice of judges for the patients of a fold."""
    found: list[Figures] = [{} for _ in choices]
    with ThreadPoolExecutor(WORKERS) as pool:
        for name, cases in test_sets(data, seed):
            for figures, judges in zip(found, choices, strict=True):
                own = [with_first(*judges[fold_of(c.patient, len(judges))]) for c in cases]
                figures[name] = pooled(list(pool.map(table_of, cases, own)))
    return found


def test_sets(data: Path, seed: int) -> Iterator[tuple[str, list[Case]]]:
    """Records as they are, and with troubles drawn anew."""
    both = records(data)
    yield "lead 1", [case.lead(0) for case in both]
    yield "both leads", both
    yield "lead 2", [case.lead(1) for case in both]
    for i, name in enumerate(TESTED):
        for n_leads, title in ((2, "both leads"), (1, "lead 1")):
            trouble = partial(troubles(data)[name][0], rng=np.random.default_rng([seed, i]))
            heads = [replace(case, x_mv=case.x_mv[:n_leads]).until(TESTED_S) for case in both]
            yield f"{name}, {title}", [trouble(case) for case in heads]


def pooled(parts: list[BeatTable]) -> Figure:
    """Counts of all records together."""
    counts = total(parts).counts
    right = int(counts[:5, :5].sum())
    n = int(counts[:5].sum())
    return Figure(n, n - right, int(counts[:, :5].sum()) - right)


def table_of(case: Case, models: Models) -> BeatTable:
    """A record against its reference."""
    beats = detected(case, models)
    marks = Annotations(beats, ("N",) * beats.size, ("",) * beats.size)
    return compare(case.truth, marks, case.fs_hz, case.x_mv.shape[1])


def detected(case: Case, models: Models) -> NDArray[np.int64]:
    """R peaks that the streaming kernel finds."""
    x_mv, fs_hz = case.x_mv, case.fs_hz
    analyzer = Analyzer(fs_hz, tuple("ECG" for _ in x_mv))
    end = np.full((len(x_mv), int((FINISH_S + 1.0) * fs_hz)), np.nan, np.float32)
    x = np.ascontiguousarray(np.hstack([x_mv, end]), np.float32)
    rows = tuple(t[0] for t in tables(x.shape[1], fs_hz, len(x), 1))
    counts, no_facts = np.zeros(len(rows), np.int64), np.empty((0, N_FACTS), np.float32)
    heads, leads = analyzer.state["head"], analyzer.state["leads"]
    kernel.advance_one(heads, leads, x, analyzer._work, models, (*rows, no_facts), counts)
    beats = np.sort(rows[0]["sample"][: counts[0]])
    return np.asarray(beats[beats < x_mv.shape[1]], np.int64)


_TOP = """# Judge of peaks (`judge.npz`, `doubt.npz`)

Written by `make train` (`python -m training.judge`); do not edit.

A network of 24 facts about a peak, 16 units and one output, the log odds that the peak is a beat
(`detectors/judge.py`; the facts are listed in docs/qrs.md, step 7); the file has it twice, for a
single lead and for several, which differ in one number. Where its log odds are within ±{doubt},
those of {trees} boosted trees are added, which were trained from the network's log odds on.
scikit-learn {sklearn}, LightGBM {lightgbm}, numpy {numpy}, Python {python}.

## Data

MIT-BIH Arrhythmia Database, {n_patients} records: both leads and lead 1 whole; lead 2, and the
following troubles, drawn at random, in the first 10 minutes: muscle noise and baseline wander of
the MIT-BIH Noise Stress Test Database (both databases: PhysioNet, ODC-By 1.0), simulated electrode
motion, heights that jump by a factor of 0.2 to 3, leads that fall off, hearts that stop above
noise or P waves, runs of wide smooth beats; {n_simulated} simulated patients (`dsp.synth`);
{n_loops} records of the Lobachevsky University Database (PhysioNet, ODC-By 1.0), 10 s repeated to
minutes, amid muscle noise and with hearts that stop; and {n_hand_held} records of PhysioNet's
Challenge 2017 (ODC-By 1.0), as they are and amid muscle noise, whose beats are those that three of
four other detectors see (`training/hand_held.py`). No signal is contained.
What is learnt from are facts of peaks that the detector judges, in
ventricular fibrillation none; labels from the reference annotations, 150 ms.

| set | peaks learnt from | of them beats |
|---|---|---|
"""

_HOW = """
Peaks are collected in rounds: by a rule first (above half of the beats' height), then by what was
learnt from the round before; the last two rounds are kept, and few of the easy peaks. Records as
they are weigh 5 (hand-held ones, too), hearts that stop 3 (a false beat there hides a standstill),
simulated patients 2, others 1.

**Operating point.** The log odds are moved by one number ({bias}: one lead, several), so that on
records as they are, by judges that have not learnt from the patient, as many peaks that are beats
are missed as others are taken for beats, or by the larger number that makes it half as many amid
troubles: of a beat that is missed in noise nothing is left to look at. For the held-out figures
it is chosen on the patients of the other folds.

## Figures

The whole streaming detector, ANSI/AAMI EC57 from minute 5, pooled. **Held out**: {folds} folds of
patients, each judged by weights learnt from the other folds alone.
**Written**: the weights in the file, on the patients that they were learnt from:
what they do on others is nearer to held out. Troubles (first 15 minutes of each record) are drawn
anew, noise from the same noise records.

| | held out Se % | +P % | missed | too many | written Se % | +P % | missed | too many |
|---|---|---|---|---|---|---|---|---|
"""

_LIMITS = """
## Limits

- 26 patients of one recorder, and seconds of others. All else in the detector was made with these
  records in view, too.
- Runs of ventricular beats, stops and jumps are made up: real ones differ.
- One lead with low beats (lead 2 of record 101 and of others) does far worse than two.
- Not for telling classes of beats; signals of other species; fetal ECG.
"""


def write_card(
    path: Path, rows: Rows, figures: tuple[Figures, Figures], facts: dict[str, str]
) -> None:
    """Write the card beside the weights; figures held out, and those of the weights written."""
    numbers = np.unique(rows.patient[rows.patient < FIRST_SIMULATED])
    hand_held = np.unique(rows.patient[rows.patient >= FIRST_HAND_HELD])
    looped = np.unique(
        rows.patient[(rows.patient >= FIRST_LOOPED) & (rows.patient < FIRST_HAND_HELD)]
    )
    simulated = np.unique(rows.patient[rows.kind == SIMULATED])
    text = [
        _TOP.format(
            n_patients=numbers.size,
            n_simulated=simulated.size,
            n_loops=looped.size,
            n_hand_held=hand_held.size,
            **facts,
        )
    ]
    names = {
        CLEAN: "records as they are",
        TROUBLED: "with troubles",
        STOPPED: "hearts that stop",
        SIMULATED: "simulated",
        HAND_HELD: "hand-held",
        HAND_HELD_NOISY: "hand-held amid noise",
    }
    for kind, name in names.items():
        here = rows.kind == kind
        text.append(f"| {name} | {int(here.sum())} | {int(rows.is_beat[here].sum())} |\n")
    text.append(_HOW.format(**facts))
    for name, held_out in figures[0].items():
        cells = [
            f"{f.se:.3f} | {f.ppv:.3f} | {f.missed} | {f.extra}"
            for f in (held_out, figures[1][name])
        ]
        text.append(f"| {name} | {' | '.join(cells)} |\n")
    text.append(_LIMITS)
    path.write_text("".join(text), encoding="utf-8")
