"""Draw one hard minute as the QRS detector sees it: signal, feature, levels, decisions.

    python -m benchmarks.plot_qrs docs/img/qrs-minute.png

The patient is simulated (`dsp.synth`): tall T waves, ventricular beats, hum, muscle noise, an
electrode that moves, a lead that falls off. What is drawn is read out of the state between pushes
of one sample each: it is what the kernel itself decided.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from detectors import Analyzer
from detectors.state import FUSED
from dsp.filters import DELAY
from dsp.resample import ANALYSIS_HZ
from dsp.synth import Noise, Script, Simulated, Sinus, simulate
from dsp.synth.patient import Patient
from ecg.codes import BeatFlag

MINUTE = Script(
    (Sinus(20, bpm=72, pattern="NNNNNV"), Sinus(40, bpm=88, pattern="NNNNNNNV")),
    Patient(qrs_mv=0.9, t_mv=0.55),
    noise=(
        Noise("baseline", rms_mv=0.08),
        Noise("muscle", rms_mv=0.01),
        Noise("powerline", rms_mv=0.15, start_s=11, duration_s=8),
        Noise("muscle", snr_db=3, start_s=22, duration_s=8),
        Noise("electrode", snr_db=-3, start_s=33, duration_s=8),
        Noise("lead off", start_s=46, duration_s=4),
    ),
    about="A hard minute",
    leads=("II",),
)
ROW_S = 20.0
MOST_ODDS = 10.0
COLUMNS = ("fused", "height", "mean", "learning")


def watch(simulated: Simulated) -> tuple[dict[str, Any], list[tuple[float, float, float]], Any]:
    """Levels of each sample, peaks that were judged (s, height, log odds), and the beats."""
    record = simulated.record
    analyzer = Analyzer(record.fs_hz, record.leads)
    qrs = analyzer.state["head"][0]["qrs"]
    levels = {name: np.zeros(record.n_samples) for name in COLUMNS}
    judged, beats, n_judged = [], [], 0
    for i in range(record.n_samples):
        beats.append(analyzer.push(record.x_mv[:, i : i + 1]).beats)
        n = int(analyzer.state["head"][0]["n"])
        if n > 0:
            levels["fused"][i] = qrs["fused"][(n - 1) % FUSED]
        levels["height"][i], levels["mean"][i] = qrs["height"], qrs["mean"]
        levels["learning"][i] = qrs["n_beats"] < 8
        if qrs["n_judged"] != n_judged:
            n_judged = int(qrs["n_judged"])
            held = qrs["held"] if qrs["held"]["at"] == qrs["judged_at"] else qrs["last"]
            at_s = (float(held["at"]) - DELAY) / ANALYSIS_HZ
            judged.append((at_s, float(held["height"]), float(held["evidence"])))
    return levels, judged, np.concatenate(beats)


def draw(path: Path) -> None:
    """Write the picture."""
    simulated = simulate(MINUTE, seed=4, name="hard minute")
    record = simulated.record
    levels, judged, beats = watch(simulated)
    rows = int(np.ceil(record.duration_s / ROW_S))
    figure, axes = plt.subplots(
        3 * rows, 1, figsize=(16, 4.6 * rows), height_ratios=[3, 2, 1.2] * rows
    )
    for row in range(rows):
        span = row * ROW_S, (row + 1) * ROW_S
        _signal(axes[3 * row], simulated, beats, span)
        _feature(axes[3 * row + 1], levels, judged, record.fs_hz, span)
        _odds(axes[3 * row + 2], judged, span)
    figure.tight_layout(h_pad=0.2)
    figure.savefig(path, dpi=90)
    plt.close(figure)


def _signal(axis: Axes, simulated: Simulated, beats: Any, span: tuple[float, float]) -> None:
    record, atr = simulated.record, simulated.truth.atr
    t_s = np.arange(record.n_samples) / record.fs_hz
    axis.plot(t_s, record.x_mv[0], "k", lw=0.6)
    for sample, code in zip(atr.sample, atr.symbol, strict=True):
        if code in "NVA" and span[0] <= sample / record.fs_hz < span[1]:
            axis.text(sample / record.fs_hz, 2.25, code, fontsize=8, ha="center", color="#555555")
    back = beats["flags"] & BeatFlag.SEARCH_BACK != 0
    for chosen, color, name in (
        (~back, "#1a7f37", "a beat"),
        (back, "#bf5f00", "a beat found by search-back"),
    ):
        at_s = beats["sample"][chosen] / record.fs_hz
        axis.plot(at_s, np.full(at_s.size, -1.5), "^", color=color, ms=6, label=name)
    axis.set(xlim=span, ylim=(-1.8, 2.7), ylabel="lead II, mV", xticklabels=[])
    if span[0] == 0:
        axis.legend(loc="upper right", ncols=2, fontsize=8)
        axis.set_title("letters: beats that are there; triangles: beats that are told", fontsize=9)


def _feature(
    axis: Axes,
    levels: dict[str, Any],
    judged: list[tuple[float, float, float]],
    fs_hz: float,
    span: tuple[float, float],
) -> None:
    t_s = np.arange(levels["fused"].size) / fs_hz - DELAY / ANALYSIS_HZ
    axis.plot(t_s, levels["fused"], color="#3a6ff6", lw=0.8, label="feature")
    axis.plot(t_s, levels["height"], color="#888888", lw=0.8, label="height of beats (median)")
    axis.plot(t_s, levels["mean"], color="#888888", lw=0.8, ls=":", label="mean of 2 s")
    for beat, color, name in (
        (True, "#1a7f37", "judged a beat"),
        (False, "#c62828", "judged none"),
    ):
        points = [(t, height) for t, height, odds in judged if (odds > 0) == beat]
        if points:
            axis.plot(*zip(*points, strict=True), "o", color=color, ms=4, label=name)
    top = 3.0 * float(np.median(levels["height"][levels["height"] > 0]))
    axis.set(xlim=span, ylim=(0, top), ylabel="mV a 16 ms", xticklabels=[])
    if span[0] == 0:
        axis.legend(loc="upper right", ncols=5, fontsize=8)


def _odds(axis: Axes, judged: list[tuple[float, float, float]], span: tuple[float, float]) -> None:
    for t, _, odds in judged:
        odds = float(np.clip(odds, -MOST_ODDS, MOST_ODDS))
        axis.plot([t, t], [0, odds], color="#1a7f37" if odds > 0 else "#c62828", lw=2)
    axis.axhline(0.0, color="#888888", lw=0.6)
    axis.set(xlim=span, ylim=(-MOST_ODDS, MOST_ODDS), ylabel="log odds")
    axis.set_xticks(np.arange(span[0], span[1] + 0.1, 2.0))
    axis.set_xlabel("s")


if __name__ == "__main__":
    draw(Path(sys.argv[1]))
