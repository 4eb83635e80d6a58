"""Strips on ECG paper with what is told of them: classes beneath the beats, rhythm above.

    python -m benchmarks.gallery docs/img/strips            of simulated patients, for the docs
    python -m benchmarks.gallery OUT --records FOLDER [--most N]
                                                           of annotated records: right and wrong

25 mm/s, 10 mm/mV. What is told is black, what the truth says and was not told is red in brackets:
so a strip with red in it is a wrong one. Strips of real records are for the eyes of whoever has
them: they do not belong into a repository.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from PIL import Image

from archive.analysis import analyze_record
from archive.annotate import annotate
from archive.find import find_records
from archive.read import read_annotations, read_record
from detectors import warm
from dsp.synth import (
    AF,
    SVT,
    VF,
    VT,
    Asystole,
    CompleteBlock,
    Flutter,
    Mobitz2,
    Noise,
    Paced,
    Pause,
    Segment,
    Sinus,
    Wenckebach,
    simulate,
)
from ecg import Annotations, Record
from ecg.codes import AAMI_CLASS

STRIP_S = 10.0
ABOUT_MV = (-1.6, 2.2)  # what a strip shows
MM = 1 / 25.4
DPI = 120
COLOURS = 64  # of a picture: enough for paper and ink
PAPER = "#fdf3f1"
FINE, COARSE = "#f3c6c0", "#e59f96"
RED = "#c00000"
NEAR_S = 0.15  # two marks are of one beat


@dataclass(frozen=True, slots=True)
class Case:
    """A strip of a simulated patient: from `from_s` on, in lead II."""

    segments: tuple[Segment, ...]
    from_s: float
    noise: tuple[Noise, ...] = ()


_LEAD_IN = Sinus(20, bpm=72)
CASES = {
    "sinus": Case((Sinus(30, bpm=72),), 15),
    "bradycardia": Case((_LEAD_IN, Sinus(30, bpm=42)), 30),
    "tachycardia": Case((_LEAD_IN, Sinus(30, bpm=125)), 30),
    "af": Case((AF(60, bpm=95),), 40),
    "flutter": Case((Sinus(10), Flutter(60, ratios=(4, 2, 3, 4))), 40),
    "flutter-2-to-1": Case((Sinus(10), Flutter(60, ratios=(2,))), 40),
    "svt": Case((_LEAD_IN, SVT(15, bpm=190), Sinus(10)), 17),
    "bigeminy": Case((_LEAD_IN, Sinus(30, bpm=72, pattern="NV")), 30),
    "trigeminy": Case((_LEAD_IN, Sinus(30, bpm=72, pattern="NNV")), 30),
    "couplet": Case((_LEAD_IN, Sinus(30, bpm=72, pattern="NNNNNVV")), 28),
    "run": Case((_LEAD_IN, Sinus(30, bpm=72, pattern="NNNNNVVV")), 28),
    "vt": Case((_LEAD_IN, VT(12, bpm=175), Pause(1.2), Sinus(12)), 17),
    "idioventricular": Case((_LEAD_IN, VT(20, bpm=70), Sinus(10)), 17),
    "vf": Case((_LEAD_IN, VF(20)), 17),
    "pause": Case((_LEAD_IN, Pause(3.0), Sinus(20)), 17),
    "asystole": Case((_LEAD_IN, Asystole(6.5), Sinus(20)), 17),
    "wenckebach": Case((_LEAD_IN, Wenckebach(40, bpm=75)), 40),
    "mobitz": Case((_LEAD_IN, Mobitz2(40, bpm=78, ratio=3)), 40),
    "two-to-one-block": Case((_LEAD_IN, Mobitz2(40, bpm=84, ratio=2)), 40),
    "complete-block": Case((CompleteBlock(60, bpm=38, atrial_bpm=78),), 40),
    "paced": Case((Paced(60, bpm=70),), 40),
    "noise": Case((Sinus(60),), 24, (Noise("electrode", rms_mv=1.5, start_s=26, duration_s=20),)),
}
"""The strips of docs/arrhythmia.md, by name."""


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path)
    parser.add_argument("--records", type=Path, metavar="FOLDER", help="annotated records")
    parser.add_argument("--most", type=int, default=3, help="strips a record, right and wrong each")
    parser.add_argument("names", nargs="*", help="strips of simulated patients; all when none")
    options = parser.parse_args()
    warm()
    options.out.mkdir(parents=True, exist_ok=True)
    if options.records:
        of_records(options.records, options.out, options.most)
        return 0
    for name in options.names or CASES:
        case = CASES[name]
        made = simulate(case.segments, leads=["II"], seed=4, noise=case.noise or None, name=name)
        told = annotate(analyze_record(made.record), 1, made.record.fs_hz)
        draw(made.record, told, made.truth.atr, case.from_s, options.out / f"{name}.png")
    return 0


def of_records(folder: Path, out: Path, most: int) -> None:
    """Strips about changes of rhythm, told or annotated, of each record that has annotations."""
    for path in find_records([folder]):
        record = read_record(path)
        try:
            truth = read_annotations(path)
        except Exception as error:  # a folder may hold records without annotations, too
            print(f"{path}: {error}")
            continue
        told = annotate(analyze_record(record), len(record.leads), record.fs_hz)
        count = {"right": 0, "wrong": 0}
        changes = sorted(
            int(s)
            for m in (told, truth)
            for s, c in zip(m.sample, m.symbol, strict=True)
            if c == "+"
        )
        last_s = -STRIP_S
        for at in changes:
            from_s = max(at / record.fs_hz - 0.3 * STRIP_S, 0.0)
            if from_s < last_s + STRIP_S or from_s + STRIP_S > record.duration_s:
                continue
            verdict = "right" if is_right(record, told, truth, from_s) else "wrong"
            if count[verdict] < most:
                count[verdict] += 1
                last_s = from_s
                place = out / f"{verdict}-{record.name}-{from_s:.0f}s.png"
                draw(record, told, truth, from_s, place)


def is_right(record: Record, told: Annotations, truth: Annotations, from_s: float) -> bool:
    """Whether the rhythm told in the middle of a strip is the one annotated there."""
    at = round((from_s + STRIP_S / 2) * record.fs_hz)
    return rhythm_at(told, at) == rhythm_at(truth, at)


def rhythm_at(marks: Annotations, sample: int) -> str:
    """Text of the rhythm that holds at a sample, without its bracket; `N` where none was named."""
    rhythm = "N"
    for at, symbol, aux in zip(marks.sample.tolist(), marks.symbol, marks.aux, strict=True):
        if symbol == "+" and at <= sample:
            rhythm = aux.strip("\0(")
    return rhythm


def draw(record: Record, told: Annotations, truth: Annotations, from_s: float, path: Path) -> None:
    """One strip of ten seconds as a PNG; the first lead."""
    low, high = ABOUT_MV
    height = (high - low + 1.1) * 10
    figure = plt.figure(figsize=((STRIP_S * 25 + 4) * MM, (height + 2) * MM), facecolor="white")
    axis = figure.add_axes((0.008, 0.01, 0.984, 0.98))
    axis.set(xlim=(from_s, from_s + STRIP_S), ylim=(low - 0.45, high + 0.65))
    axis.axis("off")
    _paper(axis, from_s)
    fs_hz = record.fs_hz
    first, last = round(from_s * fs_hz), round((from_s + STRIP_S) * fs_hz)
    x = record.x_mv[0, first:last]
    middle = float(np.nan_to_num(np.nanmedian(x)))
    t_s = from_s + np.arange(x.size) / fs_hz
    axis.plot(t_s, np.clip(x - middle, low, high), "k", lw=0.9, solid_joinstyle="round")
    axis.text(from_s + 0.06, high - 0.3, record.leads[0], fontsize=9, weight="bold")
    _beats(axis, told, truth, fs_hz, (first, last))
    _rhythms(axis, told, fs_hz, (first, last), high + 0.38, "black")
    _rhythms(axis, truth, fs_hz, (first, last), high + 0.1, "#666666")
    figure.savefig(path, dpi=DPI)
    plt.close(figure)
    with Image.open(path) as picture:
        picture.convert("RGB").quantize(COLOURS).save(path, optimize=True)


def _paper(axis: Axes, from_s: float) -> None:
    low, high = ABOUT_MV
    end_s = from_s + STRIP_S
    axis.fill_between((from_s, end_s), low, high, color=PAPER, lw=0)
    for step_s, step_mv, colour, width in ((0.04, 0.1, FINE, 0.3), (0.2, 0.5, COARSE, 0.6)):
        times = from_s + np.arange(0.0, STRIP_S + 1e-6, step_s)
        axis.vlines(times, low, high, colour, lw=width)
        axis.hlines(
            np.arange(np.ceil(low / step_mv), high / step_mv + 1e-6) * step_mv,
            from_s,
            end_s,
            colour,
            lw=width,
        )


def _beats(
    axis: Axes, told: Annotations, truth: Annotations, fs_hz: float, span: tuple[int, int]
) -> None:
    """Codes beneath the beats: as told; what is wrong with one, in red."""
    ours, others = _codes(told, span), _codes(truth, span)
    y = ABOUT_MV[0] - 0.34
    for at, code in ours.items():
        true = next((c for s, c in others.items() if abs(s - at) < NEAR_S * fs_hz), "")
        right = bool(true) and AAMI_CLASS[true] == AAMI_CLASS[code]
        text = code if right else f"{code} ({true or 'none'})"
        colour = "black" if right else RED
        axis.text(at / fs_hz, y, text, fontsize=8, color=colour, ha="center")
    for at, code in others.items():
        if not any(abs(s - at) < NEAR_S * fs_hz for s in ours):
            axis.text(at / fs_hz, y, f"({code})", fontsize=8, color=RED, ha="center")


def _codes(marks: Annotations, span: tuple[int, int]) -> dict[int, str]:
    pairs = zip(marks.sample.tolist(), marks.symbol, strict=True)
    return {s: c for s, c in pairs if c in AAMI_CLASS and span[0] <= s < span[1]}


def _rhythms(
    axis: Axes, marks: Annotations, fs_hz: float, span: tuple[int, int], y: float, colour: str
) -> None:
    """A line of rhythms from change to change: what is told above, the truth beneath it."""
    changes = [
        int(s)
        for s, c in zip(marks.sample, marks.symbol, strict=True)
        if c == "+" and span[0] < s < span[1]
    ]
    who = "told" if colour == "black" else "truth"
    for k, at in enumerate([span[0], *changes]):
        if k:
            axis.plot([at / fs_hz] * 2, [y - 0.02, y + 0.2], color=colour, lw=0.8)
        text = rhythm_at(marks, at)
        prefix = f"{who}: " if k == 0 else ""
        axis.text(at / fs_hz + 0.05, y, prefix + text, fontsize=8, color=colour, weight="bold")


if __name__ == "__main__":
    raise SystemExit(main())
