"""Train the record label (N, A, O, ~) on Challenge 2017; cross-validate it by record."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
from numpy.typing import NDArray

from archive.find import find_records
from archive.read import read_record
from detectors.label import LABELS, feature_names, r_peaks, vector, watch
from detectors.label_features import features
from detectors.trees import MODELS, Forest, from_nested, save, score
from training.forests import trees_of
from training.options import parser_of, records
from training.rhythm_cards import write
from training.streams import FOLDS, fold

SEEDS = (1, 2, 3)  # their mean votes: forests of different seeds err differently
ROUNDS = 250
PARAMETERS = {
    "objective": "multiclass",
    "num_class": len(LABELS),
    "num_leaves": 12,
    "learning_rate": 0.05,
    "min_data_in_leaf": 15,
    "feature_fraction": 0.1,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "lambda_l2": 10.0,
    "verbose": -1,
    "num_threads": 1,
    "deterministic": True,
}


def measure(folder: Path) -> tuple[list[str], NDArray[np.float32], NDArray[np.int64]]:
    """Names, features and labels of all records."""
    truth = dict(
        row.split(",") for row in (folder / "cinc2017" / "REFERENCE.csv").read_text().split()
    )
    names, rows = [], []
    for path in find_records([folder / "cinc2017"]):
        record = read_record(path)
        signal, found, windows = watch(record.x_mv[:1], record.fs_hz)
        rows.append(vector(features(signal, found, r_peaks(found, record.fs_hz), windows)))
        names.append(record.name)
    return names, np.stack(rows), np.array([LABELS.index(truth[n]) for n in names])


def fit(x: NDArray[np.float32], y: NDArray[np.int64]) -> dict[str, Forest]:
    """A forest a label."""
    data = lightgbm.Dataset(x, y)
    nested = trees_of([lightgbm.train(PARAMETERS | {"seed": s}, data, ROUNDS) for s in SEEDS])
    # each round adds a tree for each label in turn
    return {label: from_nested(nested[i :: len(LABELS)]) for i, label in enumerate(LABELS)}


def report(y: NDArray[np.int64], said: NDArray[np.int64]) -> dict[str, Any]:
    """F1 of each label and the mean of N, A and O, as the challenge counts; the table."""
    table = np.zeros((len(LABELS), len(LABELS)), np.int64)
    np.add.at(table, (y, said), 1)
    f1 = 2 * np.diag(table) / (table.sum(axis=0) + table.sum(axis=1))
    figures = {f"F1 {label}": round(float(v), 4) for label, v in zip(LABELS, f1, strict=True)}
    return figures | {"mean F1 of N, A, O": round(float(f1[:3].mean()), 4), "table": table.tolist()}


def card(figures: dict[str, Any]) -> None:
    """Write the card."""
    table = figures.pop("table")
    rows = ["| figure | value |", "|---|---|", *(f"| {k} | {v} |" for k, v in figures.items())]
    rows += ["", "| of, told as | N | A | O | ~ |", "|---|---|---|---|---|"]
    rows += [
        f"| {label} | {' | '.join(map(str, row))} |"
        for label, row in zip(LABELS, table, strict=True)
    ]
    write(
        "label",
        "Label of a record",
        f"PhysioNet/CinC Challenge 2017: records of 9 to 61 s from a hand-held device, "
        f"{sum(map(sum, table))} of them,\n{len(feature_names())} features.",
        rows,
        "O gathers whatever is neither normal nor fibrillation; labels of the database "
        "contradict each\n"
        "other there (Clifford et al. 2017), and N and O are confused most.",
    )


def cross_validate(
    x: NDArray[np.float32], y: NDArray[np.int64], folds: NDArray[np.int64]
) -> dict[str, Any]:
    """Figures of records in forests that were trained on the other folds."""
    votes = np.zeros((len(y), len(LABELS)))
    for k in range(folds.max() + 1):
        forests = fit(x[folds != k], y[folds != k])
        for i in np.flatnonzero(folds == k):
            votes[i] = [score(forests[label], x[i]) for label in LABELS]
    return report(y, votes.argmax(axis=1))


def main() -> None:
    """Train, cross-validate, write; or only show how far the figures hang on the folds."""
    parser = parser_of(__doc__)
    parser.add_argument("--splits", type=int, default=0, help="random splits; nothing is written")
    args = parser.parse_args()
    names, x, y = measure(records(parser, args, "cinc2017"))
    for seed in range(args.splits):
        folds = np.random.default_rng(seed).permutation(len(y)) % FOLDS
        print(f"split {seed}: {cross_validate(x, y, folds)}", flush=True)
    if not args.splits:
        card(cross_validate(x, y, np.array([fold(name) for name in names])))
        save(MODELS / "label.npz", fit(x, y))


if __name__ == "__main__":
    main()
