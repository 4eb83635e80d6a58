"""What the tests of the ward page see of it."""

from __future__ import annotations

import base64
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Locator, Page

from tests.dashboard.conftest import wait_until

BEDS = [str(number) for number in range(1, 9)]

INK = """(bed) => {
  const canvas = document.querySelector(`.st-key-tile-${bed} .trh-canvas`);
  const margin = Math.round(6 * 96 / 25.4);
  const w = canvas.width - margin, h = canvas.height;
  const rgba = canvas.getContext("2d").getImageData(margin, 0, w, h).data;
  let text = "";
  for (let i = 3; i < rgba.length; i += 4) text += String.fromCharCode(rgba[i]);
  return [w, h, btoa(text)];
}"""


def head(page: Page, bed: str) -> Locator:
    return page.locator(f".st-key-tile-{bed} .head")


def ink(page: Page, bed: str) -> NDArray[np.float64]:
    """Opacity of the bed's drawing, [rows, columns], its margin left out."""
    w, h, text = page.evaluate(INK, bed)
    return np.frombuffer(base64.b64decode(text), np.uint8).reshape(h, w) / 255.0


def settled(
    page: Page, bed: str, condition: Callable[[NDArray[np.float64]], object]
) -> NDArray[np.float64]:
    """The bed's drawing as soon as it is as the condition has it."""
    found: list[NDArray[np.float64]] = []

    def holds() -> bool:
        page.wait_for_timeout(50)  # lets the page work
        found[:] = [ink(page, bed)]
        return bool(condition(found[0]))

    wait_until(holds)
    return found[0]
