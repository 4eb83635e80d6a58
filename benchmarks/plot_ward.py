"""Make docs/img/ward.png: the ward page of the demo with simulated patients only.

    python -m benchmarks.plot_ward

No patient's signal is in the picture, not even of a public record: the eight beds are simulated.
"""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.beds import simulated
from benchmarks.page import browser_page
from telerhythm.demo import Demo

PICTURE = Path(__file__).parent.parent / "docs" / "img" / "ward.png"
# Every trace has gone once round, rates are known, and some patient has an alarm.
READY = """() => {
  const signals = [...(window.__telerhythm?.signals.values() ?? [])].filter((s) => s.hasSignal);
  const rates = [...document.querySelectorAll(".head .hr")].map((e) => +e.textContent);
  return signals.length === 8 && signals.every((s) => s.end - s.first > 8 * s.fs)
    && rates.filter((r) => r > 0).length >= 7
    && document.querySelector(".head.high");
}"""
SETTLE_MS = 2000  # an alarm that has just come is in the list, too

TIMEOUT_MS = 240_000  # simulated patients have an episode every two to three minutes


def main() -> int:
    with Demo(simulated(8)) as demo, browser_page() as page:
        page.goto(demo.address)
        page.wait_for_function(READY, timeout=TIMEOUT_MS, polling=200)
        page.wait_for_timeout(SETTLE_MS)
        # the bright half of the flashing
        page.evaluate(
            "() => document.getAnimations().forEach((a) => { a.pause(); a.currentTime = 0; })"
        )
        page.screenshot(path=PICTURE)
    print(PICTURE)
    return 0


if __name__ == "__main__":
    sys.exit(main())
