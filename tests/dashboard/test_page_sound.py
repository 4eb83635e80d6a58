"""The sound of alarms: what the page plays, for what, and when it keeps still."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from alerts.words import (
    AudioPause,
    PauseAudio,
    Phase,
    Priority,
    ResumeAudio,
    decode_command,
)
from ecg.clock import NS, now_ns
from tests.dashboard.conftest import WARD, Broker, Server, Ward, alarm, pulses, wait_until

pytestmark = [pytest.mark.broker, pytest.mark.usefixtures("screenshot")]


SOUND = "__telerhythm.sound"
TO_COME = f"""() => {{
  const now = {SOUND}.context.currentTime;
  return {SOUND}.pulses.filter((pulse) => pulse.at > now - 0.1).length;
}}"""


# A browser at a desk lets nothing sound before it is touched. This one would: Playwright's looks
# at a page count as touches.
UNTOUCHED = """() => {
  let touched = false;
  for (const kind of ["pointerdown", "keydown"]) {
    addEventListener(kind, () => (touched = true), { capture: true });
  }
  window.AudioContext = class extends AudioContext {
    get state() { return touched ? super.state : "suspended"; }
    resume() { return touched ? super.resume() : new Promise(() => {}); }
  };
}"""


@pytest.fixture
def untouched(chromium: Browser, server: Server) -> Iterator[Page]:
    """The ward page in a browser that has not been there before."""
    context = chromium.new_context(viewport={"width": 1366, "height": 768})
    context.add_init_script(f"({UNTOUCHED})()")
    fresh = context.new_page()
    fresh.set_default_timeout(60_000)
    fresh.goto(server.address)
    yield fresh
    context.close()


def play(page: Page, priority: str, number: int) -> list[dict[str, Any]]:
    """Pulses of bursts, the first at 10 s, each at its `pause_s` after the one before."""
    return list(
        page.evaluate(
            """([priority, n]) => {
              const { bursts, pulsesOf } = __telerhythm.sound.constructor;
              const all = [];
              for (let i = 0, at = 10; i < n; i++) {
                all.push(...pulsesOf(priority, at));
                at = all.at(-1).end + bursts[priority].pause_s;
              }
              return all;
            }""",
            [priority, number],
        )
    )


@pytest.fixture
def sounding(page: Page, eight: Ward) -> Ward:
    """Eight calm beds, and a browser that may sound."""
    mark = page.locator(".trh-sound")
    if mark.inner_text() != "Sound on":
        page.locator(".trh-title").click()
    page.locator(".trh-sound", has_text="Sound on").wait_for()
    page.wait_for_function(f"() => {SOUND}.audible.size === 0")
    return eight


def sounds(page: Page, priority: str) -> list[dict[str, Any]]:
    """Wait until a burst of the priority sounds; its pulses."""
    page.wait_for_function(f"(p) => {SOUND}.burst?.priority === p", arg=priority)
    n = {"high": 10, "medium": 3, "low": 2}[priority]
    return list(page.evaluate(f"(n) => {SOUND}.pulses.slice(-n)", n))


def is_silent(page: Page) -> None:
    page.wait_for_function(f"() => {SOUND}.burst === null && ({TO_COME})() === 0")


# -- what a burst is -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("priority", "n", "pulse_s", "pause_s"),
    [
        ("high", 10, (0.075, 0.2), (2.5, 15.0)),
        ("medium", 3, (0.125, 0.25), (2.5, 30.0)),
        ("low", 2, (0.125, 0.25), (15.0, 60.0)),
    ],
)
def test_bursts_are_those_of_the_standard(
    page: Page,
    eight: Ward,
    priority: str,
    n: int,
    pulse_s: tuple[float, float],
    pause_s: tuple[float, float],
) -> None:
    """IEC 60601-1-8:2006+A1:2012, tables 3 and 4."""
    found = play(page, priority, 2)
    assert len(found) == 2 * n
    lengths = [pulse["end"] - pulse["at"] for pulse in found]
    assert all(pulse_s[0] <= length <= pulse_s[1] for length in lengths)
    assert max(lengths) - min(lengths) < 0.05 * min(lengths)
    assert all(150 <= pulse["hz"] <= 1000 for pulse in found)
    gaps = [b["at"] - a["end"] for a, b in pairwise(found)]
    assert pause_s[0] <= gaps[n - 1] <= pause_s[1]
    within = gaps[: n - 1]
    if priority == "high":
        x = within[0]
        assert 0.05 <= x <= 0.125
        assert 0.35 <= within[4] <= 1.3
        wanted = [x, x, 2 * x + lengths[0], x, within[4], x, x, 2 * x + lengths[0], x]
        assert within == pytest.approx(wanted, abs=0.001)
    else:
        assert all(0.125 <= gap <= 0.25 for gap in within)


def test_more_urgent_bursts_come_sooner_again(page: Page, eight: Ward) -> None:
    pauses = page.evaluate(
        """() => ["high", "medium", "low"].map((p) =>
          __telerhythm.sound.constructor.bursts[p].pause_s)"""
    )
    assert pauses == sorted(pauses)


def test_a_tone_has_the_harmonics_that_make_it_heard_where_it_comes_from(
    page: Page, eight: Ward
) -> None:
    """Table 4: at least 4 from 300 to 4000 Hz, within 15 dB; rendered, and looked at."""
    levels = page.evaluate(
        """async () => {
          const context = new OfflineAudioContext(1, 48000, 48000);
          const Sound = __telerhythm.sound.constructor;
          const target = new GainNode(context, { gain: 1 });
          target.connect(context.destination);
          Sound.tone(context, { at: 0.1, end: 0.9, hz: 261.6 }, target);
          const x = (await context.startRendering()).getChannelData(0).slice(9600, 33600);
          return [1, 2, 3, 4, 5, 6].map((n) => {
            let re = 0, im = 0;
            for (let i = 0; i < x.length; i++) {
              const w = (2 * Math.PI * n * 261.6 * i) / 48000;
              re += x[i] * Math.cos(w), im += x[i] * Math.sin(w);
            }
            return 20 * Math.log10(Math.hypot(re, im));
          });
        }"""
    )
    in_range = [level for n, level in enumerate(levels, 1) if 300 <= n * 261.6 <= 4000]
    assert sum(abs(level - levels[0]) <= 15 for level in in_range) >= 4


# -- when it sounds --------------------------------------------------------------------------------


def test_a_browser_that_nobody_has_touched_says_that_it_is_silent_until_somebody_does(
    eight: Ward, untouched: Page
) -> None:
    eight.bed("1", pulses, alarm(Priority.HIGH))
    untouched.locator(".trh-sound.silent.asks", has_text="Sound is off until you click").wait_for()
    untouched.locator(".st-key-tile-1 .head.high").wait_for()
    assert untouched.evaluate(f"() => {SOUND}.pulses.length") == 0
    untouched.locator(".trh-title").click()  # anywhere
    untouched.locator(".trh-sound:not(.silent)", has_text="Sound on").wait_for()
    assert len(sounds(untouched, "high")) == 10


def test_who_switches_it_off_on_a_screen_finds_it_off_there_after_a_reload(
    eight: Ward, untouched: Page
) -> None:
    mark = untouched.locator(".trh-sound")
    mark.filter(has_text="Sound is off until you click").click()
    mark.filter(has_text="Sound on").click()
    mark.filter(has_text="Sound off on this screen").wait_for()
    untouched.reload()
    mark.filter(has_text="Sound off on this screen").wait_for()
    untouched.locator(".trh-title").click()
    assert not untouched.evaluate(f"() => {SOUND}.isOn()")
    mark.click()
    mark.filter(has_text="Sound on").wait_for()


def test_the_most_urgent_sounds_until_somebody_has_acknowledged_it(
    page: Page, sounding: Ward
) -> None:
    sounding.bed("1", pulses, alarm(Priority.MEDIUM))
    sounds(page, "medium")
    sounding.bed("2", pulses, alarm(Priority.HIGH))
    high = sounds(page, "high")
    assert len({pulse["priority"] for pulse in high}) == 1
    by = {"phase": Phase.ACKNOWLEDGED, "by": "Anna"}
    sounding.bed("2", pulses, alarm(Priority.HIGH, **by))  # type: ignore[arg-type]
    sounds(page, "medium")  # at once: what nobody has seen is left
    sounding.bed("1", pulses, alarm(Priority.MEDIUM, **by))  # type: ignore[arg-type]
    is_silent(page)


def test_what_is_over_and_unseen_sounds_on(page: Page, sounding: Ward) -> None:
    sounding.bed("1", pulses, alarm(Priority.HIGH, phase=Phase.LATCHED))
    sounds(page, "high")


def test_a_new_condition_sounds_anew(page: Page, sounding: Ward) -> None:
    seen = alarm(Priority.HIGH, phase=Phase.ACKNOWLEDGED, by="Anna", number=1)
    sounding.bed("1", pulses, seen)
    page.locator(".st-key-tile-1 .head.high:not(.unseen)").wait_for()
    is_silent(page)
    sounding.bed("1", pulses, alarm(Priority.HIGH, number=2), seen)
    sounds(page, "high")


def test_a_new_condition_does_not_wait_for_the_next_repetition(page: Page, sounding: Ward) -> None:
    sounding.bed("1", pulses, alarm(Priority.LOW, number=1))
    first = sounds(page, "low")[-1]["end"]
    page.wait_for_function(f"() => {SOUND}.burst === null")
    sounding.bed("2", pulses, alarm(Priority.LOW, number=2))
    page.wait_for_function(f"() => {SOUND}.burst !== null")
    again = page.evaluate(f"() => {SOUND}.pulses.at(-2).at")
    assert 2.5 <= again - first < 10  # 20 s between repetitions


def test_a_pause_silences_the_bed_and_its_end_sounds_again(page: Page, sounding: Ward) -> None:
    raised = alarm(Priority.HIGH)
    sounding.bed("1", pulses, raised)
    sounds(page, "high")
    now = now_ns()
    pause = AudioPause(now, now + 120 * NS, "Anna")
    sounding.bed("1", pulses, raised, audio_pause=pause)
    is_silent(page)
    page.locator(".st-key-tile-1 .who em", has_text="sound off until").wait_for()
    sounding.bed("1", pulses, raised)  # the engine has ended the pause
    sounds(page, "high")


def test_while_nothing_is_audible_it_sleeps_and_wakes_for_the_next_alarm(
    page: Page, sounding: Ward
) -> None:
    page.wait_for_function(f"() => {SOUND}.context.state === 'suspended'")
    page.locator(".trh-sound:not(.silent)", has_text="Sound on").wait_for()
    sounding.bed("1", pulses, alarm(Priority.HIGH, number=9))
    sounds(page, "high")


def test_a_browser_that_lets_nothing_sound_any_more_is_marked_as_silent(
    page: Page, sounding: Ward
) -> None:
    page.wait_for_function(f"() => {SOUND}.context.state === 'suspended'")
    page.evaluate(f"() => ({SOUND}.context.resume = () => new Promise(() => {{}}))")
    sounding.bed("1", pulses, alarm(Priority.HIGH, number=10))
    page.locator(".trh-sound.silent.asks", has_text="Sound is off until you click").wait_for()
    page.evaluate(f"() => delete {SOUND}.context.resume")
    page.locator(".trh-title").click()
    sounds(page, "high")


def test_a_pause_of_one_bed_is_none_of_another(page: Page, sounding: Ward) -> None:
    now = now_ns()
    pause = AudioPause(now, now + 120 * NS, "Anna")
    sounding.bed("1", pulses, alarm(Priority.HIGH), audio_pause=pause)
    sounding.bed("2", pulses, alarm(Priority.MEDIUM))
    sounds(page, "medium")


def test_a_page_that_hears_of_nobody_sounds_by_itself(
    page: Page, sounding: Ward, broker: Broker
) -> None:
    broker.end()
    sounds(page, "medium")
    broker.start()
    is_silent(page)


# -- the button ------------------------------------------------------------------------------------


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

    def ended() -> bool:
        # a press while the page redraws may be lost: a nurse presses again, too
        kinds = [type(decode_command(payload)) for _, payload in eight.commands]
        if ResumeAudio not in kinds:
            page.get_by_role("button", name="End pause").click()
        return ResumeAudio in kinds

    wait_until(ended)
