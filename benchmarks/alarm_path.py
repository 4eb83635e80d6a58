"""From the sample at the broker to the alarm at a subscriber, with mosquitto and serve for real.

Devices publish frames of a quarter of a second, at once when they are full. A heart that beats
stops; four seconds of signal later it is an asystole. Measured is the time until a subscriber's
callback has the alarm, from when one of two frames was handed to the network: the one with the
sample that makes it an asystole, and the one with which the analysis knows it. Between them lies
how long the QRS detector waits before it says that there is no beat, which is measured, too.
The rule's own delay is thereby left out; waiting for the frame to fill is the device's.

What each rule and the analysis before it take is measured on simulated patients, whose truth is
exact, without a network: from the beat with which the rule holds, or the onset of the waveform, to
the end of the frame with which the alarm is raised.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from alerts import rules
from alerts.engine import Place, begin, step
from alerts.words import AlarmKind, Phase, alarm_topic, decode_state
from benchmarks.machine import describe
from detectors.analyzer import Analyzer
from dsp.synth import VF, VT, Asystole, Noise, Segment, Sinus, demo_record, simulate
from ecg import Frame
from ecg.clock import NS, Timeline, now_ns
from ingest.mqtt import Delivery, Link
from ingest.wire import encode_frame, frame_topic
from telerhythm import broker
from telerhythm.events import EcgStream
from telerhythm.parts import HOST, Part, free_port
from telerhythm.serve import READY

FRAME_S = 0.25
AT_MOST_MS = 300.0
SINUS_S, FLAT_S = 8, 6
WARD = "bench"
BED_NOISE = (Noise("baseline", rms_mv=0.06), Noise("muscle", rms_mv=0.015))


class Ward:
    """Subscribes to all beds; notes when each alarm came."""

    def __init__(self, port: int) -> None:
        self.raised_ns: dict[tuple[str, str], int] = {}  # (bed, alarm id): when heard
        self.since_ns: dict[tuple[str, str], int] = {}
        self._lock = threading.Lock()
        topics = [(alarm_topic(WARD, "+"), 1)]
        self.link = Link(HOST, port, "bench", subscriptions=topics, on_message=self._hear)
        self.link.start()

    def _hear(self, delivery: Delivery) -> None:
        now = now_ns()
        state = decode_state(delivery.payload)
        with self._lock:
            for alarm in state.alarms:
                if alarm.kind is AlarmKind.ASYSTOLE and alarm.phase is Phase.RAISED:
                    self.raised_ns.setdefault((state.bed, alarm.id), now)
                    self.since_ns[state.bed, alarm.id] = alarm.since_ns
        self.link.ack(delivery)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--beds", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=6, help="asystoles a bed")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        ward, sent = measure(Path(name), options.beds, options.rounds)
    missed = options.beds * options.rounds - len(ward.raised_ns)
    ahead_s = silence_known_s()
    print(describe("paho-mqtt"))
    print(
        f"\n{options.beds} beds, {options.rounds} asystoles each, frames of {FRAME_S:g} s;"
        f" {missed} not raised. The detector knows a silence after {ahead_s:.2f} s.\n"
    )
    print("| from the frame | alarms | p50, ms | p99, ms | most, ms | p99 at most, ms |")
    print("|---|---|---|---|---|---|")
    figures: dict[str, object] = {"missed": missed, "silence_known_s": ahead_s}
    for title, wait_s in (
        ("with which the analysis knows", ahead_s),
        ("with the sample that makes it one", 0.0),
    ):
        delays_ms = delays(ward, sent, wait_s)
        p50, p99 = (float(np.quantile(delays_ms, q)) for q in (0.5, 0.99))
        print(
            f"| {title} | {len(delays_ms)} | {p50:.0f} | {p99:.0f} | {max(delays_ms):.0f}"
            f" | {AT_MOST_MS:.0f} |"
        )
        figures |= {f"p50_ms_{wait_s > 0}": p50, f"p99_ms_{wait_s > 0}": p99}
    figures["rules"] = report_rules()
    if options.json:
        options.json.write_text(json.dumps(figures))
    return int(missed > 0)


def silence_known_s() -> float:
    """How far behind its input the analysis is sure that there was no beat, in a flat line."""
    record = demo_record("sinus rhythm", minutes=0.5)
    analyzer = Analyzer(record.fs_hz, record.leads[:2])
    sinus = record.x_mv[:2, : SINUS_S * round(record.fs_hz)]
    n = round(FRAME_S * record.fs_hz)
    analyzer.push(np.ascontiguousarray(sinus))
    flat, behind, end = np.zeros((2, n), np.float32), 0, sinus.shape[1]
    for i in range(round(FLAT_S / FRAME_S)):
        end += n
        quiet = analyzer.push(flat).quiet_sample
        if i * FRAME_S > 2.0:  # long before an asystole
            behind = max(behind, end - quiet)
    return float(behind / record.fs_hz)


def report_rules() -> dict[str, list[float]]:
    """Seconds from when each rule holds, by the truth, to the alarm; a row a kind."""
    print(f"\n{SEEDS} simulated patients a kind with a bed's noise, frames of {FRAME_S:g} s:\n")
    print("| alarm | counted from | p50, s | most, s | not raised | wanted, s |")
    print("|---|---|---|---|---|---|")
    figures = {}
    for case in CASES:
        delays_s = [delay_s(case, seed) for seed in range(SEEDS)]
        raised = [d for d in delays_s if d is not None]
        figures[case.kind.value] = raised
        middle, most = (f"{q:.2f}" for q in np.quantile(raised or [np.nan], [0.5, 1.0]))
        print(
            f"| {case.kind.label} | {case.counted_from} | {middle} | {most}"
            f" | {SEEDS - len(raised)} | {case.wanted} |"
        )
    return figures


@dataclass(frozen=True, slots=True)
class Case:
    """A rhythm that comes after sinus rhythm, and from when its alarm is counted."""

    kind: AlarmKind
    rhythm: Segment
    counted_from: str
    wanted: str = ""


CASES = (
    Case(AlarmKind.ASYSTOLE, Asystole(9), "the last QRS", "at most 5, aim 4.2"),
    Case(AlarmKind.VENTRICULAR_FIBRILLATION, VF(20), "its onset", "at most 8, aim 5"),
    Case(AlarmKind.VENTRICULAR_TACHYCARDIA, VT(12, bpm=175), "its fifth beat"),
    Case(AlarmKind.EXTREME_BRADYCARDIA, Sinus(30, bpm=34, hrv=0.0), "the last of 5 slow beats"),
    Case(AlarmKind.EXTREME_TACHYCARDIA, Sinus(20, bpm=170, hrv=0.0), "the last of 17 fast beats"),
)
SEEDS = 20
BEFORE_S = 20.0


def begins_s(kind: AlarmKind, r_s: NDArray[np.float64]) -> float:
    """From when an alarm is counted, by the true R peaks."""
    if kind is AlarmKind.ASYSTOLE:
        return float(r_s[r_s < BEFORE_S][-1])
    if kind is AlarmKind.VENTRICULAR_FIBRILLATION:
        return BEFORE_S
    if kind is AlarmKind.VENTRICULAR_TACHYCARDIA:
        return float(r_s[r_s >= BEFORE_S][4])
    is_slow = kind is AlarmKind.EXTREME_BRADYCARDIA
    n, holds = (5, rules.extreme_bradycardia) if is_slow else (17, rules.extreme_tachycardia)
    r_ns = [round(t * NS) for t in r_s]
    return next(r_ns[i - 1] / NS for i in range(n, len(r_ns)) if holds(r_ns[i - n : i]))


def delay_s(case: Case, seed: int) -> float | None:
    """From the moment of the case to the end of the frame that raised the alarm; None if none."""
    script = [Sinus(BEFORE_S, bpm=60 + 2 * seed), case.rhythm]
    simulated = simulate(script, seed=seed, noise=BED_NOISE)
    record, r_s = simulated.record, simulated.truth.r_samples / simulated.record.fs_hz
    begin_s = begins_s(case.kind, r_s)
    analyzer, state = Analyzer(record.fs_hz, record.leads), begin(Place("bench", "1"))
    stream = EcgStream(Timeline(record.fs_hz), record.leads)
    n = round(FRAME_S * record.fs_hz)
    for at in range(0, record.x_mv.shape[1], n):
        event = stream.tell(analyzer.push(record.x_mv[:, at : at + n]))
        state, transitions = step(state, event, event.through_ns)
        if any(t.kind is case.kind and t.phase is Phase.RAISED for t in transitions):
            return float((at + n) / record.fs_hz - begin_s)
    return None


def measure(
    folder: Path, n_beds: int, rounds: int
) -> tuple[Ward, dict[str, list[tuple[int, int]]]]:
    """What the ward heard, and when each frame was handed over."""
    port = free_port(18830)
    settings = folder / "telerhythm.toml"
    lines = ["[broker]", f"port = {port}", "[store]", f'path = "{folder}/store.sqlite"']
    for i in range(n_beds):
        lines += ["[[beds]]", f'ward = "{WARD}"', f'bed = "{i}"', f'patient = "p-{i}"']
        lines.append(f'device = "bench/{i}"')
    settings.write_text("\n".join(lines))
    parts = [Part.start("broker", broker.command(port, folder), folder)]
    try:
        parts[0].wait_for_port(port)
        command = [sys.executable, "-m", "telerhythm", "serve", "--settings", str(settings)]
        parts.append(Part.start("serve", command, folder))
        parts[1].wait_for_line(READY)
        ward = Ward(port)
        sent = publish(port, n_beds, rounds)
        time.sleep(2.0)
        ward.link.stop()
    finally:
        for part in reversed(parts):
            part.stop()
    return ward, sent


def publish(port: int, n_beds: int, rounds: int) -> dict[str, list[tuple[int, int]]]:
    """Play all beds in real time; (end of the frame, when it was handed over) of each frame."""
    record = demo_record("sinus rhythm", minutes=0.5)
    n = round(FRAME_S * record.fs_hz)
    steps = np.rint(record.x_mv[:2] / record.lsb_mv).astype(np.int16)
    sinus = steps[:, : SINUS_S * round(record.fs_hz)]
    one = np.hstack([sinus, np.zeros((2, round(FLAT_S * record.fs_hz)), np.int16)])
    played = np.tile(one, (1, rounds))
    links = [Link(HOST, port, f"bench-{i}") for i in range(n_beds)]
    for link in links:
        link.start()
        link.wait_ready(10.0)
    sent: dict[str, list[tuple[int, int]]] = {str(i): [] for i in range(n_beds)}
    begin_ns = now_ns()
    for seq in range(played.shape[1] // n):
        for i, link in enumerate(links):
            # devices are not in step: each has its own part of the frame's length
            own_ns = begin_ns + round(i * FRAME_S * NS / n_beds)
            t_ns = own_ns + round(seq * FRAME_S * NS)
            end_ns = t_ns + round(FRAME_S * NS)
            time.sleep(max(0, end_ns - now_ns()) / NS)
            frame = Frame(
                f"bench/{i}", 1, seq, t_ns, record.fs_hz, record.leads[:2],
                np.full(2, record.lsb_mv * 1000, np.float32), played[:, seq * n : (seq + 1) * n],
            )  # fmt: skip
            payload = encode_frame(frame)
            sent[str(i)].append((end_ns, now_ns()))
            link.publish(frame_topic(frame.device), payload)
    for link in links:
        link.stop()
    return sent


def delays(ward: Ward, sent: dict[str, list[tuple[int, int]]], wait_s: float) -> list[float]:
    """From the frame that ends no sooner than `wait_s` after each alarm's condition began, ms."""
    found = []
    for (bed, alarm_id), heard_ns in ward.raised_ns.items():
        since_ns = ward.since_ns[bed, alarm_id] + round(wait_s * NS)
        handed_ns = next(handed for end, handed in sent[bed] if end >= since_ns)
        found.append((heard_ns - handed_ns) / 1e6)
    return found


if __name__ == "__main__":
    sys.exit(main())
