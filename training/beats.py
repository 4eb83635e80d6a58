"""Train the classifier of beats; cross-validate it by patient; write the model and its card.

    python -m training.beats            # about 5 minutes on one core
    python -m training.beats --no-model # cross-validation only

Two scores, each of forests of LightGBM: ventricular against all others, supraventricular against
normal ones. Their operating points are chosen on patients that were not trained on; figures are of
patients that neither chose nor trained. Facts that can only speak for or against are held to that
(monotone constraints), for 26 patients are few; each patient counts by a root of his beats, so that
none is learned by heart.
"""

from __future__ import annotations

import platform
import time
from pathlib import Path

import lightgbm
import numpy as np
from numpy.typing import NDArray

from archive.evaluate import BeatTable, compare, total
from archive.find import find_records
from archive.read import read_annotations, read_length
from detectors import trees
from detectors.classify import CERTAIN, DOUBTFUL, EXCLUDED, WITH_BEFORE, classify
from detectors.facts import F
from ecg import Annotations
from training.beat_rows import LEFT_OUT, NO_BEAT, STREAMS, N, Rows, S, V, gather
from training.card import write_card
from training.forests import mean_of
from training.options import parser_of, records

FOLDS = 7
POWER = 0.4  # a patient's beats of a class together weigh this power of their number
ROUNDS = {"ventricular": 110, "supraventricular": 60}  # docs/beats.md has the curve
SEEDS = 2  # forests of each score, of which the mean is taken
SETTINGS = {
    "objective": "binary", "num_leaves": 8, "max_depth": 5, "learning_rate": 0.08,
    "min_data_in_leaf": 40, "feature_fraction": 0.2, "bagging_fraction": 0.6, "bagging_freq": 1,
    "lambda_l2": 10.0,
    "max_bin": 63, "num_threads": 1, "deterministic": True,
    "force_col_wise": True, "verbose": -1,
}  # fmt: skip

# Facts of each score: 1 the more the likelier, -1 the less, 0 either way.
VENTRICULAR = {
    F.PRE_REF: 0, F.POST_REF: 0, F.PRE_MED: 0, F.PRE_PREV: 0, F.POST_PRE: 0, F.PAIR: 0,
    F.IRREGULAR: 0, F.IRREGULAR_NN: 0, F.DIST: 1, F.DIST_REL: 1, F.SCATTER: 0, F.CORR: -1,
    F.CORR_LOW: -1, F.CORR_HIGH: -1, F.FIRST_CORR: -1, F.FIRST_DIST: 1, F.GAIN: 0, F.GAIN_HIGH: 0,
    F.SPREAD_RATIO: 1, F.SPREAD_HIGH: 1, F.SLOPE_RATIO: 0, F.AREA_RATIO: 0, F.P_CORR: -1,
    F.T_CORR: -1, F.T_GAIN: 1, F.OWN_DIST: 0, F.KIND_DIST: 1, F.KIND_SPREAD: 1, F.PREV_DIST: 0,
    F.NEXT_DIST: 0, F.WITH_PREV: 0, F.WITH_NEXT: 0, F.NOISE: -1, F.P_REST: 0, F.P_SCATTER: -1,
}  # fmt: skip
SUPRAVENTRICULAR = {
    F.PRE_REF: -1, F.PRE_MED: -1, F.PRE_PREV: -1, F.PREV_MED: 0, F.POST_REF: 0, F.POST_PRE: 0,
    F.PAIR: 0, F.IRREGULAR: -1, F.IRREGULAR_NN: -1, F.RUN: 1, F.ONSET: -1, F.RUN_P: -1,
    F.RUN_DIST: -1, F.DIST: -1, F.P_CORR: -1, F.P_CORR_HIGH: -1, F.P_GAIN: 0, F.P_REST: 1,
    F.P_REL: 1, F.P_PATIENT: 0, F.KIND_EARLY: -1, F.PREV_DIST: -1, F.NEXT_DIST: 0, F.NOISE: -1,
}  # fmt: skip

