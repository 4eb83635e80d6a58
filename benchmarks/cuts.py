"""Findings of whole records, pushed at once and in random pieces: equal to the bit or not."""

from __future__ import annotations

import argparse
import json
import os
import time
from itertools import pairwise
from pathlib import Path

import numpy as np

from archive.find import find_records
from archive.read import read_record
from benchmarks.machine import describe
from detectors import Analyzer
from ecg import Findings, Record

SIMULATED = Path(__file__).parent.parent / "data" / "simulated"
LONGEST = (1, 40, 400, 4000)  # samples: each round of cuts has pieces of up to so many


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    folders = [SIMULATED]
    data = os.environ.get("TELERHYTHM_DATA")
    if data:
        folders.append(Path(data) / "mitdb")
    rows = [row for folder in folders for row in check_folder(folder)]
    print(describe("numba", "numpy"))
    print()
    print("| record | leads | samples | pushes | beats | equal to the bit |")
    print("|---|---|---|---|---|---|")
    for row in rows:
        print(
            f"| {row['record']} | {row['leads']} | {row['samples']:,} | {row['pushes']:,} "
            f"| {row['beats']:,} | {'yes' if row['equal'] else 'NO'} |"
        )
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1))
    return 0 if all(row["equal"] for row in rows) else 1


def check_folder(folder: Path) -> list[dict[str, object]]:
    return [check(read_record(path), folder.name) for path in find_records([folder])]


def check(record: Record, folder: str) -> dict[str, object]:
    """Compare one push with pieces of random lengths, some empty, states saved in between."""
    rng = np.random.default_rng(len(record.name) + record.n_samples)
    began = time.perf_counter()
    expected = in_pieces(record, [0, record.n_samples], rng)
    whole_s = time.perf_counter() - began
    pushes, equal = 0, True
    for longest in LONGEST:
        # pieces of single samples over a minute are enough: a push costs the same at every place
        until = min(record.n_samples, 60_000 * longest)
        lengths = rng.integers(0, longest + 1, 2 * until // longest + 2)
        cuts = np.unique(np.minimum(np.cumsum(lengths), record.n_samples))
        edges = sorted([0, *cuts.tolist(), *rng.choice(cuts, 5).tolist(), record.n_samples])
        pushes += len(edges) - 1
        equal = equal and in_pieces(record, edges, rng) == expected
    return {
        "record": f"{folder}/{record.name}",
        "leads": len(record.leads),
        "samples": record.n_samples,
        "pushes": pushes,
        "beats": len(expected.beats),
        "whole_s": round(whole_s, 4),
        "equal": equal,
    }


def in_pieces(record: Record, edges: list[int], rng: np.random.Generator) -> Findings:
    analyzer = Analyzer(record.fs_hz, record.leads, record.start_ns)
    found = []
    for a, b in pairwise(edges):
        found.append(analyzer.push(record.x_mv[:, a:b]))
        if rng.random() < 0.001:
            analyzer = Analyzer.restore(analyzer.state.tobytes())
    return Findings.concat([*found, analyzer.finish()])


if __name__ == "__main__":
    raise SystemExit(main())
