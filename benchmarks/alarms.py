"""The alarm engine: findings a second on one core, and the size of a bed's state."""

from __future__ import annotations

import argparse
import sys
import time
from operator import itemgetter

import numpy as np

from alerts.engine import Analysed, FrameSeen, Place, State, Tick, begin, step, to_json
from benchmarks.machine import describe
from ecg.clock import NS
from ecg.codes import QualityCode
from ecg.findings import BEAT, QUALITY, VITALS

T0_NS = 1_750_000_000 * NS
AT_LEAST = 200_000
RUNS = 7


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=3_000, help="of one bed's signal")
    options = parser.parse_args()
    print(describe("numpy"))
    print("\nSeconds of two leads, each with its beats, vital numbers and quality; processor time")
    print(f"of one core, best of {RUNS} runs. A push of 1 s is a live frame, one of 60 s a record")
    print("that is read:\n")
    print("| signal | pushes of | findings/s | µs a push | at least |\n|---|---|---|---|---|")
    for title, rate_bpm, code, letters in (
        ("sinus rhythm, 75/min", 75, QualityCode.USABLE, "N"),
        ("bigeminy and runs, 75/min", 75, QualityCode.USABLE, "NVNVNVNNVVVNNNVVNNNN"),
        ("an alarm raised and ended every few seconds", 25, QualityCode.FLAT, "N"),
    ):
        for push_s in (1, 60):
            events = make_events(options.seconds, push_s, rate_bpm, code, letters)
            n = sum(e.beats.size + e.vitals.size + e.quality.size for e in events)
            seconds, state = min((run(events) for _ in range(RUNS)), key=itemgetter(0))
            print(
                f"| {title} | {push_s} s | {n / seconds:,.0f}"
                f" | {seconds / len(events) * 1e6:.0f} | {AT_LEAST:,} |"
            )
    print(f"\nA frame that is seen and a tick of the clock: {clock_us(state):.1f} µs together.")
    print(f"State of a bed for a restart: {len(to_json(state)):,} bytes of JSON.")
    return 0


def make_events(
    seconds: int, push_s: int, rate_bpm: float, code: QualityCode, letters: str = "N"
) -> list[Analysed]:
    beat_s = np.arange(0.5, seconds, 60 / rate_bpm)
    # every eighth beat is missing: below 40/min that makes silences of more than 4 s
    beat_s = beat_s[np.arange(len(beat_s)) % 8 != 7] if code is QualityCode.FLAT else beat_s
    beats = np.zeros(len(beat_s), BEAT)
    beats["t_ns"] = T0_NS + (beat_s * NS).astype(np.int64)
    beats["aami"] = beats["code"] = np.resize(np.frombuffer(letters.encode(), np.uint8), len(beats))
    beats["lead"] = -1
    vitals = np.zeros(seconds, VITALS)
    vitals["hr_bpm"] = rate_bpm
    quality = np.zeros(2 * seconds, QUALITY)
    quality["t_ns"] = T0_NS + np.repeat(np.arange(seconds), 2) * NS
    quality["lead"], quality["code"] = np.tile([0, 1], seconds), code
    cuts = np.searchsorted(beat_s, np.arange(0, seconds + push_s, push_s))
    return [
        Analysed(
            T0_NS + (i + 1) * push_s * NS,
            beats[cuts[i] : cuts[i + 1]],
            vitals[i * push_s : (i + 1) * push_s],
            quality[2 * i * push_s : 2 * (i + 1) * push_s],
            ("I", "II"),
        )
        for i in range(seconds // push_s)
    ]


def run(events: list[Analysed]) -> tuple[float, State]:
    state = begin(Place("ward", "bed", device="ward/device"))
    began = time.process_time()
    for event in events:
        state, _ = step(state, event, T0_NS)
    return time.process_time() - began, state


def clock_us(state: State, n: int = 20_000) -> float:
    began = time.process_time()
    for i in range(n):
        now_ns = T0_NS + i * NS
        state, _ = step(state, FrameSeen(now_ns), now_ns)
        state, _ = step(state, Tick(), now_ns)
    return (time.process_time() - began) / n * 1e6


if __name__ == "__main__":
    sys.exit(main())
