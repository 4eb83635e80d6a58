"""Train the score of ventricular fibrillation; cross-validate it by patient; write the card."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archive.find import find_records
from archive.read import read_annotations, read_record
from detectors import fibrillation as vf
from detectors.trees import MODELS
from dsp.synth import VF, VT, Sinus, simulate
from training.options import parser_of, records
from training.rhythm_cards import write
from training.streams import Floats, fold, logistic, noise, seconds

WHOLE_S = 4.0  # a window counts as fibrillation when it is full of it
EDGE_S = 0.5
ONSETS = {  # by eye: the challenge tells only that the alarm, at 5:00, was true
    "f450s": [(289.5, 300.0)],
    "f544s": [(294.0, 300.0)],
    "f563l": [(269.8, 275.4), (289.5, 301.0)],
}
REAL_WEIGHT, SIMULATED_WEIGHT = 2000.0, 20.0  # of all windows of one patient together
RIDGE = 1.0
N_SIMULATED = 120
N_TACHYCARDIA = 60  # slower than flutter may be: the nearest negatives
TACHYCARDIA_WEIGHT = 0.3  # of a window
SHAPES = ("apex", "outflow", "left")


@dataclass(frozen=True, slots=True, eq=False)
class Windows:
    """Windows of one lead of one patient, a row a second."""

    kind: str
    patient: str
    lead: int
    end_s: NDArray[np.float64]
    measures: Floats
    useful: NDArray[np.bool_]
    size_mv: Floats
    label: NDArray[np.int64]  # 1 fibrillation, 0 not, -1 neither


def windows(kind: str, patient: str, x_mv: Floats, fs_hz: float, spans: Any) -> list[Windows]:
    """Measures of each second of a record; `spans` are the (onset, end) of fibrillation, s."""
    n_leads = len(x_mv)
    rows: list[list[Any]] = [[] for _ in range(n_leads)]
    times: list[float] = []
    for _, analyzer, _ in seconds(x_mv, fs_hz, tuple("ECG" for _ in range(n_leads))):
        n = int(analyzer.state["head"]["n"][0]) // 250
        if n == 0 or (times and n <= times[-1]):
            continue
        times.append(n)
        for i in range(n_leads):
            lead = analyzer.state["leads"][0, i]["fib"].copy()
            useful = vf.measure(lead)
            whole = lead["seconds"] == vf.SECONDS
            size = float(lead["size_mv"]) if whole else 0.0
            rows[i].append((lead["measures"].copy(), useful, size))
    end_s = np.array(times, np.float64)
    return [
        Windows(
            kind,
            patient,
            i,
            end_s,
            np.array([m for m, _, _ in row], np.float32),
            np.array([u for _, u, _ in row], bool),
            np.array([s for _, _, s in row], np.float32),
            _labels(end_s, spans),
        )
        for i, row in enumerate(rows)
    ]


def _labels(end_s: NDArray[np.float64], spans: Any) -> NDArray[np.int64]:
    label = np.zeros(end_s.size, np.int64)
    for onset, end in spans:
        touched = (end_s > onset) & (end_s < end + WHOLE_S)
        label[touched] = -1
        label[(end_s >= onset + WHOLE_S - EDGE_S) & (end_s <= end + EDGE_S)] = 1
    return label


def annotated(path: Path, fs_hz: float) -> list[tuple[float, float]]:
    """Onset and end of the fibrillation that MIT-BIH's annotators mark, s."""
    marks = read_annotations(path)
    on = [s / fs_hz for s, c in zip(marks.sample, marks.symbol, strict=True) if c == "["]
    off = [s / fs_hz for s, c in zip(marks.sample, marks.symbol, strict=True) if c == "]"]
    return list(zip(on, off, strict=True))


