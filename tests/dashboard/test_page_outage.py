"""The ward page when something is gone: it says so, and goes on by itself."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from alerts.words import Priority, alarm_topic
from tests.dashboard.conftest import SCREENSHOTS, WARD, Broker, Server, Ward, alarm, pulses
from tests.dashboard.ward_page import head

pytestmark = [pytest.mark.broker, pytest.mark.usefixtures("screenshot")]


def test_a_bed_that_was_taken_away_goes(page: Page, eight: Ward) -> None:
    eight.waves.pop("8")
    eight.publish(alarm_topic(WARD, "8"), b"")
    # Ward retains; an empty retained message takes it away
    head(page, "8").wait_for(state="detached")
    assert page.locator("[class*='st-key-tile-']").count() == 7


def test_a_device_that_falls_silent_leaves_no_number_and_a_dim_trace(
    page: Page, eight: Ward
) -> None:
    eight.waves.pop("2")
    page.locator(".st-key-tile-2 .trh-note", has_text="No signal since").wait_for()
    page.locator(".st-key-tile-2 .hr", has_text="--").wait_for()
    assert page.locator(".st-key-tile-1 .trh-stale").count() == 0


def test_without_a_broker_the_page_says_so_greys_all_and_recovers(
    page: Page, eight: Ward, broker: Broker
) -> None:
    eight.bed("1", pulses, alarm(Priority.HIGH))
    page.locator(".st-key-tile-1 .head.high").wait_for()
    broker.end()
    banner = page.locator("#trh-banner:not([hidden])")
    banner.filter(has_text="message broker does not answer").wait_for()
    assert "Disconnected" in banner.inner_text()
    shade = page.locator(".st-key-ward-grid").evaluate("(e) => getComputedStyle(e).opacity")
    assert float(shade) < 0.5
    page.screenshot(path=SCREENSHOTS / "disconnected.png")
    page.get_by_role("button", name="Acknowledge").first.click()
    page.get_by_text("Not acknowledged").first.wait_for()
    broker.start()
    banner.wait_for(state="detached")
    end = page.evaluate("() => __telerhythm.signal('1').end")
    page.wait_for_function("(end) => __telerhythm.signal('1').end > end + 250", arg=end)


def test_after_a_restart_of_its_server_the_page_goes_on_by_itself(
    page: Page, eight: Ward, server: Server
) -> None:
    server.end()
    banner = page.locator("#trh-banner:not([hidden])")
    banner.filter(has_text="server does not answer").wait_for()
    server.start()
    banner.wait_for(state="detached")
    eight.bed("1", pulses, alarm(Priority.MEDIUM), rate=99.0)
    page.locator(".st-key-tile-1 .head.medium").wait_for()
    page.locator(".st-key-tile-1 .hr", has_text="99").wait_for()
    end = page.evaluate("() => __telerhythm.signal('1').end")
    page.wait_for_function("(end) => __telerhythm.signal('1').end > end + 250", arg=end)
