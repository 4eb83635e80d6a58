"""An ECG strip as SVG: the paper, the leads, the beats with their classes, when it was."""

from __future__ import annotations

import math
from datetime import datetime
from html import escape

import numpy as np
from numpy.typing import NDArray

from dashboard.alarm_story import Strip
from ecg.clock import NS

MM_PER_S, MM_PER_MV = 25, 10
TOP_MM, BETWEEN_MM, AXIS_MM = 9, 4, 6
LEAST_MM, MOST_MM = 20, 45  # height of a lead
GAP_S = 0.1  # farther apart, two samples are not joined by a line
# letters and colours as in components/trace.js
_BEATS = {
    "N": ("N", "#6f8f80"),
    "S": ("S", "#7cc4ff"),
    "V": ("V", "#ff6b5e"),
    "F": ("F", "#ffb45e"),
    "/": ("P", "#e6edf3"),
}
_OTHER = ("?", "#9aa7b2")


def svg(strip: Strip, began_ns: int, used_ns: tuple[int, ...] = ()) -> str:
    """The strip, 25 mm/s and 10 mm/mV; units of the drawing are millimetres.

    Parameters
    ----------
    strip : Strip
    began_ns : int
        When the alarm's condition began to hold: marked.
    used_ns : tuple of int
        Beats that the rule used: marked.
    """
    width = (strip.to_ns - strip.from_ns) / NS * MM_PER_S
    parts, y = [], float(TOP_MM)
    for name, t_s, mv in strip.leads:
        lead, height = _lead(name, t_s, mv)
        parts.append(f"<g transform='translate(0 {y:.2f})'>{lead}</g>")
        y += height + BETWEEN_MM
    bottom = max(y, TOP_MM + LEAST_MM)
    height = bottom + AXIS_MM
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width:g} {height:.2f}'"
        " font-family='Source Sans, sans-serif' font-size='3.4'>"
        f"{_paper(width, bottom)}{''.join(parts)}{_beats(strip, used_ns)}"
        f"{_axis(strip, began_ns, bottom)}</svg>"
    )


def _paper(width: float, height: float) -> str:
    lines = [f"<rect width='{width:g}' height='{height:.2f}' fill='#06090b'/>"]
    for step, colour in ((1, "#16211d"), (5, "#2d4138")):
        across = "".join(f"M{x} 0V{height:.2f}" for x in range(0, math.ceil(width), step))
        down = "".join(f"M0 {y}H{width:g}" for y in range(0, math.ceil(height), step))
        lines.append(f"<path d='{across}{down}' stroke='{colour}' stroke-width='.15' fill='none'/>")
    return "".join(lines)


def _lead(name: str, t_s: NDArray[np.float64], mv: NDArray[np.float64]) -> tuple[str, float]:
    """The line of a lead, its own middle in the middle; and how high it is, mm."""
    known = mv[np.isfinite(mv)]
    low, high = (known.min(), known.max()) if known.size else (0.0, 0.0)
    height = float(np.clip((high - low) * MM_PER_MV + 4, LEAST_MM, MOST_MM))
    y = np.clip(height / 2 - (mv - (low + high) / 2) * MM_PER_MV, 0, height)
    path, down = [], False
    for i, (at, level) in enumerate(zip(t_s.tolist(), y.tolist(), strict=True)):
        if not math.isfinite(level):
            down = False
            continue
        is_joined = down and at - t_s[i - 1] < GAP_S
        path.append(f"{'L' if is_joined else 'M'}{at * MM_PER_S:.2f} {level:.2f}")
        down = True
    line = f"<path d='{''.join(path)}' stroke='#3fe07f' stroke-width='.4' fill='none'/>"
    return f"{line}<text x='1' y='4' fill='#c9d4de' font-weight='600'>{escape(name)}</text>", height


def _beats(strip: Strip, used_ns: tuple[int, ...]) -> str:
    marks = []
    for t_ns, code in strip.beats:
        letter, colour = _BEATS.get(code, _OTHER)
        x = (t_ns - strip.from_ns) / NS * MM_PER_S
        used = " text-decoration='underline'" if t_ns in used_ns else ""
        marks.append(
            f"<text x='{x:.2f}' y='7.5' fill='{colour}' font-weight='700'"
            f" text-anchor='middle'{used}>{letter}</text>"
        )
    return "".join(marks)


def _axis(strip: Strip, began_ns: int, bottom: float) -> str:
    """Time of day each second, and when the condition began to hold."""
    marks = []
    first = -(-strip.from_ns // NS) * NS
    for t_ns in range(first, strip.to_ns, NS):
        x = (t_ns - strip.from_ns) / NS * MM_PER_S
        clock = datetime.fromtimestamp(t_ns // NS).strftime("%H:%M:%S")
        marks.append(
            f"<path d='M{x:.2f} {bottom:.2f}v1' stroke='#8795a1' stroke-width='.3'/>"
            f"<text x='{x:.2f}' y='{bottom + 4.5:.2f}' fill='#b3c1ce' text-anchor='middle'"
            f" font-size='3'>{clock}</text>"
        )
    x = (began_ns - strip.from_ns) / NS * MM_PER_S
    marks.append(
        f"<path d='M{x:.2f} 0V{bottom:.2f}' stroke='#f2c500' stroke-width='.5'"
        " stroke-dasharray='2 1'/>"
        f"<text x='{x + 1:.2f}' y='3.2' fill='#f2c500' font-weight='600'>condition holds</text>"
    )
    return "".join(marks)
