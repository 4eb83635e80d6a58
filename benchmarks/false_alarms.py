"""Lethal alarms on real records whose annotations have none, and those that they have.

Every record of a folder goes through the analysis and the alarm engine in frames of 0.25 s, as
live: what `serve` tells the engine is told by the same code. So do the first 60 s of streams that
begin anywhere in them. Beside each alarm stands what the annotated beats say: the same rule,
applied plainly to them, holds somewhere within 10 s, or the annotations tell of ventricular flutter
or fibrillation there.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
import wfdb

from alerts import rules
from alerts.engine import Analysed, Place, begin, step
from alerts.rules import ventricular
from alerts.words import LETHAL, AlarmKind, Phase
from archive.read import find_records, read_record
from benchmarks.machine import describe
from detectors.analyzer import Analyzer
from ecg import Record
from ecg.clock import NS, Timeline, sample_to_ns
from ecg.codes import AAMI_CLASS, BEAT_CODES
from telerhythm.events import EcgStream

AT_MOST = 2
NEAR_NS = 10 * NS
FRAME_S = 0.25
START_EVERY_S = 180.0
START_S = 60.0
Told = list[tuple[AlarmKind, int]]
Times = dict[AlarmKind, list[tuple[int, int]]]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    data = os.environ.get("TELERHYTHM_DATA")
    default = Path(data) / "mitdb" if data else Path("data/mitdb")
    parser.add_argument("folder", type=Path, nargs="?", default=default)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    if not options.folder.is_dir():
        print(f"{options.folder}: no records here; set TELERHYTHM_DATA", file=sys.stderr)
        return 1
    count = Count()
    for path in find_records([options.folder]):
        if path.with_suffix(".atr").exists():
            count.add(path)
    report(options.folder, count)
    if options.json:
        told = {"wrong": count.wrong, "cold": count.cold, "records": count.n_records}
        options.json.write_text(json.dumps(told))
    return 0


@dataclass
class Count:
    """What was found in the records so far; of whole ones, and of their cold starts."""

    wrong: list[str] = field(default_factory=list)
    cold: list[str] = field(default_factory=list)
    true: Counter[AlarmKind] = field(default_factory=Counter)
    missed: Counter[AlarmKind] = field(default_factory=Counter)
    total: Counter[AlarmKind] = field(default_factory=Counter)
    n_records: int = 0
    n_starts: int = 0
    hours: float = 0.0

    def add(self, path: Path) -> None:
        record = read_record(path)
        expected = by_annotations(path)
        length_s = record.x_mv.shape[1] / record.fs_hz
        self.n_records += 1
        self.hours += length_s / 3600
        told = alarms(events(record, 0.0, length_s))
        self.wrong += contrary(path.name, told, expected)
        for kind, stretches in expected.items():
            for stretch in stretches:
                near = [t for k, t in told if k is kind and is_near(t, [stretch])]
                self.total[kind] += 1
                self.true[kind] += len(near)
                self.missed[kind] += not near
        for begin_s in np.arange(START_EVERY_S, length_s - START_S, START_EVERY_S):
            self.n_starts += 1
            first = alarms(events(record, begin_s, begin_s + START_S))
            self.cold += contrary(path.name, first, expected)


def report(folder: Path, count: Count) -> None:
    print(describe("numpy"))
    print(f"\n{count.n_records} records of {folder.name}, {count.hours:.1f} hours.\n")
    print("| lethal alarms | raised where the annotations have none | at most |\n|---|---|---|")
    print(f"| whole records | {len(count.wrong)} | {AT_MOST} |")
    print(
        f"| the first {START_S:g} s of {count.n_starts} starts, one each {START_EVERY_S / 60:g}"
        f" minutes | {len(count.cold)} | 0 |"
    )
    print("\n| kind | episodes by the annotations | alarms there | episodes without alarm |")
    print("|---|---|---|---|")
    for kind in sorted(LETHAL, key=list(AlarmKind).index):
        print(f"| {kind.label} | {count.total[kind]} | {count.true[kind]} | {count.missed[kind]} |")
    for title, names in (("whole records", count.wrong), ("starts", count.cold)):
        if names:
            print(f"\nRaised where the annotations have none, {title}: " + "; ".join(names) + ".")


# Flutter is the faster tachycardia of the ventricles: each of its waves may be found as a beat.
_SAID_BY = {
    AlarmKind.VENTRICULAR_TACHYCARDIA: (
        AlarmKind.VENTRICULAR_TACHYCARDIA,
        AlarmKind.VENTRICULAR_FIBRILLATION,
    )
}


def contrary(name: str, told: Told, expected: Times) -> list[str]:
    """Alarms where the annotations have none, in words."""
    return [
        f"{name}: {kind.label} at {t_ns / NS:.1f} s"
        for kind, t_ns in told
        if not any(is_near(t_ns, expected[k]) for k in _SAID_BY.get(kind, (kind,)))
    ]


def events(record: Record, from_s: float, to_s: float) -> Iterator[Analysed]:
    """What `serve` tells the engine of a stretch of a record that comes in frames."""
    analyzer = Analyzer(record.fs_hz, record.leads)
    stream = EcgStream(Timeline(record.fs_hz), record.leads)
    n, first = round(FRAME_S * record.fs_hz), round(from_s * record.fs_hz)
    stream.timeline.anchor(0, sample_to_ns(first, record.fs_hz))
    for at in range(first, round(to_s * record.fs_hz), n):
        yield stream.tell(analyzer.push(record.x_mv[:, at : at + n]))


def alarms(told: Iterable[Analysed]) -> Told:
    """(kind, time) of the lethal alarms that the engine raises."""
    state = begin(Place("bench", "1", device="bench/1"))
    found: Told = []
    for event in told:
        state, transitions = step(state, event, event.through_ns)
        found += [
            (t.kind, t.t_ns) for t in transitions if t.phase is Phase.RAISED and t.kind in LETHAL
        ]
    return found


def by_annotations(path: Path) -> Times:
    """Stretches (from, to) in which the annotations have each kind, by the plain rules."""
    marks = wfdb.rdann(str(path), "atr")
    times = [round(s * NS / marks.fs) for s in marks.sample]
    beats = [
        (t, AAMI_CLASS.get(code, "Q"))
        for t, code in zip(times, marks.symbol, strict=True)
        if code in BEAT_CODES or code == "!"  # a wave of flutter
    ]
    when = [t for t, _ in beats]
    found: Times = {kind: [] for kind in LETHAL}
    for a, b in pairwise(when):
        if rules.asystole(b, a):
            add(found[AlarmKind.ASYSTOLE], a + 4 * NS, b)
    for kind, n, holds in (
        (AlarmKind.EXTREME_BRADYCARDIA, 5, rules.extreme_bradycardia),
        (AlarmKind.EXTREME_TACHYCARDIA, 17, rules.extreme_tachycardia),
    ):
        for i in range(n, len(when) + 1):
            if holds(when[i - n : i]):
                add(found[kind], when[i - 1], when[i - 1])
    for i in range(5, len(beats) + 1):
        last = beats[i - 5 : i]
        if all(c == "V" for _, c in last) and ventricular.tachycardia([t for t, _ in last]):
            add(found[AlarmKind.VENTRICULAR_TACHYCARDIA], last[-1][0], last[-1][0])
    begin_ns = None
    for t, code, note in zip(times, marks.symbol, marks.aux_note, strict=True):
        if code == "[":
            begin_ns = t
        elif code == "]" and begin_ns is not None:
            add(found[AlarmKind.VENTRICULAR_FIBRILLATION], begin_ns, t)
            begin_ns = None
        elif code == "+" and note.startswith("(VFL"):
            add(found[AlarmKind.VENTRICULAR_FIBRILLATION], t, t)
    return found


def add(stretches: list[tuple[int, int]], from_ns: int, to_ns: int) -> None:
    """A stretch, joined with the last one when it is near."""
    if stretches and from_ns - stretches[-1][1] < NEAR_NS:
        stretches[-1] = (stretches[-1][0], max(to_ns, stretches[-1][1]))
    else:
        stretches.append((from_ns, to_ns))


def is_near(t_ns: int, stretches: list[tuple[int, int]]) -> bool:
    return any(a - NEAR_NS <= t_ns <= b + NEAR_NS for a, b in stretches)


if __name__ == "__main__":
    sys.exit(main())
