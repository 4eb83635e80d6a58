"""A fresh clone, a new virtual environment: from `make demo` to moving traces."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.machine import describe
from benchmarks.page import browser_page
from benchmarks.startup import first_trace_s

LIMIT_S = 300.0
ROOT = Path(__file__).parent.parent


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    os.environ.pop("TELERHYTHM_DATA", None)
    with tempfile.TemporaryDirectory() as folder, browser_page() as page:
        clone = Path(folder) / "telerhythm"
        subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
        seconds = first_trace_s(page, ["make", "--no-print-directory", "demo"], cwd=clone)
    print(describe())
    print("\n| `git clone`, then `make demo`, to moving traces, s | at most |\n|---|---|")
    print(f"| {seconds:.0f} | {LIMIT_S:.0f} |")
    if options.json:
        options.json.write_text(json.dumps({"seconds": seconds}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
