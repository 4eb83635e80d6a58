"""Learn the weights of the judge of peaks; test them on patients held out; write them and a card.

    python -m training.judge            # all of it
    python -m training.judge --check    # the shipped weights on all records, and nothing written

What a detector sees depends on what it has decided before. So facts are collected with one judge,
another is fitted, and again (Ross et al. 2011, "A reduction of imitation learning and structured
prediction to no-regret online learning", AISTATS). The first judge is a rule: above half of the
height of the beats before (Hamilton 2002). Patients are in four folds. In every round the patients
of a fold are judged, and in the end tested, by what was learnt from the other folds alone.

A judge is a small network, and a forest that corrects it where it doubts: boosted trees that begin
from the network's log odds (Friedman 2001, "Greedy function approximation").
"""

from __future__ import annotations

import platform
import time
import warnings
from pathlib import Path

import lightgbm
import numpy as np
import sklearn
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from detectors.judge import ADDED, COUNTED, DOUBT, FIRST, LAST, N_WEIGHTS
from detectors.state import HIDDEN
from detectors.trees import MODELS, save, score
from detectors.weights import models
from training.capture import NOTHING
from training.forests import mean_of
from training.judge_card import Figures, tested, write_card
from training.judge_rows import (
    CLEAN,
    HAND_HELD,
    HAND_HELD_NOISY,
    SIMULATED,
    STOPPED,
    TROUBLED,
    Bools,
    Floats,
    Judge,
    Rows,
    collect,
    evidence,
    fold_of,
    joined,
)
from training.options import parser_of, records

FOLDS = 4
ROUNDS = 2  # after the one with the rule
WEIGHT = {CLEAN: 5.0, TROUBLED: 1.0, STOPPED: 3.0, SIMULATED: 2.0, HAND_HELD: 5.0,
          HAND_HELD_NOISY: 1.0}  # fmt: skip
SEED = 1
TEST_SEED = 77  # of the troubles in the test
STEPS = (12, 3e-3), (4, 1e-3), (4, 2e-4)  # times through all rows, and the rate of learning
TREES = 300
TREE = {
    "objective": "binary", "num_leaves": 24, "learning_rate": 0.05, "min_data_in_leaf": 100,
    "lambda_l2": 5.0, "feature_fraction": 0.5, "bagging_fraction": 0.5, "bagging_freq": 1,
    "boost_from_average": False, "seed": 1, "num_threads": 2, "deterministic": True,
    "force_row_wise": True, "verbose": -1,
}  # fmt: skip
DOUBTFUL = 2.0 * float(DOUBT)  # of such log odds peaks are shown to the forest
FIRST_HEIGHT = -1.0  # octaves: the rule's threshold
FIRST_SLOPE = 3.0  # its log odds an octave


def main() -> int:
    """Learn, test, write."""
    parser = parser_of(__doc__)
    parser.add_argument("--check", action="store_true", help="test the shipped weights only")
    parser.add_argument(
        "--rows", type=Path, metavar="FILE", help="keep the peaks there, to look at"
    )
    options = parser.parse_args()
    data, began = records(parser, options, "mitdb", "nstdb"), time.perf_counter()
    if options.check:
        networks, doubt = models().judges
        shipped = dict.fromkeys(range(FOLDS), Judge(networks[:FIRST], doubt))
        show("shipped weights", *tested(data, TEST_SEED, [shipped]))
        return 0
    rows = learn(data, began)
    if options.rows:
        np.savez(options.rows, **{name: getattr(rows, name) for name in Rows.__slots__})
    fold, everyone = folds(rows), np.ones(rows.is_beat.size, np.bool_)
    of_fold = {k: fit_both(rows, fold != k) for k in range(FOLDS)}
    odds = held_out_odds(rows, of_fold)
    chosen = {k: moved(of_fold[k], biases(rows[fold != k], odds[fold != k])) for k in of_fold}
    bias = biases(rows, odds)
    print(f"bias: {bias[0]:+.2f}, {bias[1]:+.2f}")
    judge = moved(fit_both(rows, everyone), bias)
    np.savez(MODELS / "judge.npz", weights=judge.weights)
    save(MODELS / "doubt.npz", {"doubt": judge.doubt})
    held_out, seen = tested(data, TEST_SEED, [chosen, dict.fromkeys(range(FOLDS), judge)])
    show("held out", held_out)
    show("written, on the patients that it has learnt from", seen)
    versions = {"sklearn": sklearn.__version__, "numpy": np.__version__,
                "lightgbm": lightgbm.__version__, "python": platform.python_version(),
                "trees": str(TREES), "doubt": f"{DOUBT:g}"}  # fmt: skip
    write_card(
        MODELS / "judge.md",
        rows,
        (held_out, seen),
        versions | {"bias": f"{bias[0]:+.2f} and {bias[1]:+.2f}", "folds": str(FOLDS)},
    )
    print(f"done in {time.perf_counter() - began:.0f} s")
    return 0


def learn(data: Path, began: float) -> Rows:
    """Rows of all patients, in every round collected by judges that learnt from others alone."""
    of_fold = dict.fromkeys(range(FOLDS), Judge(for_each(first_rule()), NOTHING))
    kept: list[Rows] = []
    for number in range(ROUNDS + 1):
        new = collect(data, SEED + number, of_fold)
        kept = [*kept, new][-ROUNDS:]  # the rule sees what no learnt judge meets
        rows = joined(kept)
        print(
            f"round {number}: {new.is_beat.size} peaks, {int(new.is_beat.sum())} beats, "
            f"{time.perf_counter() - began:.0f} s",
            flush=True,
        )
        if number < ROUNDS:
            fold = folds(rows)
            of_fold = {k: fit_both(rows, fold != k) for k in of_fold}
    return rows


