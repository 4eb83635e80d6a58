"""Cold starts: analyses that begin anywhere in a record, with nothing known of the heart."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from archive.evaluate import BeatTable, compare, total
from archive.find import find_records
from archive.read import read_annotations, read_record
from benchmarks.machine import describe
from detectors import Analyzer
from dsp.synth import VT, CompleteBlock, Paced, Sinus, simulate
from ecg import Annotations, Findings, Record
from ecg.codes import BEAT_CODES

STARTS = 30  # of each record
SCORED_S = 2.0, 40.0
LATE_S = 5.0
SEED = 2026


@dataclass(frozen=True, slots=True)
class Start:
    """What one cold start gave: beats against the reference, s until the first right beat."""

    table: BeatTable
    first_s: float


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--records", action="store_true", help="each record by itself, too")
    options = parser.parse_args()
    print(describe("numba"))
    print(
        f"\nEach record is begun at {STARTS} random places, each simulated patient {STARTS} times; "
        f"{SCORED_S[0]:g} to {SCORED_S[1]:g} s after the start are scored. Late: no beat of the "
        f"reference found within {LATE_S:g} s.\n"
    )
    print("| hearts | leads | QRS Se % | QRS +P % | missed | too many | first beat, median s "
          "| 95 % within, s | late % |")  # fmt: skip
    print("|---|---|---|---|---|---|---|---|---|")
    found: dict[str, dict[str, float]] = {}
    for n_leads in (1, 2):
        kinds: dict[str, list[Start]] = {}
        for name, kind, starts in groups(n_leads):
            if options.records:
                show(name, n_leads, starts)
            kinds.setdefault(kind, []).extend(starts)
        for kind, starts in sorted(kinds.items()):
            found[f"{kind}, {n_leads}"] = show(kind, n_leads, starts)
    print("\nWithout a heart, a minute each: "
          + ", ".join(f"{n} beats in {name}" for name, n in silences()) + ".")  # fmt: skip
    if options.json:
        options.json.write_text(json.dumps(found, indent=1))
    return 0


def groups(n_leads: int) -> Iterator[tuple[str, str, list[Start]]]:
    """Name, kind and starts of each record there is, and of simulated patients."""
    data = os.environ.get("TELERHYTHM_DATA")
    if not data:
        print("\nNo records: set TELERHYTHM_DATA to a folder that holds mitdb.\n")
    for path in find_records([Path(data) / "mitdb"]) if data else []:
        record, truth = read_record(path), read_annotations(path)
        yield path.name, f"MIT-BIH, {kind_of(truth)}", starts_of(record, truth, n_leads)
    simulated = {
        "sinus 70": Sinus(60, bpm=70),
        "paced": Paced(60),
        "complete block": CompleteBlock(60),
        "VT 150": VT(60, bpm=150),
    }
    for name, segment in simulated.items():
        starts = []
        for seed in range(STARTS):
            made = simulate([segment], fs_hz=250.0, seed=seed)
            starts += starts_of(made.record, made.truth.atr, n_leads, [seed / STARTS])
        yield name, f"simulated, {name}", starts


def kind_of(truth: Annotations) -> str:
    """What most beats of a record are."""
    beats = [symbol for symbol in truth.symbol if symbol in BEAT_CODES]
    for name, symbols in (("paced", "/f"), ("bundle branch block", "LR")):
        if 2 * sum(symbol in symbols for symbol in beats) > len(beats):
            return name
    return "others"


def starts_of(
    record: Record, truth: Annotations, n_leads: int, begins_s: list[float] | None = None
) -> list[Start]:
    """Cold starts at these seconds, or at random places drawn from a seed."""
    fs_hz, length = record.fs_hz, round((SCORED_S[1] + 1) * record.fs_hz)
    last_s = (record.n_samples - length) / fs_hz
    if begins_s is None:
        begins_s = np.random.default_rng(SEED).uniform(0, last_s, STARTS).tolist()
    starts = []
    for begin_s in begins_s:
        begin = round(begin_s * fs_hz)
        x_mv = np.ascontiguousarray(record.x_mv[:n_leads, begin : begin + length])
        starts.append(start_of(x_mv, fs_hz, after(truth, begin)))
    return starts


def start_of(x_mv: NDArray[np.float32], fs_hz: float, truth: Annotations) -> Start:
    """One cold start, beats from its second on."""
    analyzer = Analyzer(fs_hz, tuple(f"L{i}" for i in range(len(x_mv))))
    beats = np.sort(Findings.concat([analyzer.push(x_mv), analyzer.finish()]).beats["sample"])
    marks = Annotations(beats, ("N",) * beats.size, ("",) * beats.size)
    end = round(SCORED_S[1] * fs_hz)
    table = compare(truth, marks, fs_hz, end, learning_s=SCORED_S[0])
    real = truth.sample[[symbol in BEAT_CODES for symbol in truth.symbol]]
    right = [at for at in beats if real.size and np.abs(real - at).min() <= 0.15 * fs_hz]
    return Start(table, right[0] / fs_hz if right else SCORED_S[1])


def after(truth: Annotations, begin: int) -> Annotations:
    """The annotations from a sample on, counted from there; an episode under way is kept."""
    keep = np.flatnonzero(truth.sample >= begin)
    open_vf = [i for i in range(keep[0] if keep.size else 0) if truth.symbol[i] in "[]"]
    if open_vf and truth.symbol[open_vf[-1]] == "[":
        keep = np.r_[open_vf[-1], keep]
    return Annotations(
        np.maximum(truth.sample[keep] - begin, 0),
        tuple(truth.symbol[i] for i in keep),
        tuple(truth.aux[i] for i in keep),
    )


def silences() -> Iterator[tuple[str, int]]:
    """Name of a noise, and beats found in a minute of it."""
    rng, fs_hz = np.random.default_rng(SEED), 250.0
    n = int(60 * fs_hz)
    t_s = np.arange(n) / fs_hz
    white = rng.normal(0.0, 0.1, n)
    bursts = white * (0.1 + np.exp(4 * np.sin(2 * np.pi * 0.15 * t_s)) / 20)
    p_waves = 0.1 * np.exp(-0.5 * ((t_s % 0.8 - 0.4) / 0.025) ** 2) + 0.1 * white
    noises = {
        "white noise": white,
        "noise that waxes and wanes": white * (1 + 0.5 * np.sin(2 * np.pi * 0.2 * t_s)),
        "bursts": bursts,
        "P waves alone": p_waves,
    }
    for name, noise in noises.items():
        analyzer = Analyzer(fs_hz)
        found = [analyzer.push(noise[None].astype(np.float32)), analyzer.finish()]
        yield name, Findings.concat(found).beats.size


def show(name: str, n_leads: int, starts: list[Start]) -> dict[str, float]:
    """Print a row of the table, and give it."""
    table = total([start.table for start in starts])
    first_s = np.array([start.first_s for start in starts])
    right = int(table.counts[:5, :5].sum())
    row = {
        "q_se": 100 * table.q_se,
        "q_ppv": 100 * table.q_ppv,
        "missed": int(table.counts[:5].sum()) - right,
        "extra": int(table.counts[:, :5].sum()) - right,
        "first_s": float(np.median(first_s)),
        "first_p95_s": float(np.percentile(first_s, 95)),
        "late": 100 * float((first_s > LATE_S).mean()),
    }
    print(
        f"| {name} | {n_leads} | {row['q_se']:.2f} | {row['q_ppv']:.2f} | {row['missed']:.0f} "
        f"| {row['extra']:.0f} | {row['first_s']:.1f} | {row['first_p95_s']:.1f} "
        f"| {row['late']:.1f} |"
    )
    return row


if __name__ == "__main__":
    raise SystemExit(main())
