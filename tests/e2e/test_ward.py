"""From the device to the nurse: the demo's real parts, seen in a real browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page

from telerhythm.beds import N_BEDS
from telerhythm.demo import Demo

pytestmark = pytest.mark.e2e

BEDS = [str(number) for number in range(1, N_BEDS + 1)]
# Of every trace a number that its picture gives: equal for equal pictures.
LOOKS = """() => [...document.querySelectorAll('[class*="tile-"] canvas.trh-canvas')].map(c => {
  const pixels = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
  let hash = 0, drawn = 0;
  for (let i = 3; i < pixels.length; i += 4) {
    if (pixels[i]) { drawn++; hash = (hash * 31 + i) | 0; }
  }
  return [hash, drawn];
})"""
RATES = """() => Object.fromEntries([...document.querySelectorAll('.head')].map(
  head => [head.dataset.bed, head.querySelector('.hr').textContent]))"""


def tile(bed: str) -> str:
    """Selector of a bed's tile."""
    return f".st-key-tile-{bed} .head"


def test_eight_beds_each_say_whether_the_signal_is_real(page: Page) -> None:
    labels = [page.locator(f"{tile(bed)} .who span").inner_text() for bed in BEDS]
    assert len(page.locator("[class*='st-key-tile-']").all()) == N_BEDS
    assert "MIT-BIH 208" in labels[0]
    assert "real record" in labels[0]
    assert all("simulated" in label and "real" not in label for label in labels[1:])


def test_every_trace_moves(page: Page) -> None:
    page.wait_for_function(
        f"() => ({LOOKS})().filter(([, drawn]) => drawn > 500).length === {N_BEDS}", polling=250
    )
    before = page.evaluate(LOOKS)
    assert len(before) == N_BEDS
    page.wait_for_function(
        f"(before) => ({LOOKS})().every(([hash], i) => hash !== before[i][0])",
        arg=before,
        polling=250,
    )


def test_heart_rates_come_and_change(page: Page) -> None:
    page.wait_for_function(
        f"() => Object.values(({RATES})()).filter(rate => +rate > 20).length >= 6"
    )
    before = page.evaluate(RATES)
    # three beds at least: rates of patients are never still
    page.wait_for_function(
        f"""(before) => Object.entries(({RATES})()).filter(
          ([bed, rate]) => +rate > 20 && rate !== before[bed]).length >= 3""",
        arg=before,
    )


def test_rhythm_and_classes_are_live_on_the_tiles(page: Page) -> None:
    """MIT-BIH 208 has some 15 ventricular beats a minute; the AF of bed 4 goes on all the time."""
    page.wait_for_function(
        "() => __telerhythm.signal('1').beats.some(([sample, code]) => code === 'V')"
    )
    page.locator(f"{tile('1')} .pvc.some").wait_for()
    fibrillation = page.locator(f"{tile('4')} .rhythm .name", has_text="Atrial fibrillation")
    fibrillation.wait_for(timeout=120_000)  # it takes a minute of beats
    names = page.locator(".rhythm .name").all_inner_texts()
    assert len(names) == N_BEDS
    assert "Rhythm not known" not in names


def test_a_device_that_stops_raises_an_alarm_that_goes_when_it_is_back(
    demo: Demo, page: Page
) -> None:
    assert demo.replay is not None
    bed = "4"
    sentence = page.locator(f"{tile(bed)} .sentence")
    listed = page.locator(".alarm .text", has_text="No data from the device")
    assert listed.count() == 0
    demo.replay.pause(f"demo/bed-{bed}")
    try:
        sentence.filter(has_text="No data").wait_for()
        assert page.locator(f"{tile(bed)}.medium.unseen").count() == 1
        assert page.locator(f"{tile(bed)} .hr").inner_text() == "--"
        page.locator(".alarm .text", has_text=f"Bed {bed} No data").wait_for()
        page.screenshot(path=Path(__file__).parent / "screenshots" / "no-data.png")
        _acknowledge(page, f"Bed {bed} No data")
        page.wait_for_selector(f"{tile(bed)}.medium:not(.unseen)")
    finally:
        demo.replay.resume(f"demo/bed-{bed}")
    listed.wait_for(state="detached")
    page.wait_for_function(f"(bed) => +({RATES})()[bed] > 20", arg=bed)


def _acknowledge(page: Page, text: str) -> None:
    page.get_by_placeholder("Your name").fill("Nurse Miller")
    page.get_by_placeholder("Your name").press("Enter")
    entry = page.locator(".trh-entry", has_text=text)
    entry.get_by_role("button", name="Acknowledge").click()
    entry.locator(".state", has_text="Nurse Miller").wait_for()


def test_nobody_was_forgotten_at_the_end(demo: Demo, page: Page) -> None:
    demo.watch(for_s=0.1)  # all parts are alive
    demo.stop()
    assert demo.summary is not None
    assert demo.summary.frames_lost == 0
    assert demo.summary.frames_published > 8 * 4
    assert demo.summary.beats > 8
    # the page says that nothing on it is live any more
    page.wait_for_selector("#trh-banner:not([hidden])")
