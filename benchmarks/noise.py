"""Beats amid real noise: MIT-BIH records with noise of nstdb added, as WFDB's `nst` does it.

The first five minutes are left as they are; then two minutes with noise and two without take
turns. The signal counts as a sine as high as its QRS complexes, the noise by its RMS of a second
(`dsp.synth.noise`), each lead by itself, so that the ratio is the one asked for in every record.
"""

from __future__ import annotations

import argparse
import json
import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import sleepecg
import wfdb
from numpy.typing import NDArray

from archive.evaluate import BeatTable, compare, total
from archive.find import find_records
from archive.read import read_annotations, read_record
from benchmarks.machine import describe
from detectors import Analyzer, warm
from dsp.synth.noise import noise_power, signal_power
from ecg import Annotations, Findings
from ecg.codes import BEAT_CODES

CLEAN_S, TURN_S = 300.0, 120.0
KINDS = ("bw", "ma")
RATIOS_DB = (24.0, 12.0, 6.0, 0.0)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    data = os.environ.get("TELERHYTHM_DATA")
    if not data:
        print("No figures: set TELERHYTHM_DATA to a folder that holds mitdb and nstdb.")
        return 0
    warnings.simplefilter("ignore")
    warm()
    print(describe("numba", "sleepecg", "wfdb"))
    print("\n| noise | ratio, dB | detector | QRS Se % | QRS +P % | missed | too many |")
    print("|---|---|---|---|---|---|---|")
    records = [
        (p, read_record(p), read_annotations(p)) for p in find_records([Path(data) / "mitdb"])
    ]
    rows = []
    for kind in KINDS:
        noise = read_noise(Path(data) / "nstdb" / kind)
        for ratio_db in RATIOS_DB:
            tables: dict[str, list[BeatTable]] = {}
            for _, record, reference in records:
                r_samples = reference.sample[[s in BEAT_CODES for s in reference.symbol]]
                x_mv = mix(record.x_mv, noise, r_samples, record.fs_hz, ratio_db)
                for name, beats in detected(x_mv, record.fs_hz, record.leads).items():
                    marks = Annotations(beats, ("N",) * beats.size, ("",) * beats.size)
                    table = compare(reference, marks, record.fs_hz, record.n_samples)
                    tables.setdefault(name, []).append(table)
            rows += [row(kind, ratio_db, name, total(of)) for name, of in tables.items()]
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1))
    return 0


def detected(
    x_mv: NDArray[np.float32], fs_hz: float, leads: tuple[str, ...]
) -> dict[str, NDArray[np.int64]]:
    """Detector -> beats."""
    found = {}
    for name, n_leads in (("telerhythm, both leads", len(leads)), ("telerhythm, lead 1", 1)):
        analyzer = Analyzer(fs_hz, leads[:n_leads])
        findings = Findings.concat([analyzer.push(x_mv[:n_leads]), analyzer.finish()])
        found[name] = np.sort(findings.beats["sample"])
    beats = sleepecg.detect_heartbeats(x_mv[0].astype(float), fs_hz)
    found["SleepECG, lead 1"] = np.asarray(beats, np.int64)
    return found


def row(kind: str, ratio_db: float, name: str, table: BeatTable) -> dict[str, Any]:
    beats = table.counts[:5, :5].sum()
    missed, extra = int(table.counts[:5].sum() - beats), int(table.counts[:, :5].sum() - beats)
    se, ppv = 100 * table.q_se, 100 * table.q_ppv
    print(
        f"| {kind} | {ratio_db:g} | {name} | {se:.2f} | {ppv:.2f} | {missed} | {extra} |",
        flush=True,
    )
    return {"noise": kind, "ratio_db": ratio_db, "detector": name, "q_se": se, "q_ppv": ppv}


def read_noise(path: Path) -> NDArray[np.float64]:
    """Noise of a record, in steps of its converter, float64 [2, n]: its header knows no gain."""
    return np.asarray(wfdb.rdrecord(str(path), physical=False).d_signal.T, np.float64)


def mix(
    x_mv: NDArray[np.float32],
    noise: NDArray[np.float64],
    r_samples: NDArray[np.int64],
    fs_hz: float,
    ratio_db: float,
) -> NDArray[np.float32]:
    """A record with noise in turns of two minutes from the fifth minute on.

    Where noise begins and ends the signal goes on without a step, as `nst` has it: the offset
    changes so that the steps vanish.
    """
    n = x_mv.shape[1]
    mixed = x_mv.astype(np.float64)
    turn = round(TURN_S * fs_hz)
    edges = [0, *range(round(CLEAN_S * fs_hz), n, turn), n]
    for i, lead in enumerate(mixed):
        course = np.resize(noise[i % len(noise)], n)
        power = signal_power(lead, r_samples, fs_hz)
        gain = np.sqrt(power / noise_power(course, fs_hz) / 10 ** (ratio_db / 10))
        offset = 0.0
        for k in range(len(edges) - 1):
            part = slice(edges[k], edges[k + 1])
            here = gain * course[part] if k % 2 else np.zeros(part.stop - part.start)
            here += offset - here[0]
            lead[part] += here
            offset = here[-1]
    return mixed.astype(np.float32)


if __name__ == "__main__":
    raise SystemExit(main())
