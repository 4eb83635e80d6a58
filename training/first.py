"""Learn the weights for first beats; test them on patients held out; write them and a card.

    python -m training.first            # all of it
    python -m training.first --check    # the shipped weights on cold starts, and nothing written

As for the judge of later peaks (`training.judge`), facts are collected with one set of weights,
another is fitted, and again. The first one is a rule: a peak is a beat that stands out of the mean
feature. Patients are in folds, each tested with weights learnt from the other folds alone.
"""

from __future__ import annotations

import platform
import time
from pathlib import Path

import numpy as np
import sklearn

from archive.evaluate import BeatTable, compare
from detectors.judge import FIRST
from detectors.trees import MODELS
from detectors.weights import Models, models
from ecg import Annotations
from training.capture import only
from training.first_card import write_card
from training.judge import fit, rule, show
from training.judge_card import Figures, detected, pooled
from training.judge_cases import Case
from training.judge_rows import TROUBLED, Floats, Rows, fold_of, joined, judged, labels
from training.options import parser_of, records
from training.starts import sources

FOLDS = 5
ROUNDS = 2  # after the one with the rule
SEED, TEST_SEED = 11, 87
SCORED_FROM_S = 2.0
FIRST_LEVEL = 1.5  # octaves above the mean: the rule's threshold
FIRST_SLOPE = 3.0  # its log odds an octave
WEIGHT = {"both leads": 3.0, "lead 1": 3.0, "lead 2": 1.0, "simulated": 2.0, "no heart": 1.5,
          "LUDB": 1.5}  # fmt: skip
OTHER_WEIGHT = 0.4  # of each set with troubles

Weights = dict[int, Floats]


def main() -> int:
    """Learn, test, write."""
    parser = parser_of(__doc__)
    parser.add_argument("--check", action="store_true", help="test the shipped weights only")
    options = parser.parse_args()
    data, began = records(parser, options, "mitdb", "nstdb"), time.perf_counter()
    if options.check:
        shipped = dict.fromkeys(range(FOLDS), models().judges.networks[FIRST])
        show("shipped weights", *tested(data, TEST_SEED, [shipped]))
        return 0
    rows = learn(data, began)
    fold = folds(rows)
    of_fold = {k: fit(rows, fold != k) for k in range(FOLDS)}
    weights = fit(rows, np.ones(rows.is_beat.size, np.bool_))
    np.savez(MODELS / "first.npz", weights=weights)
    written = dict.fromkeys(range(FOLDS), weights)
    held_out, seen = tested(data, TEST_SEED, [of_fold, written])
    show("held out", held_out)
    show("written weights, on the patients that they were learnt from", seen)
    versions = {"sklearn": sklearn.__version__, "numpy": np.__version__,
                "python": platform.python_version(), "folds": str(FOLDS)}  # fmt: skip
    write_card(MODELS / "first.md", rows, (held_out, seen), versions)
    print(f"done in {time.perf_counter() - began:.0f} s")
    return 0


def learn(data: Path, began: float) -> Rows:
    """Peaks of cold starts; in every round a patient meets weights learnt from others alone."""
    of_fold = dict.fromkeys(range(FOLDS), first_rule())
    kept: list[Rows] = []
    for number in range(ROUNDS + 1):
        new = collect(data, SEED + number, of_fold)
        kept = [*kept, new][-ROUNDS:]  # the rule sees what no learnt judge meets
        rows = joined(kept)
        fold = folds(rows)
        if number < ROUNDS:
            of_fold = {k: fit(rows, fold != k) for k in of_fold}
        print(
            f"round {number}: {new.is_beat.size} peaks, {int(new.is_beat.sum())} beats, "
            f"{time.perf_counter() - began:.0f} s",
            flush=True,
        )
    return rows


def first_rule() -> Floats:
    """Weights that say: a beat, when well above the mean of the feature."""
    return rule(FIRST_LEVEL, FIRST_SLOPE, lowest=-6.0)


def collect(data: Path, seed: int, weights: Weights) -> Rows:
    """Facts of the peaks judged before eight beats are known, and whether they are beats."""
    shipped, parts = models().judges, []
    later = shipped.networks[:FIRST]
    for name, cases in sources(data, seed):
        found = []
        for fold, first in weights.items():
            own = [case for case in cases if fold_of(case.patient, len(weights)) == fold]
            both = only(np.vstack([later, first]), shipped.doubt)
            for case, (facts, at) in zip(own, judged(own, both, first=True), strict=True):
                is_beat, counts = labels(case, at)
                every = np.ones(at.size, np.int64)
                one = Rows(
                    facts, is_beat, every.astype(np.float32), TROUBLED * every,
                    case.patient * every, every == (len(case.x_mv) > 1),
                )  # fmt: skip
                found.append(one[counts])
        rows = joined(found)
        rows.weight[:] = weight_of(name) * 1e4 / max(rows.is_beat.size, 1)
        parts.append(rows)
    return joined(parts)


def weight_of(name: str) -> float:
    """What a set counts for, all its peaks together."""
    return WEIGHT.get(name, WEIGHT.get(name.split(",")[0], OTHER_WEIGHT))


def folds(rows: Rows) -> np.ndarray:  # type: ignore[type-arg]
    """The fold of each row, by patient."""
    return np.array([fold_of(int(p), FOLDS) for p in rows.patient], np.int64)


def tested(data: Path, seed: int, choices: list[Weights]) -> list[Figures]:
    """The whole detector on cold starts, with each choice of weights for the patients of a fold."""
    found: list[Figures] = [{} for _ in choices]
    later, doubt = models().judges.networks[:FIRST], models().judges.doubt
    for name, cases in sources(data, seed):
        for figures, weights in zip(found, choices, strict=True):
            both = {k: only(np.vstack([later, first]), doubt) for k, first in weights.items()}
            figures[name] = pooled(
                [table_of(case, both[fold_of(case.patient, len(weights))]) for case in cases]
            )
    return found


def table_of(case: Case, models: Models) -> BeatTable:
    """A cold start against its reference."""
    beats = detected(case, models)
    marks = Annotations(beats, ("N",) * beats.size, ("",) * beats.size)
    return compare(case.truth, marks, case.fs_hz, case.x_mv.shape[1], learning_s=SCORED_FROM_S)


if __name__ == "__main__":
    raise SystemExit(main())
