"""The traces of the ward page in a real browser, with a real broker behind them."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Browser, Page

from ecg.codes import QualityCode
from tests.dashboard.browser import PX_PER_MM, blanks, heights, levels, uprights
from tests.dashboard.conftest import Priority, Server, Ward, alarm, pulses, square
from tests.dashboard.ward_page import head, settled

PX_PER_S = 25 * PX_PER_MM

pytestmark = [pytest.mark.broker, pytest.mark.usefixtures("screenshot")]


def test_a_ward_without_beds_says_what_to_do_and_shows_the_first_bed_by_itself(
    page: Page, beds: Ward
) -> None:
    page.locator(".trh-empty", has_text="telerhythm serve").wait_for()
    beds.bed("1", None)
    head(page, "1").wait_for()
    page.locator(".st-key-tile-1 .trh-note", has_text="Waiting for signal").wait_for()
    assert page.locator(".trh-empty").count() == 0


def test_a_square_wave_of_a_millivolt_has_the_millimetres_that_the_page_names(
    page: Page, eight: Ward
) -> None:
    eight.bed("1", square)
    lap_n = 250 * 6  # longer than a sweep: nothing else is drawn any more
    end = page.evaluate("() => __telerhythm.signal('1').end")
    page.wait_for_function("(end) => __telerhythm.signal('1').end > end", arg=end + lap_n)
    for gain in (5, 20, 10):
        high_px = gain * PX_PER_MM
        page.get_by_text(f"{gain} mm/mV", exact=True).first.click()
        page.locator(".st-key-tile-1 .trh-scale", has_text=f"25 mm/s  {gain} mm/mV").wait_for()
        picture = settled(
            page,
            "1",
            lambda picture, high_px=high_px: (
                len(uprights(picture, high_px / 2)) >= 7 and len(blanks(picture)) == 1
            ),
        )
        level = levels(picture)[heights(picture) < 4]
        level = level[~np.isnan(level)]
        middle = (level.min() + level.max()) / 2
        height = np.median(level[level > middle]) - np.median(level[level < middle])
        assert height == pytest.approx(high_px, abs=0.3)
        (bar,) = blanks(picture)
        edges = uprights(picture, high_px / 2)
        for side in (edges[edges < bar[0] - 3], edges[edges > bar[1] + 3]):
            assert np.diff(side) == pytest.approx(PX_PER_S / 2, abs=1.0)


def test_signal_that_was_lost_is_a_gap_of_its_length(page: Page, eight: Ward) -> None:
    def lossy(t_s: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.where((t_s % 2.0 >= 1.0 - 1e-9) & (t_s % 2.0 < 1.4 - 1e-9), np.nan, 0.0)

    eight.bed("2", lossy)

    def holes(picture: NDArray[np.float64]) -> list[float]:
        widths = [end - first for first, end in blanks(picture, 8)]
        return [w for w in widths if abs(w - 0.4 * PX_PER_S) <= 3]

    settled(page, "2", lambda picture: len(holes(picture)) >= 1)


def test_a_lead_that_is_off_is_blank_and_says_so(page: Page, eight: Ward) -> None:
    eight.bed("3", lambda t_s: np.where(t_s < 0, np.nan, np.nan))
    eight.qualities["3"] = (QualityCode.LEAD_OFF, 0)
    eight.waves["3"] = pulses
    page.locator(".st-key-tile-3 .trh-note", has_text="Lead off").wait_for()
    eight.qualities.pop("3")
    page.wait_for_function(
        "() => document.querySelector('.st-key-tile-3 .trh-note').textContent === ''"
    )


def test_numbers_and_alarms_change_without_touching_the_traces(page: Page, eight: Ward) -> None:
    page.evaluate("() => document.querySelectorAll('.trh-canvas').forEach((c) => (c.kept = true))")
    eight.bed("4", pulses, alarm(Priority.MEDIUM), rate=131.0)
    page.locator(".st-key-tile-4 .hr", has_text="131").wait_for()
    page.locator(".st-key-tile-4 .head.medium").wait_for()
    kept = "() => [...document.querySelectorAll('.trh-canvas')].filter((c) => c.kept).length"
    assert page.evaluate(kept) >= 8


def test_a_browser_that_comes_late_sees_the_seconds_before(
    page: Page, eight: Ward, chromium: Browser, server: Server
) -> None:
    # what is kept on the page that was open shows that there is a past
    page.wait_for_function("() => __telerhythm.signal('1').end > 6 * 250")
    late = chromium.new_page(viewport={"width": 1366, "height": 768})
    late.goto(server.address)
    late.wait_for_function("() => window.__telerhythm?.signal('1').hasSignal", timeout=60_000)
    # of signal from before it was there
    assert late.evaluate("() => __telerhythm.counters.oldest_ms") > 3000
    late.close()
