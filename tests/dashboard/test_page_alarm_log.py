"""The pages that tell of alarms, in a real browser: from the list to the story and back."""

from __future__ import annotations

import dataclasses

import pytest
from playwright.sync_api import Browser, Page

from alerts.words import Priority
from ecg.clock import NS, now_ns
from tests.dashboard import stories
from tests.dashboard.conftest import Server, Ward, alarm, pulses

pytestmark = [pytest.mark.broker, pytest.mark.usefixtures("screenshot")]


@pytest.fixture(scope="module")
def start_ns(server: Server) -> int:
    """When the signal began of the asystole that the store has."""
    began = now_ns() - 60 * NS
    stories.fill(server.store_path, stories.rows(began))
    return began


def test_a_press_on_an_alarm_tells_all_of_it_and_the_ward_stays_in_sight(
    page: Page, eight: Ward, start_ns: int
) -> None:
    raised = dataclasses.replace(alarm(Priority.HIGH), id=stories.alarm_id(start_ns))
    eight.bed("1", pulses, raised)
    with page.context.expect_page() as opened:
        page.locator(".alarm .text a", has_text="Bed 1").click()
    story = opened.value
    story.locator(".steps", has_text="acknowledged: somebody knows").wait_for(timeout=60_000)
    steps = story.locator(".steps tr").all_inner_texts()
    assert len(steps) == 1 + 3 and "Anna <b>" in steps[2]
    story.locator(".title", has_text="Bed 1 · simulated · record 1").wait_for()
    width, height = story.locator(".strip").evaluate("(e) => [e.naturalWidth, e.naturalHeight]")
    assert width > 4 * height > 0  # drawn, not broken
    assert page.locator(".st-key-tile-1 .head.high").count() == 1
    story.close()


def test_the_log_has_what_is_over_and_leads_to_it(page: Page, eight: Ward, start_ns: int) -> None:
    with page.context.expect_page() as opened:
        page.locator(".trh-log").click()
    log = opened.value
    row = log.locator(".log tr", has_text="No heartbeat for 4 s")
    row.wait_for(timeout=60_000)
    assert "ended" in row.inner_text()
    with page.context.expect_page() as opened:
        row.locator("a").click()
    opened.value.locator(".steps tr").first.wait_for(timeout=60_000)
    opened.value.close()
    log.close()


def test_an_alarm_that_nobody_knows_is_said_to_be_unknown(
    page: Page, chromium: Browser, server: Server, start_ns: int
) -> None:
    other = chromium.new_page()
    other.goto(f"{server.address}/?log=a&bed=1&alarm=asystole.1.1")
    other.get_by_text("The store knows no such alarm").wait_for(timeout=60_000)
    other.close()
