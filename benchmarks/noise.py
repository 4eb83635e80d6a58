"""Beats and their classes amid noise: MIT-BIH records with noise added, as WFDB's `nst` does it.

Baseline wander (`bw`) and muscle noise (`ma`) are those of nstdb. Motion of the electrodes is made
by `dsp.synth`: of the kind that the models have learnt from, but not the same course. The first
five minutes are left as they are; then two minutes with noise and two without take turns. The
signal counts as a sine as high as its QRS complexes, the noise by its RMS of a second
(`dsp.synth.noise`), each lead by itself, so that the ratio is the one asked for in every record.
The classes are of models that were trained on these patients.
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
from dsp.synth import Asystole, Noise, simulate
from dsp.synth.noise import noise_power, signal_power
from ecg import Annotations, Findings
from ecg.codes import BEAT_CODES

CLEAN_S, TURN_S = 300.0, 120.0
KINDS = ("bw", "ma", "motion")
RATIOS_DB = (24.0, 12.0, 6.0, 0.0)
MOTION_S = 1805.0
THEIRS = "SleepECG, lead 1"


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
    print(
        "\n| noise | ratio, dB | detector | QRS Se % | QRS +P % | missed | too many "
        "| VEB Se % | VEB +P % |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    records = [
        (p, read_record(p), read_annotations(p)) for p in find_records([Path(data) / "mitdb"])
    ]
    rows = []
    for kind in KINDS:
        noise = motion() if kind == "motion" else read_noise(Path(data) / "nstdb" / kind)
        for ratio_db in RATIOS_DB:
            tables: dict[str, list[BeatTable]] = {}
            for _, record, reference in records:
                r_samples = reference.sample[[s in BEAT_CODES for s in reference.symbol]]
                x_mv = mix(record.x_mv, noise, r_samples, record.fs_hz, ratio_db)
                for name, marks in detected(x_mv, record.fs_hz, record.leads).items():
                    table = compare(reference, marks, record.fs_hz, record.n_samples)
                    tables.setdefault(name, []).append(table)
            rows += [row(kind, ratio_db, name, total(of)) for name, of in tables.items()]
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1))
    return 0


def detected(
    x_mv: NDArray[np.float32], fs_hz: float, leads: tuple[str, ...]
) -> dict[str, Annotations]:
    """Detector -> beats, with their classes where it tells them."""
    found = {}
    for name, n_leads in (("telerhythm, both leads", len(leads)), ("telerhythm, lead 1", 1)):
        analyzer = Analyzer(fs_hz, leads[:n_leads])
        findings = Findings.concat([analyzer.push(x_mv[:n_leads]), analyzer.finish()])
        beats = np.sort(findings.with_classes().beats, order="sample")
        found[name] = marks_of(beats["sample"], beats["code"].tolist())
    beats = np.asarray(sleepecg.detect_heartbeats(x_mv[0].astype(float), fs_hz), np.int64)
    found[THEIRS] = marks_of(beats, [ord("N")] * beats.size)
    return found


def marks_of(samples: NDArray[np.int64], codes: list[int]) -> Annotations:
    """Beats as annotations."""
    return Annotations(samples, tuple(map(chr, codes)), ("",) * samples.size)


def row(kind: str, ratio_db: float, name: str, table: BeatTable) -> dict[str, Any]:
    beats = table.counts[:5, :5].sum()
    missed, extra = int(table.counts[:5].sum() - beats), int(table.counts[:, :5].sum() - beats)
    se, ppv = 100 * table.q_se, 100 * table.q_ppv
    told = {"noise": kind, "ratio_db": ratio_db, "detector": name, "q_se": se, "q_ppv": ppv}
    classes = " | "
    if name != THEIRS:
        figures = table.figures()
        told |= {key: figures[key] for key in ("v_se", "v_ppv")}
        classes = f"{figures['v_se']:.2f} | {figures['v_ppv']:.2f}"
    print(
        f"| {kind} | {ratio_db:g} | {name} | {se:.2f} | {ppv:.2f} | {missed} | {extra} "
        f"| {classes} |",
        flush=True,
    )
    return told


def read_noise(path: Path) -> NDArray[np.float64]:
    """Noise of a record, in steps of its converter, float64 [2, n]: its header knows no gain."""
    return np.asarray(wfdb.rdrecord(str(path), physical=False).d_signal.T, np.float64)


def motion() -> NDArray[np.float64]:
    """Electrodes that move, two courses at 360 Hz, float64 [2, n]."""
    noise = (Noise("electrode", rms_mv=1.0),)
    made = simulate([Asystole(MOTION_S)], fs_hz=360.0, leads=("II", "V1"), noise=noise, seed=11)
    return made.record.x_mv.astype(np.float64)


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
