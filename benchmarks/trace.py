"""The ward page in a browser: does it keep up, what does it cost, how late is it?

The whole demo runs: broker, simulated devices, serve, dashboard; a headless Chromium draws without
a graphics card, on the same cores. An empty page in the same browser says what the machine can do.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from playwright.sync_api import Page

from benchmarks.beds import simulated
from benchmarks.machine import describe
from benchmarks.page import browser_page
from telerhythm.demo import Demo

LATENCY_LIMIT_MS = 1500  # device to pixel

EMPTY_FRAMES = """(ms) => new Promise((done) => {
  const start = performance.now();
  let frames = 0;
  const next = (now) => {
    if (now - start >= ms) done((frames * 1000) / (now - start));
    else frames++, requestAnimationFrame(next);
  };
  requestAnimationFrame(next);
})"""
# Counts frames and how long each is drawn; reads how late every bed is ten times a second.
WATCH = """(ms) => new Promise((done) => {
  const screen = window.__telerhythm, drawn = [], late = [];
  const frames = screen.counters.frames, start = performance.now();
  const frame = screen.frame;
  screen.frame = (now) => {
    const began = performance.now();
    for (const trace of screen.traces) trace.frame(now);
    drawn.push(performance.now() - began);
    screen.counters.frames++;
    requestAnimationFrame(screen.frame);
  };
  const reader = setInterval(() => late.push(...Object.values(screen.counters.latency_ms)), 100);
  setTimeout(() => {
    clearInterval(reader);
    screen.frame = frame;
    const seconds = (performance.now() - start) / 1000;
    done({ fps: (screen.counters.frames - frames) / seconds, drawn, late });
  }, ms);
})"""


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one ward."""

    beds: int
    frames_per_s: float
    empty_frames_per_s: float
    drawing_p50_ms: float
    drawing_p99_ms: float
    server_cpu_percent: float
    latency_p50_ms: float
    latency_p99_ms: float


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    wards = [measure(n_beds, options.seconds) for n_beds in (8, 16)]
    print(describe("streamlit", "playwright"))
    print(
        f"\n| over {options.seconds:g} s | {' | '.join(f'{w.beds} beds' for w in wards)} | limit |"
    )
    print("|---|" + "---|" * (len(wards) + 1))
    _row("frames a second", [f"{w.frames_per_s:.0f}" for w in wards], "the screen's")
    _row("frames a second of an empty page", [f"{w.empty_frames_per_s:.0f}" for w in wards])
    _row("drawing of a frame, median, ms", [f"{w.drawing_p50_ms:.1f}" for w in wards], "16.7")
    _row("drawing of a frame, 99 %, ms", [f"{w.drawing_p99_ms:.1f}" for w in wards])
    _row("dashboard server, share of a core, %", [f"{w.server_cpu_percent:.1f}" for w in wards])
    _row("device to pixel, median, ms", [f"{w.latency_p50_ms:.0f}" for w in wards])
    limit = f"{LATENCY_LIMIT_MS}"
    _row("device to pixel, 99 %, ms", [f"{w.latency_p99_ms:.0f}" for w in wards], limit)
    if options.json:
        options.json.write_text(json.dumps([asdict(w) for w in wards], indent=1))
    return 0


def measure(n_beds: int, seconds: float) -> Figures:
    """Run a ward and watch it."""
    with Demo(simulated(n_beds)) as demo, browser_page() as page:
        page.set_default_timeout(120_000)
        page.goto("about:blank")
        empty_fps = float(page.evaluate(EMPTY_FRAMES, 1000 * seconds / 4))
        page.goto(demo.address)
        _wait_until_all_move(page, n_beds)
        server = next(part for part in demo.parts if part.name == "dashboard").process.pid
        cpu_s = _cpu_s(server)
        watched = page.evaluate(WATCH, seconds * 1000)
        cpu_s = _cpu_s(server) - cpu_s
    return Figures(
        beds=n_beds,
        frames_per_s=watched["fps"],
        empty_frames_per_s=empty_fps,
        drawing_p50_ms=float(np.median(watched["drawn"])),
        drawing_p99_ms=float(np.percentile(watched["drawn"], 99)),
        server_cpu_percent=100 * cpu_s / seconds,
        latency_p50_ms=float(np.median(watched["late"])),
        latency_p99_ms=float(np.percentile(watched["late"], 99)),
    )


def _wait_until_all_move(page: Page, n_beds: int) -> None:
    page.wait_for_function(
        """(n) => {
          const signals = [...(window.__telerhythm?.signals.values() ?? [])];
          return signals.length === n && __telerhythm.traces.size === n
            && signals.every((s) => s.hasSignal && s.end - s.first > 8 * s.fs);
        }""",
        arg=n_beds,
        polling=200,
    )


def _cpu_s(pid: int) -> float:
    """Processor time of a process so far (proc(5): stat, fields 14 and 15)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _row(what: str, figures: list[str], limit: str = "") -> None:
    print(f"| {what} | {' | '.join(figures)} | {limit} |")


if __name__ == "__main__":
    sys.exit(main())
