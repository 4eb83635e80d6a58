"""The whole product on this machine, and a browser that looks at it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from benchmarks.page import CHROMIUM, browser_page
from telerhythm.beds import choose
from telerhythm.demo import Demo

SCREENSHOTS = Path(__file__).parent / "screenshots"


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    """The demo as on a machine without records: one real patient, seven simulated ones."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("TELERHYTHM_DATA", raising=False)
        beds = choose()
    with Demo(beds) as running:
        yield running


@pytest.fixture(scope="module")
def page(demo: Demo) -> Iterator[Page]:
    """The ward page of the demo, 1920 x 1080."""
    if not Path(CHROMIUM).exists():
        pytest.skip(f"no browser: {CHROMIUM} is missing; `make browser` installs it as root")
    SCREENSHOTS.mkdir(exist_ok=True)
    with browser_page() as opened:
        opened.set_default_timeout(60_000)
        opened.goto(demo.address)
        opened.wait_for_selector(".st-key-tile-8 .head")
        yield opened


@pytest.fixture(autouse=True)
def screenshot(request: pytest.FixtureRequest) -> Iterator[None]:
    """Keep what the page looked like at the end of each test, failed or not."""
    yield
    if "page" in request.fixturenames:
        name = re.sub(r"\W+", "-", request.node.name).strip("-")
        request.getfixturevalue("page").screenshot(path=SCREENSHOTS / f"{name}.png")
