"""Train the score of atrial fibrillation; cross-validate it by patient, in its episodes.

The stages of `detectors.rhythm` are run on the beats that the analysis finds and the classes that
it gives them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import lightgbm
import numpy as np
from numpy.typing import NDArray

from archive.annotate import annotate, settled
from archive.episodes import (
    EpisodeTable,
    compare_episodes,
    fibrillation_spans,
    rhythm_spans,
    total_episodes,
)
from archive.find import find_records
from archive.read import read_annotations, read_record
from detectors import Analyzer, af, rhythm
from detectors.trees import MODELS, Forest, from_nested, save
from dsp.resample import ANALYSIS_HZ
from ecg import EPISODE, Annotations, Findings, Record
from training.forests import mean_of
from training.options import parser_of, records
from training.rhythm_cards import write
from training.streams import fold, seconds

RING_BEFORE, RING_AFTER = 300, 212  # analysis samples about a beat that the ring shall hold
ROUNDS, SEEDS = 30, 3  # trees of a forest, and forests
MITDB_WEIGHT = 600.0  # of a half-hour record; one of Challenge 2017 counts 1
PARAMETERS = {
    "objective": "binary",
    "num_leaves": 8,
    "learning_rate": 0.2,
    "min_data_in_leaf": 200,
    "feature_fraction": 0.6,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "lambda_l2": 5.0,
    "verbose": -1,
    "num_threads": 1,
    "deterministic": True,
}


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """A record made ready: its signal at the analysis rate and its beats with classes."""

    kind: str
    record: Record
    signal: NDArray[np.float32]  # [n_leads, n]
    beats: NDArray[Any]
    reference: Annotations | None
    label: int  # of the whole record where there is no reference; -1 neither


def prepare(kind: str, path: Path, label: int = -1) -> Course:
    """Run the analysis over a record."""
    record = read_record(path)
    parts, found, before = [], [], 0
    for _, analyzer, findings in seconds(record.x_mv, record.fs_hz, record.leads):
        n = int(analyzer.state["head"]["n"][0])
        ring = analyzer.state["leads"]["signal"][0]
        parts.append(ring[:, np.arange(before, n) % ring.shape[1]].copy())
        before = n
        found.append(findings)
    beats = np.sort(Findings.concat(found).with_classes().beats, order="sample")
    reference = read_annotations(path) if kind == "mitdb" else None
    if reference is not None:
        for first, end in fibrillation_spans(reference, record.n_samples):
            # the product takes no beats there, either
            beats = beats[(beats["sample"] < first) | (beats["sample"] > end)]
    return Course(kind, record, np.concatenate(parts, axis=1), beats, reference, label)


class Played(NamedTuple):
    """What the rhythm stages make of a record."""

    features: NDArray[np.float32]  # [n_windows, af.N_FEATURES]
    middles_s: NDArray[np.float64]  # of the windows
    episodes: NDArray[Any]
    beats: NDArray[Any]  # with the classes that AF leaves them


def play(course: Course, forest: Forest) -> Played:
    """Run the rhythm stages."""
    state = Analyzer(course.record.fs_hz, course.record.leads).state
    head, leads = state["head"][0], state["leads"][0]
    rows = np.zeros(64, EPISODE)
    features, middles, episodes, beats = [], [], [], course.beats.copy()
    fs_hz = course.record.fs_hz
    for beat in beats:
        at = beat["sample"] * ANALYSIS_HZ / fs_hz
        r = round(at)
        inside = np.arange(max(r - RING_BEFORE, 0), min(r + RING_AFTER, course.signal.shape[1]))
        leads["signal"][:, inside % leads["signal"].shape[1]] = course.signal[:, inside]
        if rhythm.found(head, leads, at, r + 150):
            beat["flags"] |= 2
        before = int(head["rhythm"]["af"]["n_nn"])
        n = rhythm.known(head, leads, beat, forest, rows, 0)
        episodes += [rows[:n].copy()]
        now = int(head["rhythm"]["af"]["n_nn"])
        if now > before and now >= af.LEAST and now % af.EVERY == 0:
            features.append(head["rhythm"]["af"]["features"].copy())
            half = min(now, af.WINDOW) // 2
            middles.append(head["rhythm"]["nn_at"][(now - 1 - half) % af.WINDOW] / ANALYSIS_HZ)
    return Played(
        np.array(features, np.float32).reshape(-1, af.N_FEATURES),
        np.array(middles),
        settled(np.concatenate(episodes)) if episodes else np.empty(0, EPISODE),
        beats,
    )


def labels(course: Course, middles: NDArray[Any]) -> NDArray[np.int64]:
    """1 AF, 0 not, -1 neither, of each window."""
    if course.reference is None:
        return np.full(middles.size, course.label)
    at = middles * course.record.fs_hz
    label = np.zeros(middles.size, np.int64)
    for text, value in (("(AFIB", 1), ("(AFL", -1)):
        for first, end in rhythm_spans(course.reference, text, course.record.n_samples):
            label[(at >= first) & (at < end)] = value
    return label


def fit(windows: list[tuple[Course, NDArray[Any], NDArray[Any]]]) -> Forest:
    """The mean of a few forests from (course, features, labels)."""
    x = np.concatenate([f for _, f, _ in windows])
    y = np.concatenate([label for _, _, label in windows])
    weight = np.concatenate(
        [
            np.full(len(f), (MITDB_WEIGHT if c.kind == "mitdb" else 1.0) / max(len(f), 1))
            for c, f, _ in windows
        ]
    )
    known = y >= 0
    data = lightgbm.Dataset(x[known], y[known], weight=weight[known])
    boosters = [
        lightgbm.train(PARAMETERS | {"seed": seed}, data, ROUNDS) for seed in range(1, SEEDS + 1)
    ]
    return mean_of(boosters)


def judge(course: Course, forest: Forest) -> EpisodeTable:
    """Episodes of a MIT-BIH record against its reference."""
    marks = annotate(Findings(episodes=play(course, forest).episodes), 1, course.record.fs_hz)
    assert course.reference is not None
    return compare_episodes(course.reference, marks, course.record.fs_hz, course.record.n_samples)[
        "af"
    ]


def card(tables: dict[str, EpisodeTable]) -> None:
    """Write the card: episodes of MIT-BIH, as `telerhythm evaluate` counts them."""
    rows = [(n, t) for n, t in sorted(tables.items()) if t.reference_s or t.test_s]
    rows.append(("gross", total_episodes(tables.values())))
    names = ("episode_se", "episode_ppv", "duration_se", "duration_ppv", "reference_s", "test_s")
    figures = [
        "| record | episode Se % | episode +P % | duration Se % | duration +P % | reference, s "
        "| told, s |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, table in rows:
        cells = (table.figures()[n] for n in names)
        figures.append(f"| {name} | {' | '.join(f'{c:.2f}' for c in cells)} |")
    write(
        "af",
        "Score of atrial fibrillation",
        "MIT-BIH Arrhythmia Database and PhysioNet/CinC Challenge 2017, beats and classes "
        "of the analysis\n(whose model of classes knows the MIT-BIH records).",
        figures,
        "Atrial flutter is called fibrillation when its intervals vary, and missed when"
        " they do not.\n"
        "Ventricular beats that the analysis takes for normal ones make intervals "
        "irregular.",
    )


def main() -> None:
    """Train, cross-validate, write."""
    parser = parser_of(__doc__)
    courses = prepare_all(records(parser, parser.parse_args(), "mitdb", "cinc2017"))
    tables = {course.record.name: judge(course, forest) for course, forest in held_out(courses)}
    card(tables)
    save(MODELS / "af.npz", {"af": fit(windows_of(courses))})


def prepare_all(folder: Path) -> list[Course]:
    """The analysis of all records that AF is learnt from."""
    truth = dict(
        row.split(",") for row in (folder / "cinc2017" / "REFERENCE.csv").read_text().split()
    )
    meaning = {"A": 1, "N": 0, "O": 0, "~": -1}
    courses = [prepare("mitdb", p) for p in find_records([folder / "mitdb"])]
    return courses + [
        prepare("cinc2017", p, meaning[truth[Path(p).stem]])
        for p in find_records([folder / "cinc2017"])
    ]


def windows_of(courses: list[Course]) -> list[tuple[Course, NDArray[Any], NDArray[Any]]]:
    """Features and labels of the windows of each record."""
    nothing = from_nested([{"leaf_value": -1.0}])
    windows = []
    for course in courses:
        played = play(course, nothing)
        windows.append((course, played.features, labels(course, played.middles_s)))
    return windows


def held_out(courses: list[Course]) -> Iterator[tuple[Course, Forest]]:
    """MIT-BIH records, each with a forest that has not learnt from it."""
    windows = windows_of(courses)
    with_af = sorted(c.record.name for c, _, y in windows if c.kind == "mitdb" and 1 in y)
    folds = {c.record.name: fold(c.record.name) for c in courses}
    folds |= {name: k for k, name in enumerate(with_af)}
    for k in range(5):
        forest = fit([w for w in windows if folds[w[0].record.name] != k])
        for course in courses:
            if course.kind == "mitdb" and folds[course.record.name] == k:
                yield course, forest


if __name__ == "__main__":
    main()
