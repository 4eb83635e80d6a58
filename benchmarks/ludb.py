"""QRS detection on another recorder, from the first second on: Lobachevsky University Database.

Twelve leads at 500 Hz, ten seconds a patient, QRS complexes marked by cardiologists lead by lead.
There is no time to learn a patient: what is found here is what a spot check gets. Beats count from
the first to the last that is marked, within 150 ms; those at the edges of records are not marked.
"""

from __future__ import annotations

import argparse
import json
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import neurokit2 as nk
import numpy as np
import sleepecg
import wfdb
from numpy.typing import NDArray
from wfdb import processing

from archive.find import find_records
from archive.read import read_record
from benchmarks.machine import describe
from detectors import Analyzer, warm
from ecg import Findings, Record

WINDOW_S = 0.15
LEAD = 1  # II
Samples = NDArray[np.int64]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    data = os.environ.get("TELERHYTHM_DATA")
    if not data or not (Path(data) / "ludb").is_dir():
        print("No figures: set TELERHYTHM_DATA to a folder that holds ludb.")
        return 0
    warnings.simplefilter("ignore")
    warm()
    records = [(p, read_record(p)) for p in find_records([Path(data) / "ludb"])]
    print(describe("numba", "sleepecg", "neurokit2", "wfdb"))
    print(
        f"\n{len(records)} records of ten seconds, beats from the first one that is marked. "
        "Ours has learnt from some of their leads; what it does on patients held out is told in "
        "`detectors/models/first.md`.\n"
    )
    print("| detector | QRS Se % | QRS +P % | missed | too many | beats |")
    print("|---|---|---|---|---|---|")
    rows = [row(name, detect, records) for name, detect in DETECTORS.items()]
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1))
    return 0


def ours(record: Record, leads: slice) -> Samples:
    analyzer = Analyzer(record.fs_hz, record.leads[leads])
    found = [analyzer.push(record.x_mv[leads]), analyzer.finish()]
    return np.sort(Findings.concat(found).beats["sample"])


def neurokit(record: Record) -> Samples:
    clean = nk.ecg_clean(record.x_mv[LEAD], sampling_rate=int(record.fs_hz))
    return np.asarray(nk.ecg_peaks(clean, int(record.fs_hz))[1]["ECG_R_Peaks"], np.int64)


DETECTORS: dict[str, Callable[[Record], Samples]] = {
    "telerhythm, lead II": lambda r: ours(r, slice(LEAD, LEAD + 1)),
    "telerhythm, twelve leads": lambda r: ours(r, slice(None)),
    "SleepECG, lead II": lambda r: np.asarray(
        sleepecg.detect_heartbeats(r.x_mv[LEAD].astype(float), r.fs_hz), np.int64
    ),
    "NeuroKit2, lead II": neurokit,
    "wfdb XQRS, lead II": lambda r: np.asarray(
        processing.xqrs_detect(r.x_mv[LEAD].astype(float), r.fs_hz, verbose=False), np.int64
    ),
}


def marked(path: Path) -> Samples:
    """Peaks of the QRS complexes that are marked in lead II."""
    marks = wfdb.rdann(str(path), "ii")
    return np.array(
        [s for s, c in zip(marks.sample, marks.symbol, strict=True) if c == "N"], np.int64
    )


def matches(found: Samples, expected: Samples, window: float) -> int:
    """Pairs one to one within the window, both in order of time."""
    i = j = n = 0
    while i < found.size and j < expected.size:
        apart = found[i] - expected[j]
        if abs(apart) <= window:
            i, j, n = i + 1, j + 1, n + 1
        elif apart < 0:
            i += 1
        else:
            j += 1
    return n


def row(
    name: str, detect: Callable[[Record], Samples], records: list[tuple[Path, Record]]
) -> dict[str, Any]:
    n_marked = n_found = n_both = 0
    for path, record in records:
        expected, window = marked(path), WINDOW_S * record.fs_hz
        found = detect(record)
        inside = (found >= expected[0] - window) & (found <= expected[-1] + window)
        n_both += matches(found[inside], expected, window)
        n_marked, n_found = n_marked + expected.size, n_found + int(inside.sum())
    se, ppv = 100 * n_both / n_marked, 100 * n_both / n_found
    print(
        f"| {name} | {se:.2f} | {ppv:.2f} | {n_marked - n_both} | {n_found - n_both} "
        f"| {n_marked} |",
        flush=True,
    )
    return {"detector": name, "q_se": se, "q_ppv": ppv, "n": n_marked}


if __name__ == "__main__":
    raise SystemExit(main())
