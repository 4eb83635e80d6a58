"""Colour and flashing of alarms on the ward page."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pytest
from playwright.sync_api import Page

from alerts.words import AlarmKind, Phase, Priority
from tests.dashboard.conftest import Ward, alarm, pulses

pytestmark = [pytest.mark.broker, pytest.mark.usefixtures("screenshot")]


Rgb = tuple[int, int, int]

# the tile carries the flashing, its sentence shows it
FLASHING = """(tile) => {
  const sentence = tile.querySelector(".sentence");
  const flash = tile.getAnimations()[0];
  const colour = () => getComputedStyle(sentence).backgroundColor;
  if (!flash) return [null, [colour()]];
  const duration = flash.effect.getComputedTiming().duration, colours = [];
  flash.pause();
  for (let at = 0.005; at < 1; at += 0.01) {
    flash.currentTime = at * duration;
    colours.push(colour());
  }
  flash.play();
  return [duration, colours];
}"""


def rgb(text: str) -> Rgb:
    red, green, blue = (int(v) for v in re.findall(r"\d+", text)[:3])
    return red, green, blue


def flashing(page: Page, bed: str) -> tuple[float | None, list[Rgb]]:
    """Period of the bed's flashing, ms, and the sentence's colours over one of them."""
    duration, colours = page.locator(f".st-key-tile-{bed}").evaluate(FLASHING)
    return duration, [rgb(text) for text in colours]


def is_hue(colour: Rgb, look: str) -> bool:
    red, green, blue = colour
    return {
        "high": red > 180 and max(green, blue) < 80,
        "medium": red > 180 and green > 150 and blue < 80,
        "low": red < 80 and min(green, blue) > 150,
    }[look]


@pytest.mark.parametrize(
    ("priority", "look", "hertz"),
    [
        (Priority.HIGH, "high", (1.4, 2.8)),
        (Priority.MEDIUM, "medium", (0.4, 0.8)),
        (Priority.LOW, "low", None),
    ],
)
def test_an_alarm_has_colour_and_flashing_of_its_priority(
    page: Page, eight: Ward, priority: Priority, look: str, hertz: tuple[float, float] | None
) -> None:
    """IEC 60601-1-8:2006, table 2: colour, flashing frequency, duty cycle 20 to 60 %."""
    eight.bed("5", pulses, alarm(priority))
    page.locator(f".st-key-tile-5 .head.{look}.unseen").wait_for()
    duration, colours = flashing(page, "5")
    lit = np.mean([is_hue(colour, look) for colour in colours])
    if hertz is None:
        assert (duration, lit) == (None, 1.0)
    else:
        assert duration is not None
        assert hertz[0] <= 1000 / duration <= hertz[1]
        assert 0.2 <= lit <= 0.6
    eight.bed("5", pulses, alarm(priority, phase=Phase.ACKNOWLEDGED, by="Anna"))
    page.locator(f".st-key-tile-5 .head.{look}:not(.unseen)").wait_for()
    duration, (colour,) = flashing(page, "5")
    assert duration is None
    assert is_hue(colour, look)
    border = page.locator(".st-key-tile-5").evaluate("(e) => getComputedStyle(e).borderTopColor")
    assert is_hue(rgb(border), look)


@pytest.mark.parametrize("priority", [Priority.HIGH, Priority.MEDIUM])
def test_numbers_that_change_do_not_begin_the_flashing_anew(
    page: Page, eight: Ward, priority: Priority
) -> None:
    began = "(tile) => tile.getAnimations()[0].startTime"
    tile = page.locator(".st-key-tile-5")
    raised = dataclasses.replace(alarm(priority), kind=AlarmKind.EXTREME_TACHYCARDIA)
    eight.bed("5", pulses, raised, rate=101.0)
    tile.locator(".hr", has_text="101").wait_for()
    tile.locator(".head.unseen").wait_for()
    before = tile.evaluate(began)
    eight.rates["5"] = 102.0
    tile.locator(".hr", has_text="102").wait_for()
    assert tile.evaluate(began) == before


def test_beside_an_alarm_that_is_seen_to_an_unseen_one_flashes(page: Page, eight: Ward) -> None:
    seen = alarm(Priority.HIGH, phase=Phase.ACKNOWLEDGED, by="Anna")
    eight.bed("5", pulses, seen, alarm(Priority.MEDIUM))
    page.locator(".st-key-tile-5 .sentence.medium.unseen").wait_for()
    duration, colours = flashing(page, "5")
    assert duration is not None
    assert 0.4 <= 1000 / duration <= 0.8
    assert 0.2 <= np.mean([is_hue(colour, "medium") for colour in colours]) <= 0.6
    border = page.locator(".st-key-tile-5").evaluate("(e) => getComputedStyle(e).borderTopColor")
    assert is_hue(rgb(border), "high")