def real(folder: Path) -> list[Windows]:
    """MIT-BIH and Challenge 2015; what stands about the true alarms is labelled neither."""
    made = []
    for path in find_records([folder / "mitdb"]):
        record = read_record(path)
        spans = annotated(path, record.fs_hz)
        made += windows("mitdb", record.name, record.x_mv, record.fs_hz, spans)
    truth = {
        row.split(",")[0]: row.split(",")[1:]
        for row in (folder / "cinc2015" / "ALARMS").read_text().split()
    }
    for path in find_records([folder / "cinc2015"]):
        record = read_record(path)
        part = windows(
            "cinc2015", record.name, record.x_mv, record.fs_hz, ONSETS.get(record.name, [])
        )
        kind, true = truth[record.name]
        if true == "1" and kind.startswith("Ventricular"):
            for w in part:
                w.label[(w.label == 0) & (w.end_s > (255 if kind.endswith("Fib") else 0))] = -1
        made += part
    return made


def disturbed(folder: Path, rng: np.random.Generator) -> list[Windows]:
    """Negatives: noise alone, MIT-BIH's first ten minutes in noise, hand-held records."""
    made = []
    shake = {name: noise(folder, name) for name in ("bw", "ma")}
    for name, x in shake.items():
        for scale in (0.3, 1.0, 3.0):
            made += windows("noise", name, np.float32(scale) * x, 360.0, [])
    for path in find_records([folder / "mitdb"]):
        record = read_record(path)
        if annotated(path, record.fs_hz):
            continue
        x = record.x_mv[:, : int(600 * record.fs_hz)]
        for snr_db in (6.0, 0.0, -6.0):
            dirty = np.stack([lead + _noise_like(lead, shake, snr_db, rng) for lead in x])
            made += windows("mitdb in noise", record.name, dirty, record.fs_hz, [])
    for path in find_records([folder / "cinc2017"]):
        record = read_record(path)
        made += windows("cinc2017", record.name, record.x_mv, record.fs_hz, [])
    return made


def _noise_like(lead: Floats, shake: Any, snr_db: float, rng: np.random.Generator) -> Floats:
    x = shake[("bw", "ma")[rng.integers(2)]][rng.integers(2)]
    begin = int(rng.integers(0, x.size - lead.size))
    piece = x[begin : begin + lead.size]
    gain = lead.std() / piece.std() * 10 ** (-snr_db / 20)
    return np.asarray(gain * piece, np.float32)


def simulated(folder: Path, rng: np.random.Generator) -> list[Windows]:
    """Fibrillation and flutter after sinus rhythm, fine and coarse, two thirds of it in noise."""
    made = []
    shake = {name: noise(folder, name) for name in ("bw", "ma")}
    for i in range(N_SIMULATED):
        flutter = bool(rng.integers(2))
        hz = float(rng.uniform(3.0, 5.0) if flutter else rng.uniform(2.8, 7.0))
        size = float(np.exp(rng.uniform(np.log(0.15), np.log(1.2))))
        script = [
            Sinus(6, bpm=float(rng.uniform(60, 110))),
            VF(16, hz=hz, amplitude_mv=size, flutter=flutter),
        ]
        x = simulate(script, seed=i, leads=("II", "V1"), fs_hz=360.0).record.x_mv
        if i % 3:
            for lead in x:
                fib = lead[10 * 360 :]
                lead += rng.uniform(0.0, 3.0) * fib.std() * _noise_like(lead, shake, 0.0, rng)
        made += windows("simulated", f"simulated {i}", x, 360.0, [(6.0, 22.0)])
    for i in range(N_TACHYCARDIA):
        script = [
            Sinus(6, bpm=75),
            VT(20, bpm=float(rng.uniform(105, 165)), shapes=(SHAPES[i % 3],)),
        ]
        x = simulate(script, seed=1000 + i, leads=("II", "V1"), fs_hz=360.0).record.x_mv
        made += windows("simulated VT", f"tachycardia {i}", x, 360.0, [])
    return made


