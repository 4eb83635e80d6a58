"""The ward page in a real browser: what a nurse sees and can do, with a real broker behind it."""

from __future__ import annotations

import base64
import dataclasses
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Browser, Locator, Page

from alerts.words import (
    Acknowledge,
    AlarmKind,
    AudioPause,
    PauseAudio,
    Phase,
    Priority,
    ResumeAudio,
    alarm_topic,
    decode_command,
)
from ecg.clock import now_ns
from ecg.codes import QualityCode
from tests.dashboard.browser import PX_PER_MM, blanks, heights, levels, uprights
from tests.dashboard.conftest import WARD, Broker, Server, Ward, alarm, pulses, square, wait_until

pytestmark = pytest.mark.broker

BEDS = [str(number) for number in range(1, 9)]
SCREENSHOTS = Path(__file__).parent / "screenshots"
PX_PER_S = 25 * PX_PER_MM

INK = """(bed) => {
  const canvas = document.querySelector(`.st-key-tile-${bed} .trh-canvas`);
  const margin = Math.round(6 * 96 / 25.4);
  const w = canvas.width - margin, h = canvas.height;
  const rgba = canvas.getContext("2d").getImageData(margin, 0, w, h).data;
  let text = "";
  for (let i = 3; i < rgba.length; i += 4) text += String.fromCharCode(rgba[i]);
  return [w, h, btoa(text)];
}"""


@pytest.fixture(scope="module")
def beds(broker: Broker) -> Iterator[Ward]:
    """One ward for all tests here; each says anew who lies where."""
    made = Ward(broker.port)
    yield made
    made.stop()


@pytest.fixture(scope="module")
def page(chromium: Browser, server: Server) -> Iterator[Page]:
    SCREENSHOTS.mkdir(exist_ok=True)
    opened = chromium.new_page(viewport={"width": 1920, "height": 1080})
    opened.set_default_timeout(60_000)
    opened.goto(server.address)
    yield opened
    opened.close()


@pytest.fixture(autouse=True)
def screenshot(request: pytest.FixtureRequest) -> Iterator[None]:
    """Keep what the page looked like at the end of each test, failed or not."""
    yield
    name = re.sub(r"\W+", "-", request.node.name).strip("-")
    request.getfixturevalue("page").screenshot(path=SCREENSHOTS / f"{name}.png")


@pytest.fixture
def eight(beds: Ward, page: Page) -> Ward:
    """Eight calm beds."""
    for bed in BEDS:
        beds.bed(bed, pulses, rate=60.0)
    page.wait_for_function("() => document.querySelectorAll('.head.calm').length === 8")
    return beds


def head(page: Page, bed: str) -> Locator:
    return page.locator(f".st-key-tile-{bed} .head")


def ink(page: Page, bed: str) -> NDArray[np.float64]:
    """Opacity of the bed's drawing, [rows, columns], its margin left out."""
    w, h, text = page.evaluate(INK, bed)
    return np.frombuffer(base64.b64decode(text), np.uint8).reshape(h, w) / 255.0


def settled(page: Page, bed: str, condition: Any) -> NDArray[np.float64]:
    """The bed's drawing as soon as it is as the condition has it."""
    found: list[NDArray[np.float64]] = []

    def holds() -> bool:
        page.wait_for_timeout(50)  # lets the page work
        found[:] = [ink(page, bed)]
        return bool(condition(found[0]))

    wait_until(holds)
    return found[0]


# -- before anything is there ----------------------------------------------------------------------


def test_a_ward_without_beds_says_what_to_do_and_shows_the_first_bed_by_itself(
    page: Page, beds: Ward
) -> None:
    page.locator(".trh-empty", has_text="telerhythm serve").wait_for()
    beds.bed("1", None)
    head(page, "1").wait_for()
    page.locator(".st-key-tile-1 .trh-note", has_text="Waiting for signal").wait_for()
    assert page.locator(".trh-empty").count() == 0


# -- the trace does not lie ------------------------------------------------------------------------


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
    seconds = late.evaluate(
        """() => {
          const signal = __telerhythm.signal("1");
          const firstMs = signal.zeroMs + (signal.first / signal.fs) * 1000;
          return (performance.timeOrigin - firstMs) / 1000;
        }"""
    )
    assert seconds > 3  # seconds of signal from before the page was opened
    late.close()


# -- alarms ----------------------------------------------------------------------------------------


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


