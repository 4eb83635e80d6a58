"""Run the benchmarks and write what they print into docs/benchmarks.md.

    python -m benchmarks            all of them
    python -m benchmarks startup    only those named; the other sections stay as they are

Each is a module of this folder that prints Markdown and can be run alone, too.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"

# name of the module, arguments, heading
SECTIONS = (
    ("fresh", (), "Fresh clone to moving traces"),
    ("startup", (), "Command to first moving trace"),
    ("demo", (), "The demo for a minute"),
    ("cuts", (), "Findings do not depend on cuts"),
    ("qrs", (), "QRS detection"),
    ("starts", (), "Cold starts"),
    ("invariance", (), "QRS detection when gain, rate or hum change"),
    ("ludb", (), "QRS detection on another recorder"),
    ("classes", (), "Beat classes"),
    ("rhythms", (), "Rhythms"),
    ("block", (), "Complete AV block"),
    ("stages", (), "Stages of an analysis"),
    ("noise", (), "Beats amid noise"),
    ("wire", (), "Wire codec"),
    ("store", (), "Store"),
    ("alarms", (), "Alarm engine"),
    ("false_alarms", (), "Lethal alarms on real records"),
    ("alarm_path", (), "From the sample to the alarm"),
    ("verify", (), "Verification of alarms"),
    ("score", (), "Scoring archives"),
    ("trace", (), "Live trace in the browser"),
)

INTRODUCTION = """\
# Benchmarks

Every figure here was written by `make bench`, on the machine that its table names. One section
alone: `make bench ONLY=startup`. Machines differ and are noisy: compare the columns of a table,
measured in one run, rather than figures of different days.
"""


def main(names: list[str]) -> int:
    """Measure and write; exit status 1 when a benchmark failed."""
    known = [name for name, _, _ in SECTIONS]
    for name in names:
        if name not in known:
            print(f"no benchmark {name!r}: there are {', '.join(known)}", file=sys.stderr)
            return 2
    written = _sections(PAGE.read_text()) if PAGE.exists() else {}
    failed = False
    for name, arguments, heading in SECTIONS:
        if names and name not in names:
            continue
        print(f"== {heading} ({name})", file=sys.stderr, flush=True)
        command = [sys.executable, "-m", f"benchmarks.{name}", *arguments]
        result = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
        if result.returncode:
            failed = True
            print(f"!! {name} ended with status {result.returncode}", file=sys.stderr)
            continue
        written[name] = (
            f"## {heading}\n\n`python -m benchmarks.{name}`\n\n{result.stdout.strip()}\n"
        )
        _write(written)
    return int(failed)


def _sections(text: str) -> dict[str, str]:
    """The sections of the page by the module that wrote them."""
    parts = re.split(r"^(?=## )", text, flags=re.MULTILINE)[1:]
    found = {}
    for part in parts:
        module = re.search(r"`python -m benchmarks\.(\w+)", part)
        if module:
            found[module[1]] = part.strip() + "\n"
    return found


def _write(written: dict[str, str]) -> None:
    order = [name for name, _, _ in SECTIONS if name in written]
    PAGE.write_text("\n".join([INTRODUCTION, *(written[name] for name in order)]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
