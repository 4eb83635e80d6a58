"""Strips on ECG paper with what is told of them: classes beneath the beats, rhythm above.

    python -m benchmarks.gallery docs/img/strips            of simulated patients, for the docs
    python -m benchmarks.gallery OUT --records FOLDER [--most N]
                                                           of annotated records: right and wrong

25 mm/s, 10 mm/mV. What is told is black, or red where it is wrong, with the true class of a beat in
brackets; the true rhythm is grey. Strips of real records are for the eyes of whoever has
them: they do not belong into a repository.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from itertools import pairwise
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
from ecg.codes import AAMI_CLASS, EpisodeKind

STRIP_S = 10.0
ABOUT_MV = (-1.6, 2.2)  # what a strip shows
MM = 1 / 25.4
DPI = 120
COLOURS = 64  # of a picture: enough for paper and ink
PAPER = "#fdf3f1"
FINE, COARSE = "#f3c6c0", "#e59f96"
RED, GREY = "#c00000", "#666666"
SINUS = ("N", "SBR", "STACH")  # annotators of records seldom name the rate
QUIET = (Noise("baseline", rms_mv=0.03), Noise("muscle", rms_mv=0.008))
EVENTS = (EpisodeKind.COUPLET, EpisodeKind.PAUSE)
NEAR_S = 0.15  # two marks are of one beat


@dataclass(frozen=True, slots=True)
class Case:
    """A strip of a simulated patient: from `from_s` on, in lead II."""

    segments: tuple[Segment, ...]
    from_s: float
    noise: tuple[Noise, ...] = ()


@dataclass(frozen=True, slots=True)
class Seen:
    """A record, what is told of it, and the truth; `events` are told within another rhythm."""

    record: Record
    told: Annotations
    truth: Annotations
    events: list[tuple[int, str]]

    @classmethod
    def of(cls, record: Record, truth: Annotations) -> Seen:
        """Analyse a record."""
        found = analyze_record(record)
        rows = found.episodes[np.isin(found.episodes["kind"], EVENTS)]
        events = [(int(e["onset"]), EpisodeKind(e["kind"]).wfdb[1:]) for e in rows]
        return cls(record, annotate(found, len(record.leads), record.fs_hz), truth, events)


_LEAD_IN = Sinus(20, bpm=72)
CASES = {
    "sinus": Case((Sinus(30, bpm=72),), 15),
    "bradycardia": Case((_LEAD_IN, Sinus(30, bpm=42)), 30),
    "tachycardia": Case((Sinus(60, bpm=125),), 30),
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
    "complete-block": Case((CompleteBlock(60, bpm=42, atrial_bpm=78, escape="junction"),), 40),
    "paced": Case((Paced(60, bpm=70),), 40),
    "noise": Case((Sinus(60),), 24, (Noise("muscle", rms_mv=0.7, start_s=26, duration_s=20),)),
    "motion": Case((Sinus(60),), 24, (Noise("electrode", rms_mv=1.5, start_s=26, duration_s=20),)),
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
        made = simulate(case.segments, seed=4, noise=case.noise or QUIET, name=name)
        draw(Seen.of(made.record, made.truth.atr), case.from_s, options.out / f"{name}.png")
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
        seen = Seen.of(record, truth)
        count = {"right": 0, "wrong": 0}
        changes = sorted(
            int(s)
            for m in (seen.told, truth)
            for s, c in zip(m.sample, m.symbol, strict=True)
            if c == "+"
        )
        last_s = -STRIP_S
        for at in changes:
            from_s = max(at / record.fs_hz - 0.3 * STRIP_S, 0.0)
            if from_s < last_s + STRIP_S or from_s + STRIP_S > record.duration_s:
                continue
            middle = round((from_s + STRIP_S / 2) * record.fs_hz)
            verdict = "right" if is_right(seen, middle) else "wrong"
            if count[verdict] < most:
                count[verdict] += 1
                last_s = from_s
                place = out / f"{verdict}-{record.name}-{from_s:.0f}s.png"
                draw(seen, from_s, place)


def is_right(seen: Seen, sample: int) -> bool:
    """Whether the rhythm told at a sample is the true one: sinus rhythm at any rate, or noise."""
    told, true = rhythm_at(seen.told, sample), rhythm_at(seen.truth, sample)
    return told in (true, "NOISE") or (told in SINUS and true in SINUS)


def rhythm_at(marks: Annotations, sample: int) -> str:
    """Text of the rhythm that holds at a sample, without its bracket; `N` where none was named."""
    rhythm = "N"
    for at, symbol, aux in zip(marks.sample.tolist(), marks.symbol, marks.aux, strict=True):
        if symbol == "+" and at <= sample:
            rhythm = aux.strip("\0(")
    return rhythm


def draw(seen: Seen, from_s: float, path: Path) -> None:
    """One strip of ten seconds as a PNG; the first lead."""
    record = seen.record
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
    _beats(axis, seen, (first, last))
    _rhythms(axis, seen, (first, last), high + 0.38)
    _truth(axis, seen, (first, last), high + 0.1)
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


def _beats(axis: Axes, seen: Seen, span: tuple[int, int]) -> None:
    """Codes beneath the beats: as told; what is wrong with one, in red."""
    ours, others = _codes(seen.told, span), _codes(seen.truth, span)
    fs_hz = seen.record.fs_hz
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


def _changes(marks: Annotations, span: tuple[int, int]) -> list[int]:
    """The strip's begin, the changes of rhythm in it, and its end."""
    inside = [
        int(s)
        for s, c in zip(marks.sample, marks.symbol, strict=True)
        if c == "+" and span[0] < s < span[1]
    ]
    return [span[0], *inside, span[1]]


def _rhythms(axis: Axes, seen: Seen, span: tuple[int, int], y: float) -> None:
    """What is told, from change to change, red where it is wrong; events a little higher."""
    fs_hz = seen.record.fs_hz
    for k, (at, end) in enumerate(pairwise(_changes(seen.told, span))):
        colour = "black" if is_right(seen, (at + end) // 2) else RED
        text = ("told: " if k == 0 else "") + rhythm_at(seen.told, at)
        _label(axis, at / fs_hz, y, text, colour, k > 0)
    for at, text in seen.events:
        if span[0] < at < span[1]:
            colour = RED if rhythm_at(seen.told, at) == "NOISE" else "black"
            _label(axis, at / fs_hz, y, text, colour, True)


def _truth(axis: Axes, seen: Seen, span: tuple[int, int], y: float) -> None:
    """The true rhythm, from change to change."""
    for k, (at, _) in enumerate(pairwise(_changes(seen.truth, span))):
        text = ("truth: " if k == 0 else "") + rhythm_at(seen.truth, at)
        _label(axis, at / seen.record.fs_hz, y, text, GREY, k > 0)


def _label(axis: Axes, at_s: float, y: float, text: str, colour: str, is_change: bool) -> None:
    if is_change:
        axis.plot([at_s] * 2, [y - 0.02, y + 0.2], color=colour, lw=0.8)
    axis.text(at_s + 0.05, y, text, fontsize=8, color=colour, weight="bold", clip_on=True)


if __name__ == "__main__":
    raise SystemExit(main())