def folds(rows: Rows) -> NDArray[np.int64]:
    """The fold of each row, by patient."""
    return np.array([fold_of(int(p), FOLDS) for p in rows.patient], np.int64)


def first_rule() -> Floats:
    """Weights that say: a beat, when above half of the height of the beats before."""
    return rule(FIRST_HEIGHT, FIRST_SLOPE, lowest=-5.0)


def rule(level: float, slope: float, lowest: float) -> Floats:
    """Weights that say: a beat, when fact 0 is above a level; log odds rise by `slope`.

    lowest : fact 0 is never less, so the one unit that is used is a straight line
    """
    weights = np.zeros(N_WEIGHTS, np.float32)
    weights[0] = slope
    weights[ADDED] = -slope * lowest
    weights[COUNTED] = 1.0
    weights[LAST] = slope * (lowest - level)
    return weights


def fit(rows: Rows, part: Bools) -> Floats:
    """Weights learnt from a part of the rows."""
    facts, is_beat = rows.facts[part], rows.is_beat[part]
    weight = rows.weight[part] * weight_of(rows[part])
    middle = np.average(facts, axis=0, weights=weight)
    spread = np.sqrt(np.average((facts - middle) ** 2, axis=0, weights=weight)) + 1e-6
    x = ((facts - middle) / spread).astype(np.float32)
    model = MLPClassifier(
        (HIDDEN,), alpha=1e-3, batch_size=512, tol=0.0, n_iter_no_change=99, random_state=0,
        warm_start=True,
    )  # fmt: skip
    warnings.simplefilter("ignore", ConvergenceWarning)  # so many rounds are all that is wanted
    for epochs, rate in STEPS:
        model.set_params(max_iter=epochs, learning_rate_init=rate)
        model.fit(x, is_beat, sample_weight=weight / weight.mean())
    w1 = model.coefs_[0] / spread[:, None]
    b1 = model.intercepts_[0] - middle @ w1
    parts = w1.ravel(), b1, model.coefs_[1].ravel(), model.intercepts_[1]
    return np.concatenate(parts).astype(np.float32)


def fit_both(rows: Rows, part: Bools) -> Judge:
    """A network, and the forest that corrects it, learnt from a part of the rows."""
    weights = for_each(fit(rows, part))
    own = rows[part]
    odds = evidence(own.facts, weights[0])
    middle = np.mean(biases(own, odds))
    doubtful = np.abs(odds + middle) < DOUBTFUL
    own, odds = own[doubtful], odds[doubtful]
    weight = own.weight * weight_of(own)
    data = lightgbm.Dataset(
        own.facts, own.is_beat, weight=weight / weight.mean(), init_score=odds.astype(np.float64)
    )
    booster = lightgbm.train(TREE, data, TREES)
    return moved(Judge(weights, mean_of([booster])), (middle, middle))


def weight_of(rows: Rows) -> NDArray[np.float64]:
    """What each row counts for by its kind."""
    return np.array([WEIGHT[k] for k in range(len(WEIGHT))])[rows.kind]


def both(judge: Judge, rows: Rows) -> Floats:
    """Log odds of each row by the network and, where it doubts, the forest."""
    odds = np.where(
        rows.several, evidence(rows.facts, judge.weights[1]), evidence(rows.facts, judge.weights[0])
    )
    for i in np.flatnonzero(np.abs(odds) < DOUBT):
        odds[i] += score(judge.doubt, rows.facts[i])
    return odds


def moved(judge: Judge, bias: tuple[float, float]) -> Judge:
    """The judge with other biases of one lead and of several."""
    weights = judge.weights.copy()
    weights[:, LAST] += np.array(bias, np.float32)
    return Judge(weights, judge.doubt)


def for_each(weights: Floats) -> Floats:
    """Weights for one lead and for several, [2, N_WEIGHTS]: the same ones, but for the bias.

    Learnt apart, each from its own rows, they did worse on patients held out.
    """
    return np.stack([weights, weights])


def biases(rows: Rows, odds: Floats) -> tuple[float, float]:
    """What to add to log odds of one lead, and of several.

    In records as they are, misses shall equal false beats; amid troubles there shall be half as
    many of them: of a beat that is missed in noise nothing is left to look at. The larger number.
    """
    one, several = (
        max(balance(rows[part], odds[part], CLEAN), balance(rows[part], odds[part], TROUBLED, 2.0))
        for part in (~rows.several, rows.several)
    )
    return one, several


def balance(rows: Rows, odds: Floats, kind: int = CLEAN, cost: float = 1.0) -> float:
    """What to add to log odds so that, in rows of a kind, false beats are `cost` times misses."""
    here = rows.kind == kind
    odds, is_beat, weight = odds[here], rows.is_beat[here], rows.weight[here]
    order = np.argsort(odds, kind="stable")
    missed = np.cumsum(np.where(is_beat, weight, 0.0)[order])  # threshold just above each
    made_up = np.where(is_beat, 0.0, weight)[order]
    made_up = made_up.sum() - np.cumsum(made_up)
    return -float(odds[order][np.argmin(np.abs(cost * missed - made_up))])


def held_out_odds(rows: Rows, of_fold: dict[int, Judge]) -> Floats:
    """Log odds of each row by the judge that has not learnt from its patient."""
    odds, fold = np.zeros(rows.is_beat.size, np.float32), folds(rows)
    for k, judge in of_fold.items():
        odds[fold == k] = both(judge, rows[fold == k])
    return odds


def show(title: str, figures: Figures) -> None:
    """Print figures."""
    print(f"\n{title}\n")
    for name, row in figures.items():
        print(f"{name:45s} {row.line()}", flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
