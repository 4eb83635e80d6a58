"""`telerhythm demo --for 60`: is a frame lost, how long until it is stored?"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

from benchmarks.machine import describe


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    command = [sys.executable, "-m", "telerhythm", "demo", "--for", str(options.seconds)]
    result = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if result.returncode:
        print(f"the demo ended with status {result.returncode}", file=sys.stderr)
        return 1
    summary = json.loads(result.stdout)
    print(describe())
    print(f"\n| `telerhythm demo --for {options.seconds}` | |\n|---|---|")
    for name, value in summary.items():
        print(f"| {name} | {value} |")
    if options.json:
        options.json.write_text(json.dumps(summary, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