def test_the_list_is_by_urgency_and_counts_what_nobody_has_seen(page: Page, eight: Ward) -> None:
    eight.bed("1", pulses, alarm(Priority.LOW))
    eight.bed("2", pulses, alarm(Priority.HIGH, phase=Phase.ACKNOWLEDGED, by="Anna"))
    eight.bed("3", pulses, alarm(Priority.MEDIUM))
    eight.bed("4", pulses, alarm(Priority.HIGH))
    title = page.locator(".trh-dock-title", has_text="4 active alarms, 3 not acknowledged")
    title.wait_for()
    page.wait_for_function("() => document.querySelectorAll('.alarm').length === 4")
    told = page.locator(".alarm .text").all_inner_texts()
    assert [re.sub(r"^(Bed \d).*", r"\1", text) for text in told] == [
        "Bed 4",
        "Bed 2",
        "Bed 3",
        "Bed 1",
    ]
    assert page.get_by_role("button", name="Acknowledge").count() == 3


@pytest.mark.parametrize(("typed", "by"), [("Anna Bähr", "Anna Bähr"), ("", "Ward screen")])
def test_acknowledging_sends_the_alarm_and_the_name(
    page: Page, eight: Ward, typed: str, by: str
) -> None:
    eight.commands.clear()
    name = page.get_by_placeholder("Your name")
    name.fill(typed)
    name.press("Enter")
    raised = alarm(Priority.HIGH, number=7)
    eight.bed("6", pulses, raised)
    entry = page.locator("[class*='st-key-alarm-']", has_text="Bed 6")
    entry.get_by_role("button", name="Acknowledge").click()
    wait_until(lambda: page.wait_for_timeout(20) or eight.commands)
    topic, payload = eight.commands[0]
    command = decode_command(payload)
    assert topic == f"ward/v1/{WARD}/6/command"
    assert isinstance(command, Acknowledge)
    assert (command.alarm_id, command.by) == (raised.id, by)
    assert page.locator(".st-key-tile-6 .head.high.unseen").count()  # until serve says otherwise


def test_labels_and_sentences_are_words_whatever_they_contain(page: Page, eight: Ward) -> None:
    evil = "<img src=x onerror='window.pwned=1'><script>window.pwned=1</script>"
    raised = alarm(Priority.LOW, number=9)
    bad = dataclasses.replace(raised, text=evil)
    eight.bed("7", pulses, bad, label=evil)
    page.locator(".st-key-tile-7 .who span", has_text="<img src=x").wait_for()
    page.locator(".alarm .text", has_text="<script>").wait_for()
    assert page.locator(".head img, .alarm img, .head script, .alarm script").count() == 0
    assert page.evaluate("() => window.pwned === undefined")


# -- silence ---------------------------------------------------------------------------------------


def test_the_sound_is_paused_by_a_button_and_that_is_marked(page: Page, eight: Ward) -> None:
    eight.commands.clear()
    eight.bed("1", pulses, alarm(Priority.HIGH))
    page.locator(".st-key-tile-1 .sentence.high.unseen").wait_for()
    page.get_by_label("Who acknowledges").fill("Anna")
    page.get_by_role("button", name="Pause sound").click()
    wait_until(lambda: eight.commands)
    topic, payload = eight.commands[0]
    command = decode_command(payload)
    assert topic == f"ward/v1/{WARD}/1/command"
    assert (type(command), command.by) == (PauseAudio, "Anna")
    now = now_ns()
    eight.bed("1", pulses, alarm(Priority.HIGH), audio_pause=AudioPause(now, now + 10**11, "Anna"))
    page.locator(".st-key-tile-1 .who em", has_text="sound off until").wait_for()
    page.get_by_role("button", name="Sound on").click()
    wait_until(lambda: len(eight.commands) == 2)
    assert type(decode_command(eight.commands[1][1])) is ResumeAudio


def test_what_is_over_and_unseen_is_reset(page: Page, eight: Ward) -> None:
    eight.bed("1", pulses, alarm(Priority.HIGH, phase=Phase.LATCHED))
    page.get_by_role("button", name="Reset").wait_for()


# -- on every screen -------------------------------------------------------------------------------

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
      [...tile.querySelectorAll(".who b, .hr, .unit, .sentence, .trh-trace")].map(box)]),
    heads: all(".head").map((h) => [box(h.querySelector(".who b")), box(h.querySelector(".unit")),
      box(h.querySelector(".hr"))]),
    cards: all("[class*='st-key-alarm-']").map((card) => [box(card),
      [...card.querySelectorAll("button, .mark")].map(box)]),
    bar: [box(document.querySelector(".st-key-top-bar")),
      all(".trh-title, .trh-clock, .st-key-gain button, .st-key-by input").map(box)],
    cut: cut(".who b, .trh-clock, .trh-dock-title, .sentence, .alarm .text"),
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
    """Alarms of all looks, the highest numbers."""
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


# -- when something is gone ------------------------------------------------------------------------


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
