"""The ward page on every screen: nothing is cut, nothing covers anything."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import pytest
from playwright.sync_api import Page

from alerts.words import Phase, Priority
from tests.dashboard.conftest import Ward, alarm, pulses

pytestmark = [pytest.mark.broker, pytest.mark.usefixtures("screenshot")]


BOXES = """() => {
  const scale = parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;
  const box = (e) => {
    const r = e.getBoundingClientRect();
    return [r.left, r.top, r.right, r.bottom];
  };
  const all = (s) => [...document.querySelectorAll(s)];
  const isCut = (e) => e.scrollWidth > e.clientWidth
    || (e.classList.contains("long") && e.scrollHeight > 42 * scale); // two lines, not three
  const cut = (s) => all(s).filter(isCut).map((e) => e.textContent);
  return {
    parts: all("[class*='st-key-tile-'], .st-key-top-bar, .st-key-dock").map(box),
    inTile: all("[class*='st-key-tile-']").map((tile) => [box(tile),
      [...tile.querySelectorAll(".who b, .hr, .unit, .rhythm, .sentence, .trh-trace")].map(box)]),
    heads: all(".head").map((h) => [box(h.querySelector(".who b")), box(h.querySelector(".unit")),
      box(h.querySelector(".hr")), box(h.querySelector(".rhythm"))]),
    cards: all(".trh-entry").map((card) => [box(card),
      [...card.querySelectorAll("button:not([hidden]), .mark")].map(box)]),
    bar: [box(document.querySelector(".st-key-top-bar")),
      all(".trh-title, .trh-clock, .trh-sound, [class*=st-key-sound-] button, .st-key-gain button,"
        + ".st-key-by input").map(box)],
    cut: cut(".who b, .rhythm .name, .rhythm, .trh-clock, .trh-sound, .trh-dock-title,"
      + ".sentence, .alarm .text"),
    size: [innerWidth, innerHeight, document.documentElement.scrollWidth],
    digits: parseFloat(getComputedStyle(document.querySelector(".hr")).fontSize),
  };
}"""


def overlap(a: list[float], b: list[float]) -> bool:
    return min(a[2], b[2]) - max(a[0], b[0]) > 1 and min(a[3], b[3]) - max(a[1], b[1]) > 1


def inside(inner: list[float], outer: list[float]) -> bool:
    return (
        inner[0] >= outer[0] - 1
        and inner[1] >= outer[1] - 1
        and inner[2] <= outer[2] + 1
        and inner[3] <= outer[3] + 1
    )


def busy(page: Page, eight: Ward) -> None:
    """Alarms of all looks, the highest numbers, long rhythms."""
    rhythms = ("(AFIB", "(T")
    eight.findings["6"] = lambda _: {"rhythms": rhythms, "pvc_per_min": 123.0}
    eight.bed("1", pulses, alarm(Priority.HIGH))
    gaps = "The signal has gaps: 12.3 s did not arrive. Check the connection."
    eight.bed("2", None, dataclasses.replace(alarm(Priority.MEDIUM), text=gaps))
    eight.bed("3", pulses, alarm(Priority.LOW), rate=188.4)
    acknowledged = alarm(Priority.HIGH, phase=Phase.ACKNOWLEDGED, by="Anna", number=3)
    eight.bed("4", pulses, acknowledged, alarm(Priority.LOW, number=4))
    eight.bed("5", pulses, alarm(Priority.HIGH, phase=Phase.LATCHED, number=5), rate=288.0)
    page.locator(".trh-dock-title", has_text="6 active alarms").wait_for()
    page.locator(".st-key-tile-5 .hr", has_text="288").wait_for()


def resize(page: Page, width: int, height: int) -> dict[str, Any]:
    page.set_viewport_size({"width": width, "height": height})
    page.wait_for_function(
        """(width) => innerWidth === width && [...document.querySelectorAll(".trh-trace[data-bed]")]
          .every((t) => Math.abs(t.querySelector("canvas").clientWidth - t.clientWidth) < 2)""",
        arg=width,
    )
    return dict(page.evaluate(BOXES))


@pytest.mark.parametrize(("width", "height"), [(1366, 768), (3840, 2160), (1920, 1080)])
def test_all_eight_beds_are_on_one_screen_and_nothing_covers_anything(
    page: Page, eight: Ward, width: int, height: int
) -> None:
    busy(page, eight)
    found = resize(page, width, height)
    parts = found["parts"]
    assert len(parts) == 8 + 2
    for i, part in enumerate(parts):
        assert inside(part, [0, 0, width, height])
        assert not any(overlap(part, other) for other in parts[:i])
    for outer, inner in [*found["inTile"], *found["cards"], found["bar"]]:
        assert all(inside(box, outer) for box in inner)
    for boxes in found["heads"]:
        assert not any(overlap(a, b) for i, a in enumerate(boxes) for b in boxes[:i])
    assert found["cut"] == []
    assert found["size"][2] <= width


def test_the_numbers_can_be_read_from_three_metres(page: Page, eight: Ward) -> None:
    """ISO 9241-303: 16 minutes of arc at least; a 24 inch screen, 531 mm wide, fonts 0.66 em."""
    found = resize(page, 1920, 1080)
    digit_mm = found["digits"] * 0.66 * 531 / 1920
    assert digit_mm >= 3000 * math.tan(math.radians(16 / 60))


def test_on_a_telephone_beds_stand_below_each_other_and_all_can_be_reached(
    page: Page, eight: Ward
) -> None:
    busy(page, eight)
    found = resize(page, 480, 900)
    assert found["size"][2] <= 480
    lefts = {round(box[0]) for box, _ in found["inTile"]}
    assert len(lefts) == 1
    assert all(inside(box, found["bar"][0]) for box in found["bar"][1])
    page.locator(".st-key-tile-8").scroll_into_view_if_needed()
    page.mouse.move(200, 300)
    page.mouse.wheel(0, 20_000)
    page.wait_for_function(
        """() => document.querySelector(".st-key-tile-8").getBoundingClientRect().bottom
          <= document.querySelector(".st-key-dock").getBoundingClientRect().top"""
    )
    page.set_viewport_size({"width": 1920, "height": 1080})