def main() -> None:
    """Train, cross-validate, write."""
    parser = parser_of(__doc__)
    folder = records(parser, parser.parse_args(), "mitdb", "nstdb", "cinc2015", "cinc2017")
    rng = np.random.default_rng(1)
    everything = real(folder) + disturbed(folder, rng) + simulated(folder, rng)
    folds = _folds(everything)
    tally: dict[str, NDArray[np.int64]] = {}
    for k in range(max(folds.values()) + 1):
        weights = fit([w for w in everything if folds[w.patient] != k])
        for w in everything:
            if folds[w.patient] == k:
                tally[w.kind] = tally.get(w.kind, np.zeros(4, np.int64)) + count(w, weights)
    weights = fit(everything)
    card(tally, weights)
    np.savez(MODELS / "fibrillation.npz", weights=weights.astype(np.float32))


def _folds(everything: list[Windows]) -> dict[str, int]:
    """Fold of each patient; those with real fibrillation lie in different ones."""
    folds = {w.patient: fold(w.patient) for w in everything}
    real_ones = sorted({w.patient for w in everything if 1 in w.label and w.kind != "simulated"})
    return folds | {patient: k % 5 for k, patient in enumerate(real_ones)}


def fit(chosen: list[Windows]) -> NDArray[np.float64]:
    """Weights from windows."""
    x = np.concatenate([w.measures[w.useful] for w in chosen]).astype(np.float64)
    y = np.concatenate([w.label[w.useful] for w in chosen])
    weight = np.concatenate([_weight(w)[w.useful] for w in chosen])
    known = y >= 0
    return logistic(x[known], y[known].astype(float), weight[known], RIDGE)


def _weight(w: Windows) -> NDArray[np.float64]:
    share = SIMULATED_WEIGHT if w.kind == "simulated" else REAL_WEIGHT
    n = max(int((w.label == 1).sum()), 1)
    other = TACHYCARDIA_WEIGHT if w.kind == "simulated VT" else 1.0
    return np.where(w.label == 1, share / n, other)


def count(w: Windows, weights: NDArray[np.float64]) -> NDArray[np.int64]:
    """Windows of fibrillation: found, all; others: taken for it, all. One lead alone."""
    score = np.where(w.useful, w.measures @ weights[:-1] + weights[-1], -99)
    found = (score > vf.BEGINS) & (w.size_mv > vf.COUNTS_MV)
    yes, no = w.label == 1, w.label == 0
    return np.array([found[yes].sum(), yes.sum(), found[no].sum(), no.sum()])


def card(tally: dict[str, NDArray[np.int64]], weights: NDArray[np.float64]) -> None:
    """Write the card; the figures are of single leads and windows, the product joins both."""
    figures = [
        "| windows of 4 s, one lead | fibrillation found | of | others taken for it | of |",
        "|---|---|---|---|---|",
        *(f"| {kind} | {a} | {b} | {c} | {d} |" for kind, (a, b, c, d) in sorted(tally.items())),
        "",
        "| measure | weight |",
        "|---|---|",
        *(
            f"| {name} | {value:.3g} |"
            for name, value in zip((*vf.MEASURES, "constant"), weights, strict=True)
        ),
    ]
    write(
        "fibrillation",
        "Score of ventricular fibrillation and flutter",
        "MIT-BIH Arrhythmia Database (record 207 has flutter); PhysioNet/CinC Challenge"
        " 2015 (three true\n"
        "alarms, their onsets set by eye; seconds about true tachycardia are left out);"
        " Challenge 2017,\n"
        "all without fibrillation; noise of the MIT-BIH Noise Stress Test Database "
        "alone and over MIT-BIH\n"
        "at 6, 0 and -6 dB; simulated fibrillation, flutter and tachycardia.",
        figures,
        "Four patients with real fibrillation are few. Rhythmic artefact near 5 Hz "
        "(brushing teeth) in\n"
        "all leads is taken for it. Fine fibrillation below 0.04 mV mean size is not "
        "looked for.",
    )


if __name__ == "__main__":
    main()
