"""QRS detection of real records when gain, polarity, offset, rate change, or mains hum is added.

MIT-BIH Arrhythmia Database, EC57 from minute 5. The reference annotations move with the rate.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

from archive.evaluate import compare, total
from archive.find import find_records
from archive.read import read_annotations, read_record
from benchmarks.machine import describe
from detectors import Analyzer, warm
from ecg import Annotations, Findings

RATES_HZ = (125, 200, 250, 257, 500, 1000)
HUM_MV = 0.5
Signal = NDArray[np.float32]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    data = os.environ.get("TELERHYTHM_DATA")
    if not data:
        print("No figures: set TELERHYTHM_DATA to a folder that holds mitdb.")
        return 0
    warm()
    paths = find_records([Path(data) / "mitdb"])
    print(describe("numba", "scipy"))
    print(f"\n{len(paths)} records; difference to the records as they are, in points.\n")
    print("| the records | lead 1 Se % | +P % | difference | both leads Se % | +P % | difference |")
    print("|---|---|---|---|---|---|---|")
    rows: list[dict[str, Any]] = []
    for name, change, fs_hz in changes():
        found = {n: figures(paths, change, fs_hz, n) for n in (1, 2)}
        rows.append({"records": name, "lead 1": found[1], "both leads": found[2]})
        print(line(rows[-1], rows[0]), flush=True)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1))
    return 0


def changes() -> Iterator[tuple[str, Callable[[Signal, float], Signal], float]]:
    """Name, what is done to the signal, and its rate afterwards (0: its own)."""
    yield "as they are", lambda x, fs_hz: x, 0.0
    for gain in (0.1, 10.0, -1.0):
        yield f"times {gain:g}", lambda x, fs_hz, g=gain: np.float32(g) * x, 0.0
    yield "300 mV higher", lambda x, fs_hz: x + np.float32(300.0), 0.0
    for hz in (50.0, 60.0):
        yield f"{HUM_MV} mV of {hz:g} Hz added", lambda x, fs_hz, f=hz: x + hum(x, fs_hz, f), 0.0
    for rate in RATES_HZ:
        yield f"at {rate} Hz", lambda x, fs_hz, r=rate: resampled(x, fs_hz, r), float(rate)


def hum(x_mv: Signal, fs_hz: float, line_hz: float) -> Signal:
    """Mains interference, float32 [n_samples]."""
    t_s = np.arange(x_mv.shape[1]) / fs_hz
    return (HUM_MV * np.sin(2 * np.pi * line_hz * t_s)).astype(np.float32)


def resampled(x_mv: Signal, fs_hz: float, rate_hz: float) -> Signal:
    """The signal at another rate, by a polyphase filter without delay."""
    ratio = Fraction(rate_hz) / Fraction(fs_hz)
    return resample_poly(x_mv, ratio.numerator, ratio.denominator, axis=1).astype(np.float32)


def figures(
    paths: list[Path], change: Callable[[Signal, float], Signal], fs_hz: float, n_leads: int
) -> tuple[float, float]:
    """Se and +P of all records together, %."""
    tables = []
    for path in paths:
        record, reference = read_record(path), read_annotations(path)
        rate_hz = fs_hz or record.fs_hz
        x_mv = change(record.x_mv[:n_leads], record.fs_hz)
        analyzer = Analyzer(rate_hz, record.leads[:n_leads])
        findings = Findings.concat([analyzer.push(x_mv), analyzer.finish()])
        beats = np.sort(findings.beats["sample"])
        moved = np.round(reference.sample * (rate_hz / record.fs_hz)).astype(np.int64)
        reference = Annotations(moved, reference.symbol, reference.aux)
        found = Annotations(beats, ("N",) * beats.size, ("",) * beats.size)
        tables.append(compare(reference, found, rate_hz, x_mv.shape[1]))
    table = total(tables)
    return 100 * table.q_se, 100 * table.q_ppv


def line(row: dict[str, Any], native: dict[str, Any]) -> str:
    cells = [row["records"]]
    for leads in ("lead 1", "both leads"):
        (se, ppv), (se_0, ppv_0) = row[leads], native[leads]
        cells += [f"{se:.3f}", f"{ppv:.3f}", f"{se - se_0:+.3f} / {ppv - ppv_0:+.3f}"]
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    raise SystemExit(main())