# Share of the rows of a stream that are learned from: of N, of S, of V. Normal beats abound.
SHARE = {
    "both leads": (0.18, 1.0, 1.0), "first lead": (0.09, 0.7, 0.7), "second lead": (0.09, 0.5, 0.5),
    "noise 12 dB": (0.09, 0.5, 0.5), "noise 6 dB": (0.09, 0.4, 0.4),
    "first lead, noise": (0.06, 0.3, 0.3), "motion 6 dB": (0.09, 0.4, 0.4),
    "first lead, motion": (0.06, 0.3, 0.3), "other rate": (0.06, 0.3, 0.3),
    "cold starts": (0.15, 0.7, 0.7), "normal": (0.75, 0.0, 0.0), "fibrillation": (0.75, 0.0, 0.0),
    "made early": (0.15, 0.4, 0.0),
}  # fmt: skip
TESTED = ("both leads", "first lead", "second lead", "noise 6 dB", "motion 6 dB")
# What beats of other people and beats made early weigh together, against the normal beats of mitdb.
OTHERS = {
    "ventricular": {("normal", N): 0.2},
    "supraventricular": {
        ("normal", N): 0.2, ("fibrillation", N): 1.0,
        ("made early", N): 0.3, ("made early", S): 0.5,
    },
}  # fmt: skip
NO_BEAT_WEIGHT = 0.05  # what is no beat at all shall not teach much about those that are

# Operating points are sought there, as far as possible above these Se and +P.
GRID = np.arange(-1.5, 1.55, 0.1)
WANTED = {"ventricular": (0.95, 0.96), "supraventricular": (0.80, 0.70)}

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Classes = NDArray[np.str_]
Bools = NDArray[np.bool_]


def main() -> None:
    """Gather, cross-validate, train, write."""
    parser = parser_of(__doc__)
    parser.add_argument("--no-model", action="store_true", help="cross-validate only")
    parser.add_argument("--rows", type=Path, help="keep the gathered rows there, and take them")
    options = parser.parse_args()
    folder = records(parser, options, "mitdb", "nstdb", "cinc2017")
    began = time.perf_counter()
    rows = rows_of(folder, options.rows)
    print(
        f"{rows.label.size} beats of {len(STREAMS)} streams in {time.perf_counter() - began:.0f} s"
    )
    chosen = sample(rows)
    figures, shifts = cross_validate(rows, chosen, folder / "mitdb")
    if options.no_model:
        return
    forests = {name: export(fit(name, rows, chosen), name, shifts[name]) for name in FACTS}
    trees.save(trees.MODELS / "beats.npz", forests)
    versions = {"lightgbm": lightgbm.__version__, "numpy": np.__version__,
                "python": platform.python_version()}  # fmt: skip
    write_card(trees.MODELS / "beats.md", rows, chosen, figures, versions)
    print(f"done in {time.perf_counter() - began:.0f} s")


FACTS = {"ventricular": VENTRICULAR, "supraventricular": SUPRAVENTRICULAR}


def rows_of(folder: Path, kept: Path | None) -> Rows:
    """Gather the rows, or take those that were kept."""
    if kept is not None and kept.is_file():
        with np.load(kept) as file:
            return Rows(*(file[name] for name in Rows.__slots__))
    rows = gather(folder)
    if kept is not None:
        np.savez(kept, **{name: getattr(rows, name) for name in Rows.__slots__})
    return rows


def sample(rows: Rows) -> Bools:
    """Which rows are learned from."""
    share = np.zeros(rows.label.size)
    for i, name in enumerate(STREAMS):
        normal, early, ventricular = SHARE[name]
        of_label = np.zeros(LEFT_OUT + 1)
        of_label[[N, S, V, NO_BEAT]] = normal, early, ventricular, min(1.0, 10 * normal)
        here = rows.stream == i
        share[here] = of_label[rows.label[here]]
    return np.asarray(np.random.default_rng(0).random(share.size) < share, bool)


def weigh(name: str, rows: Rows, chosen: Bools) -> Floats:
    """What each row counts for."""
    weight = np.zeros(rows.label.size)
    others = np.isin(
        rows.stream, [STREAMS.index(s) for s in ("normal", "fibrillation", "made early")]
    )
    for label in (N, S, V, NO_BEAT):
        rest = chosen & ~others & (rows.label == label)
        _, which, n = np.unique(rows.patient[rest], return_inverse=True, return_counts=True)
        weight[rest] = n[which] ** (POWER - 1.0) * (NO_BEAT_WEIGHT if label == NO_BEAT else 1.0)
    normal = weight[chosen & (rows.label == N)].sum()
    for (stream, label), together in OTHERS[name].items():
        those = chosen & (rows.stream == STREAMS.index(stream)) & (rows.label == label)
        weight[those] = together * normal / max(int(those.sum()), 1)
    return weight


