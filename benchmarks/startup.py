"""Already set up: from the command to the first moving trace."""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

from playwright.sync_api import Page

from benchmarks.machine import describe
from benchmarks.page import browser_page, wait_until_trace_moves

LIMIT_S = 6.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    seconds = []
    # as the page says: already set up
    subprocess.run(["make", "setup"], stdout=subprocess.DEVNULL, check=True)
    with browser_page() as page:
        for _ in range(options.runs):
            page.goto("about:blank")
            seconds.append(first_trace_s(page, ["make", "--no-print-directory", "demo"]))
    print(describe("streamlit"))
    print("\n| `make demo` to first moving trace, s | at most |\n|---|---|")
    print(f"| median {statistics.median(seconds):.1f} (of {_list(seconds)}) | {LIMIT_S:g} |")
    if options.json:
        options.json.write_text(json.dumps({"seconds": seconds}, indent=1))
    return 0


def first_trace_s(page: Page, command: list[str], cwd: Path | None = None) -> float:
    """Seconds from starting the command until a trace moves in the page."""
    start = time.monotonic()
    process = subprocess.Popen(
        command,
        cwd=cwd,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        address = _address(process)
        wait_until_trace_moves(page, address, timeout_s=60)
        return time.monotonic() - start
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def _address(process: subprocess.Popen[str]) -> str:
    assert process.stderr is not None
    for line in process.stderr:
        found = re.search(r"http://\S+", line)
        if found:
            return found[0]
    raise RuntimeError("the demo ended before it told its address")


def _list(seconds: list[float]) -> str:
    return ", ".join(f"{s:.1f}" for s in seconds)


if __name__ == "__main__":
    sys.exit(main())
