"""Lethal alarms on real records whose annotations have none, and those that they have.

Every record of a folder goes through the analysis and the alarm engine in frames of a second, as
live. Beside each alarm stands what the annotated beats say: the same rule, applied plainly to them,
holds somewhere within 10 s, or the annotations tell of ventricular flutter or fibrillation there.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import Counter
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
from ecg.clock import NS, sample_to_ns
from ecg.codes import AAMI_CLASS, BEAT_CODES

AT_MOST = 2
NEAR_NS = 10 * NS
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
    wrong: list[str] = []
    true, missed, total, n_records, hours = Counter(), Counter(), Counter(), 0, 0.0
    for path in find_records([options.folder]):
        if not path.with_suffix(".atr").exists():
            continue
        told, length_s = alarms(path)
        expected = by_annotations(path)
        n_records += 1
        hours += length_s / 3600
        for kind, t_ns in told:
            if is_near(t_ns, expected.get(kind, [])):
                true[kind] += 1
            else:
                wrong.append(f"{path.name}: {kind.label} at {t_ns / NS:.1f} s")
        for kind, stretches in expected.items():
            for stretch in stretches:
                total[kind] += 1
                near = any(k is kind and is_near(t, [stretch]) for k, t in told)
                missed[kind] += not near
    report(options.folder, n_records, hours, wrong, true, missed, total)
    if options.json:
        options.json.write_text(json.dumps({"wrong": wrong, "records": n_records}))
    return 0


def report(folder, n_records, hours, wrong, true, missed, total) -> None:
    print(describe("numpy"))
    print(f"\n{n_records} records of {folder.name}, {hours:.1f} hours.\n")
    print("| lethal alarms | raised where the annotations have none | at most |\n|---|---|---|")
    print(f"| all kinds | {len(wrong)} | {AT_MOST} |")
    print("\n| kind | episodes by the annotations | alarms there | episodes without alarm |")
    print("|---|---|---|---|")
    for kind in sorted(LETHAL, key=list(AlarmKind).index):
        print(f"| {kind.label} | {total[kind]} | {true[kind]} | {missed[kind]} |")
    if wrong:
        print("\nRaised where the annotations have none: " + "; ".join(wrong) + ".")


def alarms(path: Path) -> tuple[list[tuple[AlarmKind, int]], float]:
    """(kind, time) of the lethal alarms that the engine raises."""
    record = read_record(path)
    analyzer = Analyzer(record.fs_hz, record.leads)
    state = begin(Place("bench", "1", device="bench/1"))
    n = round(record.fs_hz)
    found = []
    for at in range(0, record.x_mv.shape[1], n):
        findings = analyzer.push(np.ascontiguousarray(record.x_mv[:, at : at + n]))
        for table in (findings.beats, findings.vitals, findings.quality):
            table["t_ns"] = np.rint(table["sample"] * (NS / record.fs_hz))
        episodes = findings.episodes
        episodes["onset_ns"] = np.rint(episodes["onset"] * (NS / record.fs_hz))
        is_over = episodes["end"] >= 0
        episodes["end_ns"] = np.where(is_over, np.rint(episodes["end"] * (NS / record.fs_hz)), -1)
        through_ns = sample_to_ns(findings.through_sample, record.fs_hz)
        event = Analysed(
            through_ns,
            findings.beats,
            findings.vitals,
            findings.quality,
            analyzer.leads,
            episodes,
        )
        state, transitions = step(state, event, through_ns)
        found += [
            (t.kind, t.t_ns) for t in transitions if t.phase is Phase.RAISED and t.kind in LETHAL
        ]
    return found, record.x_mv.shape[1] / record.fs_hz


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