def fit(name: str, rows: Rows, chosen: Bools) -> list[lightgbm.Booster]:
    """Train the forests of one score, which differ in their seeds, on the chosen rows."""
    labels = (N, S, V, NO_BEAT) if name == "ventricular" else (N, S, NO_BEAT)
    weight = weigh(name, rows, chosen)
    used = chosen & np.isin(rows.label, labels) & (weight > 0.0)
    facts = FACTS[name]
    data = lightgbm.Dataset(
        rows.facts[used][:, list(facts)],
        rows.label[used] == (V if name == "ventricular" else S),
        weight=weight[used] / weight[used].mean(),
    )
    settings = SETTINGS | {"monotone_constraints": list(facts.values())}
    return [
        lightgbm.train(settings | {"seed": seed}, data, ROUNDS[name])
        for seed in range(1, SEEDS + 1)
    ]


def predict(boosters: list[lightgbm.Booster], name: str, facts: NDArray[np.float32]) -> Floats:
    """Mean log odds of the forests of one score, float64 [n]; facts : [n, N_FACTS]."""
    columns = facts[:, list(FACTS[name])]
    return np.asarray(np.mean([b.predict(columns, raw_score=True) for b in boosters], axis=0))


def export(boosters: list[lightgbm.Booster], name: str, shift: float = 0.0) -> trees.Forest:
    """Their mean as the kernel takes it: log odds less `shift`, facts by their own position."""
    return mean_of(boosters, [int(fact) for fact in FACTS[name]], shift)


def folds(rows: Rows) -> NDArray[np.int64]:
    """Fold of each row, by patient, -1 for those that are never tested.

    Patients with many supraventricular and ventricular beats are dealt out first, so that every
    fold has some.
    """
    first = (rows.stream == 0) & np.isin(rows.label, (S, V))
    patients = np.unique(rows.patient[rows.stream == 0])
    many = [np.where(rows.label[first & (rows.patient == p)] == S, 1000, 1).sum() for p in patients]
    fold_of = {}
    for i, k in enumerate(np.argsort(-np.array(many), kind="stable")):
        fold_of[int(patients[k])] = i % FOLDS if i // FOLDS % 2 == 0 else FOLDS - 1 - i % FOLDS
    return np.array([fold_of.get(int(p), -1) for p in rows.patient], np.int64)


def told_if_ventricular(rows: Rows) -> Classes:
    """Class of each row if its ventricular score is above the operating point."""
    yes, no = (trees.from_nested([{"leaf_value": odds}]) for odds in (9.0, -9.0))
    return np.array([chr(classify(facts, 0.0, yes, no)[0]) for facts in rows.facts], "<U1")


def previous(rows: Rows) -> Ints:
    """Index of the beat before each beat in the same record and stream, -1 of the first ones."""
    order = np.lexsort((rows.sample, rows.patient, rows.stream))
    same = (np.diff(rows.patient[order]) == 0) & (np.diff(rows.stream[order]) == 0)
    before = np.full(order.size, -1, np.int64)
    before[order[1:]] = np.where(same, order[:-1], -1)
    return before


def with_before(if_ventricular: Classes, ventricular: Floats, before: Ints) -> Floats:
    """Ventricular scores, with the share of the beat before that `classify` adds."""
    own = np.clip(ventricular, -CERTAIN, CERTAIN)
    own = np.where(np.isin(if_ventricular, ("N", "/")), -CERTAIN, own)
    return ventricular + WITH_BEFORE * np.where(before >= 0, own[before], -CERTAIN)


def decide(if_ventricular: Classes, ventricular: Floats, supraventricular: Floats) -> Classes:
    """Class of each row by its scores, as `detectors.classify.classify` decides in the stream."""
    doubt = np.where(ventricular > DOUBTFUL, "Q", "N")
    is_s = (ventricular < EXCLUDED) & (supraventricular > 0.0)
    told = np.where(ventricular > 0.0, if_ventricular, np.where(is_s, "S", doubt))
    return np.where(np.isin(if_ventricular, ("N", "/")), if_ventricular, told)


