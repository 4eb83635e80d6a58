"""Make docs/img/ward.png and alarm.png: the pages of the demo with simulated patients only.

    python -m benchmarks.plot_ward

No patient's signal is in the pictures, not even of a public record: the eight beds are simulated.
"""

from __future__ import annotations

import sys
from pathlib import Path

from playwright.sync_api import Page

from benchmarks.beds import simulated
from benchmarks.page import browser_page
from telerhythm.demo import Demo

IMAGES = Path(__file__).parent.parent / "docs" / "img"
# Every trace has gone once round, rates are known, and some patient has an alarm.
READY = """() => {
  const signals = [...(window.__telerhythm?.signals.values() ?? [])].filter((s) => s.hasSignal);
  const rates = [...document.querySelectorAll(".head .hr")].map((e) => +e.textContent);
  return signals.length === 8 && signals.every((s) => s.end - s.first > 8 * s.fs)
    && rates.filter((r) => r > 0).length >= 7
    && document.querySelector(".head.high");
}"""
NAME = "Anna"
SETTLE_MS = 2000  # an alarm that has just come is in the list, too
STRIP_MS = 10_000  # the strip of an alarm ends 6 s after its condition began to hold

TIMEOUT_MS = 240_000  # simulated patients have an episode every two to three minutes


def main() -> int:
    with Demo(simulated(8)) as demo, browser_page() as page:
        page.goto(demo.address)
        page.locator(".trh-title").click()  # so that it may sound
        page.get_by_placeholder("Your name").fill(NAME)
        page.keyboard.press("Enter")
        page.wait_for_function(READY, timeout=TIMEOUT_MS, polling=200)
        page.wait_for_timeout(SETTLE_MS)
        # the bright half of the flashing
        page.evaluate(
            "() => document.getAnimations().forEach((a) => { a.pause(); a.currentTime = 0; })"
        )
        page.screenshot(path=IMAGES / "ward.png")
        picture_of_an_alarm(page)
    print(IMAGES)
    return 0


def picture_of_an_alarm(page: Page) -> None:
    """An alarm that somebody has acknowledged, from the sample to that."""
    worst = page.locator(".trh-entry:has(.alarm.high.unseen)").first
    entry = page.locator(f".trh-entry[data-key='{worst.get_attribute('data-key')}']")
    with page.context.expect_page() as opened:
        entry.locator("a").click()
    entry.locator("button").click()
    story = opened.value
    story.wait_for_timeout(STRIP_MS)
    story.locator(".steps tr", has_text=NAME).wait_for()
    story.locator("[data-testid='stMainBlockContainer']").screenshot(path=IMAGES / "alarm.png")


if __name__ == "__main__":
    sys.exit(main())
