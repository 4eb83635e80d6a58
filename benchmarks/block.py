"""Complete AV block: simulated patients in whom it begins, patients without it, real records.

Rates, P waves, escape beats, noise and leads are drawn at random, from other seeds than those with
which limits were chosen. A patient without it is slow all the same: sinus rhythm, or block of
second degree. No real patient with it whose ventricles were not paced was at hand.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from archive.analysis import analyze_record
from archive.find import find_records
from archive.read import read_record
from benchmarks.machine import describe
from detectors import Analyzer, warm
from dsp.synth import (
    CompleteBlock,
    Mobitz2,
    Noise,
    Patient,
    Segment,
    Sinus,
    Wenckebach,
    simulate,
)
from ecg import Record
from ecg.codes import EpisodeKind

PATIENTS, FIRST_SEED = 100, 70_000
SINUS_S, BLOCK_S = 30.0, 120.0
LEADS = (("II",), ("V1",), ("II", "V1"), ("II", "V1", "V5"))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    warm()
    print(describe("numba"))
    print(f"\n{PATIENTS} simulated patients each, {BLOCK_S:.0f} s of the rhythm.\n")
    print("| rhythm | told complete block | told after, median s | 95 % within, s |")
    print("|---|---|---|---|")
    found: dict[str, Any] = {}
    for name in ("complete block", "sinus bradycardia", "2:1 or 3:1", "Wenckebach"):
        found[name] = row(name, [told_after_s(patient(name, k)) for k in range(PATIENTS)])
    data = os.environ.get("TELERHYTHM_DATA")
    if data:
        print(
            "\n| real records, none annotated so | records | told complete block |\n|---|---|---|"
        )
        for database in ("mitdb", "cinc2015"):
            paths = find_records([Path(data) / database])
            wrong = [path.name for path in paths if is_told(read_record(path))]
            found[database] = wrong
            print(f"| {database} | {len(paths)} | {', '.join(wrong) or 'none'} |")
    if options.json:
        options.json.write_text(json.dumps(found, indent=1))
    return 0


def patient(name: str, number: int) -> Record:
    """A patient whose rhythm is `name` from `SINUS_S` on."""
    rng = np.random.default_rng(FIRST_SEED + number)
    qrs_mv = float(rng.uniform(0.5, 1.8))
    heart = Patient(
        qrs_mv=qrs_mv,
        p_mv=float(rng.uniform(0.08, 0.22)) * min(qrs_mv, 1.0),
        t_mv=float(rng.uniform(0.1, 0.5)),
        ventricular_ms=float(rng.uniform(130, 170)),
    )
    slow, atrial = float(rng.uniform(28, 50)), float(rng.uniform(60, 115))
    rhythm: dict[str, Segment] = {
        "complete block": CompleteBlock(
            BLOCK_S, slow, atrial, str(rng.choice(["ventricle", "junction"]))
        ),
        "sinus bradycardia": Sinus(BLOCK_S, slow, hrv=float(rng.uniform(0.005, 0.04))),
        "2:1 or 3:1": Mobitz2(BLOCK_S, atrial, ratio=int(rng.integers(2, 4))),
        "Wenckebach": Wenckebach(BLOCK_S, atrial, cycle=int(rng.integers(3, 6))),
    }
    noise = (
        Noise("baseline", rms_mv=float(rng.uniform(0.02, 0.1))),
        Noise("muscle", rms_mv=float(rng.uniform(0.005, 0.025))),
    )
    made = simulate(
        [Sinus(SINUS_S, 75.0), rhythm[name]],
        fs_hz=250.0,
        leads=LEADS[int(rng.integers(len(LEADS)))],
        seed=int(rng.integers(1, 10**6)),
        noise=noise,
        patient=heart,
    )
    return made.record


def is_told(record: Record) -> bool:
    """Whether complete block is told anywhere in a record."""
    return bool(np.any(analyze_record(record).episodes["kind"] == EpisodeKind.AV_BLOCK_3))


def told_after_s(record: Record) -> float:
    """When complete block is told, after `SINUS_S`, in pushes of a second; NaN: never."""
    analyzer, second = Analyzer(record.fs_hz, record.leads), int(record.fs_hz)
    for begin in range(0, record.n_samples, second):
        found = analyzer.push(record.x_mv[:, begin : begin + second]).episodes
        if np.any(found["kind"] == EpisodeKind.AV_BLOCK_3):
            return (begin + second) / record.fs_hz - SINUS_S
    return np.nan


def row(name: str, after_s: list[float]) -> dict[str, float]:
    """A line of the table."""
    told_s = np.array(after_s)[np.isfinite(after_s)]
    figures: dict[str, float] = {"told": told_s.size}
    shown = " | "
    if told_s.size:
        figures |= {"median_s": float(np.median(told_s)), "p95_s": float(np.percentile(told_s, 95))}
        shown = f"{figures['median_s']:.0f} | {figures['p95_s']:.0f}"
    print(f"| {name} | {told_s.size} of {len(after_s)} | {shown} |", flush=True)
    return figures


if __name__ == "__main__":
    raise SystemExit(main())