def operating_points(
    if_v: Classes, odds: dict[str, Floats], label: Ints, before: Ints
) -> dict[str, float]:
    """Log odds at which Se and +P of each class stay furthest above what is wanted of them."""
    v, s = odds["ventricular"], odds["supraventricular"]
    shifts = {"ventricular": 0.0, "supraventricular": 0.0}
    for name, code, letter in (("ventricular", V, "V"), ("supraventricular", S, "S")):
        best = -np.inf
        for shift in GRID:
            tried = shifts | {name: float(shift)}
            moved = with_before(if_v, v - tried["ventricular"], before)
            told = decide(if_v, moved, s - tried["supraventricular"])
            right = np.sum((told == letter) & (label == code))
            others = np.sum((told == letter) & np.isin(label, [N, S, V, NO_BEAT]))
            se, ppv = right / max(np.sum(label == code), 1), right / max(others, 1)
            margin = min(se - WANTED[name][0], ppv - WANTED[name][1])
            if margin > best:
                best, shifts = margin, tried
    return shifts


def cross_validate(
    rows: Rows, chosen: Bools, folder: Path
) -> tuple[dict[str, BeatTable], dict[str, float]]:
    """EC57's tables of patients that were not trained on, by stream and by record.

    Gives also the operating points of all patients together.
    """
    tested = [STREAMS.index(s) for s in TESTED]
    told, shifts = tell_held_out(rows, chosen, tested)
    return tables_of(rows, told, tested, folder), shifts


def tell_held_out(rows: Rows, chosen: Bools, tested: list[int]) -> tuple[Classes, dict[str, float]]:
    """Classes of the rows of some streams, of patients that were not trained on; N of all others.

    Gives also the operating points of all patients together. Those of a fold are chosen without it.
    """
    fold, whole = folds(rows), np.flatnonzero(np.isin(rows.stream, tested))
    odds = {name: np.zeros(whole.size) for name in FACTS}
    for k in range(FOLDS):
        here = fold[whole] == k
        for name in FACTS:
            boosters = fit(name, rows, chosen & (fold != k))
            odds[name][here] = predict(boosters, name, rows.facts[whole[here]])
    if_v, label = told_if_ventricular(rows[whole]), rows.label[whole]
    points = rows.stream[whole] == STREAMS.index("both leads")

    def shifts_of(these: Bools) -> dict[str, float]:
        own = {name: score[these] for name, score in odds.items()}
        return operating_points(if_v[these], own, label[these], previous(rows[whole[these]]))

    told = np.full(rows.label.size, "N")
    for k in range(FOLDS):
        here, shifts = fold[whole] == k, shifts_of(points & (fold[whole] != k))
        v, s = (odds[name][here] - shifts[name] for name in ("ventricular", "supraventricular"))
        v = with_before(if_v[here], v, previous(rows[whole[here]]))
        told[whole[here]] = decide(if_v[here], v, s)
    return told, shifts_of(points)


def tables_of(rows: Rows, told: Classes, tested: list[int], folder: Path) -> dict[str, BeatTable]:
    """EC57's tables of some streams and of their records."""
    tables: dict[str, BeatTable] = {}
    for i in tested:
        of_record = {}
        for path in find_records([folder]):
            here = (rows.stream == i) & (rows.patient == int(path.name))
            marks = tuple(told[here].tolist())
            test = Annotations(rows.sample[here], marks, ("",) * len(marks))
            fs_hz, n_samples = read_length(path)
            of_record[path.name] = compare(read_annotations(path), test, fs_hz, n_samples)
        tables |= {f"{STREAMS[i]}: {name}": table for name, table in of_record.items()}
        tables[STREAMS[i]] = total(of_record.values())
        print(STREAMS[i], figures_line(tables[STREAMS[i]]), flush=True)
    return tables


def figures_line(table: BeatTable) -> str:
    """The figures of the classes, as text."""
    f = table.figures()
    return (
        f"VEB Se {f['v_se']:.2f} +P {f['v_ppv']:.2f}, SVEB Se {f['s_se']:.2f} +P {f['s_ppv']:.2f}"
    )


if __name__ == "__main__":
    main()
