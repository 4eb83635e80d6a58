"""Beat classes on the MIT-BIH Arrhythmia Database: EC57, runs, when a class is known, speed.

The shipped model was trained on these patients: what holds on other ones is what `make train`
measures, patient by patient, and writes into `detectors/models/beats.md`.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import sleepecg

from archive.analysis import analyze_record
from archive.annotate import annotate
from archive.evaluate import BeatTable, compare, total
from archive.find import find_records
from archive.read import read_annotations, read_record
from archive.runs import RunTable, compare_runs, total_runs
from benchmarks.machine import describe
from detectors import Analyzer, warm
from ecg import Record

STEP = 9  # samples a push: 25 ms at 360 Hz
LATENCY_S = 300
ROUNDS = 3


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    warm()
    print(describe("numba", "sleepecg"))
    data = os.environ.get("TELERHYTHM_DATA")
    if not data:
        print("\nNothing to measure: set TELERHYTHM_DATA to a folder that holds mitdb.")
        return 0
    records = [(p, read_record(p)) for p in find_records([Path(data) / "mitdb"])]
    found: dict[str, Any] = {"accuracy": accuracy(records)}
    found["known_after_s"] = known_after([record for _, record in records])
    found["speed"] = speed([record for _, record in records[:8]])
    if options.json:
        options.json.write_text(json.dumps(found, indent=1))
    return 0


def accuracy(records: list[tuple[Path, Record]]) -> dict[str, Any]:
    print(f"\n{len(records)} records, EC57 from minute 5; the patients were trained on.\n")
    print(
        "| leads | VEB Se % | VEB +P % | SVEB Se % | SVEB +P % | V couplets Se / +P "
        "| V runs of 3 to 5 | V runs of 6 and more |"
    )
    print("|---|---|---|---|---|---|---|---|")
    rows = {}
    for name, n_leads in (("first", 1), ("both", 2)):
        tables: list[BeatTable] = []
        runs: list[RunTable] = []
        for path, record in records:
            chosen = replace(record, x_mv=record.x_mv[:n_leads], leads=record.leads[:n_leads])
            found = annotate(analyze_record(chosen), n_leads, record.fs_hz)
            marks = read_annotations(path)
            tables.append(compare(marks, found, record.fs_hz, record.n_samples))
            runs.append(compare_runs(marks, found, record.fs_hz, record.n_samples))
        f, r = total(tables).figures(), total_runs(runs).figures()
        beats = " | ".join(f"{f[k]:.2f}" for k in ("v_se", "v_ppv", "s_se", "s_ppv"))
        in_a_row = " | ".join(
            f"{r[k + '_se']:.1f} / {r[k + '_ppv']:.1f}"
            for k in ("couplet", "short_run", "long_run")
        )
        print(f"| {name} | {beats} | {in_a_row} |")
        rows[name] = f | r
    return rows


def known_after(records: list[Record]) -> dict[str, float]:
    """How long after its R peak the class of a beat is known, and after the next one; s."""
    after: list[float] = []
    after_next: list[float] = []
    for record in records:
        analyzer = Analyzer(record.fs_hz, record.leads)
        for begin in range(0, int(LATENCY_S * record.fs_hz), STEP):
            now = begin + STEP
            told = analyzer.push(record.x_mv[:, begin:now]).classified
            if told.size:
                last = float(analyzer.state["head"]["beats"]["at"][0]) * record.fs_hz / 250.0
                after += ((now - told["sample"]) / record.fs_hz).tolist()
                after_next.append((now - last) / record.fs_hz)
    figures = {
        "worst": max(after),
        "p95": float(np.percentile(after, 95)),
        "p95_after_next": float(np.percentile(after_next, 95)),
    }
    print(
        f"\nA class is known {figures['p95']:.2f} s after the R peak for 95 % of beats, at most "
        f"{figures['worst']:.2f} s; {figures['p95_after_next']:.2f} s after the next one for 95 %."
    )
    return figures


def speed(records: list[Record]) -> dict[str, float]:
    """Samples a second of processor time, one lead: the whole analysis, and SleepECG's QRS."""
    best = {"telerhythm": 0.0, "sleepecg": 0.0}
    n = sum(record.n_samples for record in records)
    for _ in range(ROUNDS):
        began = time.process_time()
        for record in records:
            Analyzer(record.fs_hz, record.leads[:1]).push(record.x_mv[:1])
        ours = time.process_time()
        for record in records:
            sleepecg.detect_heartbeats(record.x_mv[0].astype(float), record.fs_hz)
        theirs = time.process_time()
        best["telerhythm"] = max(best["telerhythm"], n / (ours - began))
        best["sleepecg"] = max(best["sleepecg"], n / (theirs - ours))
    print(
        f"\nWhole analysis, one lead, one core: {best['telerhythm']:.2e} samples/s; SleepECG's "
        f"detect_heartbeats alone {best['sleepecg']:.2e}."
    )
    return best


if __name__ == "__main__":
    raise SystemExit(main())
