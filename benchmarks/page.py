"""A browser that watches the ward page: when does the first trace move?"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Error, Page, sync_playwright

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# true once some canvas with a trace on it looks different from the look before
MOVED = """() => {
  const looks = [...document.querySelectorAll('canvas')].map(c => c.toDataURL());
  const before = window.__looks;
  window.__looks = looks;
  return !!before && looks.some((look, i) => before[i] !== undefined && before[i] !== look);
}"""


@contextmanager
def browser_page() -> Iterator[Page]:
    """A page of a headless Chromium, 1920 x 1080."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1920, "height": 1080})
        yield page
        browser.close()


def wait_until_trace_moves(page: Page, address: str, timeout_s: float) -> None:
    """Open the page as soon as somebody answers there; return when a trace moves."""
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            page.goto(address, wait_until="commit")
            break
        except Error:  # nobody there yet
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
    page.wait_for_function(MOVED, timeout=timeout_s * 1000, polling=50)
