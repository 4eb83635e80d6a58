"""The trace does not lie: pixels of known signals, drawn at times that the test says.

No network, no Streamlit and no clock here: what is measured is what the drawing does with samples.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from ecg import LiveChunk
from tests.dashboard.browser import (
    FRAME_MS,
    PX_PER_MM,
    Drawn,
    blanks,
    encoded,
    heights,
    levels,
    open_modules,
    uprights,
)
from tests.dashboard.conftest import square

MM_PER_S = 25.0


def wave(seconds: float, fs_hz: float = 250.0) -> np.ndarray:
    return square(np.arange(int(seconds * fs_hz)) / fs_hz)


@pytest.fixture(scope="module")
def page(chromium: Browser) -> Iterator[Page]:
    opened = open_modules(chromium)
    yield opened
    opened.close()


def plateaus(drawn: Drawn) -> tuple[float, float]:
    """Rows of the two levels of a square wave: high, low."""
    ink = drawn.ink()
    level = levels(ink)[heights(ink) < 4 * drawn.value("theTrace.size.dot")]
    level = level[~np.isnan(level)]
    middle = (level.min() + level.max()) / 2
    return float(np.median(level[level < middle])), float(np.median(level[level > middle]))


@pytest.mark.parametrize("ratio", [1.0, 1.25, 2.0])
def test_a_millivolt_is_as_high_as_the_gain_says(chromium: Browser, ratio: float) -> None:
    page = open_modules(chromium, ratio)
    for gain in (5.0, 10.0, 20.0):
        drawn = Drawn(page, gain=gain)
        drawn.play(wave(3))
        high, low = plateaus(drawn)
        assert low - high == pytest.approx(gain * PX_PER_MM * ratio, abs=0.25)
    page.close()


@pytest.mark.parametrize("fs_hz", [125.0, 250.0, 360.0, 1000.0])
def test_a_second_is_25_mm_wide_at_every_sampling_rate(page: Page, fs_hz: float) -> None:
    drawn = Drawn(page, fs_hz=fs_hz)
    drawn.play(wave(4, fs_hz), chunk_n=round(fs_hz / 5))
    found = uprights(drawn.ink(), least_px=20)
    px_per_s = MM_PER_S * drawn.px_per_mm
    # from one sample to the next the line goes up or down: half-way lies the edge
    expected = (np.arange(0.5, 4, 0.5) - 0.5 / fs_hz) * px_per_s
    assert found == pytest.approx(expected, abs=1.0)
    assert np.diff(found).mean() == pytest.approx(px_per_s / 2, abs=0.2)


def test_the_paper_has_the_same_millimetres_as_the_trace(page: Page) -> None:
    drawn = Drawn(page)
    drawn.play(wave(1))
    lines = drawn.value(
        """() => {
          const { margin, w, h } = theTrace.size, found = [[], []];
          const pen = theTrace.paper.getContext("2d");
          const across = pen.getImageData(margin, 1, w, 1).data;
          for (let i = 0; i < w; i++) if (across[4 * i + 1] >= 60) found[0].push(i);
          const down = pen.getImageData(margin + 2, 0, 1, h).data;
          for (let i = 0; i < h; i++) if (down[4 * i + 1] >= 60) found[1].push(i);
          return found;
        }"""
    )
    for found in lines:
        assert len(found) >= 10
        assert np.diff(found).mean() == pytest.approx(5 * drawn.px_per_mm, abs=0.12)
        assert abs(np.diff(found) - 5 * drawn.px_per_mm).max() <= 1.0


@pytest.mark.parametrize("at", [500, 501, 502, 503])
def test_the_narrowest_peak_keeps_its_height(page: Page, at: int) -> None:
    mv = np.zeros(2000)
    mv[at] = 2.0  # 1 ms: a fraction of a pixel wide
    drawn = Drawn(page, fs_hz=1000.0)
    drawn.play(mv, chunk_n=200)
    ink = drawn.ink()
    base = np.nanmedian(levels(ink))
    top = np.flatnonzero(ink.max(1) > 0.2)[0]
    assert base - top == pytest.approx(2.0 * 10 * drawn.px_per_mm, abs=2.0)


def test_a_gap_in_the_signal_is_a_gap_in_the_trace(page: Page) -> None:
    mv = np.zeros(1000)
    mv[300:400] = np.nan  # the device says so
    drawn = Drawn(page)
    for at in range(0, 1000, 50):
        if at not in (600, 650):  # lost on the way
            drawn.take(mv[at : at + 50], at, at * 4 + 200)
    drawn.frame(0)
    drawn.frame(4600)
    found = blanks(drawn.ink())
    px_per_sample = MM_PER_S * drawn.px_per_mm / 250
    wanted = [(300, 400), (600, 700)]
    assert len(found) == 3  # and the part of the sweep that was not reached
    for (first, end), (a, b) in zip(found, wanted, strict=False):
        assert first == pytest.approx(a * px_per_sample, abs=2.5)
        assert end == pytest.approx(b * px_per_sample, abs=2.5)


def test_a_chunk_that_comes_late_is_drawn_where_it_belongs(page: Page) -> None:
    drawn = Drawn(page)
    for at in (0, 50, 150, 200):
        drawn.take(np.zeros(50), at, at * 4 + 200)
    drawn.frame(0)
    drawn.frame(1250)
    assert blanks(drawn.ink())[0][0] < 42
    drawn.take(np.zeros(50), 100, 1251)
    drawn.frame(1260)
    (rest,) = blanks(drawn.ink())
    assert rest[0] > 60


def test_a_lead_that_is_off_is_not_drawn_and_the_words_say_so(page: Page) -> None:
    drawn = Drawn(page)
    drawn.take(np.full(250, np.nan), 0, 1000, quality=(5,))
    drawn.frame(0)
    drawn.frame(1200)
    assert drawn.ink().max() == 0
    assert drawn.page.inner_text(".trh-note") == "Lead off"


def test_what_does_not_fit_is_marked_at_the_edge(page: Page) -> None:
    mv = np.zeros(1000)
    mv[500:510] = 9.0
    mv[700:710] = -9.0
    drawn = Drawn(page)
    drawn.play(mv)
    amber = drawn.value(
        """() => {
          const { margin, w, h } = theTrace.size;
          const is = (y) => {
            const d = theTrace.pen.getImageData(margin, y, w, 1).data;
            for (let i = 0; i < d.length; i += 4)
              if (d[i] > 200 && d[i + 1] > 120 && d[i + 2] < 90) return i / 4;
            return null;
          };
          return [is(1), is(h - 2)];
        }"""
    )
    px_per_sample = MM_PER_S * drawn.px_per_mm / 250
    assert amber[0] == pytest.approx(500 * px_per_sample, abs=3)
    assert amber[1] == pytest.approx(700 * px_per_sample, abs=3)


def test_silence_is_told_and_the_trace_is_no_longer_bright(page: Page) -> None:
    drawn = Drawn(page)
    drawn.play(np.zeros(250))
    drawn.frame(20_000)
    assert drawn.page.inner_text(".trh-note").startswith("No signal since ")
    opacity = "getComputedStyle(document.querySelector('.trh-canvas')).opacity"
    assert float(drawn.value(opacity)) < 0.5


def test_the_next_lead_is_drawn_when_its_name_is_pressed(page: Page) -> None:
    drawn = Drawn(page)
    drawn.take(wave(2), 0, 2000, leads=("II", "V5"), lsb_uv=(5.0, 2.5), quality=(0, 0))
    drawn.frame(0)
    drawn.frame(4000)
    first = plateaus(drawn)
    drawn.page.click(".trh-lead")
    drawn.frame(4010)
    second = plateaus(drawn)
    assert drawn.page.inner_text(".trh-lead") == "V5"
    assert second[1] - second[0] == pytest.approx((first[1] - first[0]) / 2, abs=0.25)


def test_a_trace_whose_tile_changes_its_size_is_drawn_again_in_full(page: Page) -> None:
    drawn = Drawn(page)
    now = drawn.play(wave(2))
    before = uprights(drawn.ink(), 20)
    drawn.page.evaluate(
        """() => new Promise((done) => {
          document.querySelector(".trh-trace").style.height = "150px";
          requestAnimationFrame(() => requestAnimationFrame(done));
        })"""
    )
    drawn.frame(now + 1)
    assert drawn.ink().shape[0] == 150
    assert uprights(drawn.ink(), 20)[: before.size] == pytest.approx(before, abs=1.0)


# -- movement --------------------------------------------------------------------------------------

FILM = """([arrivals, until, frameMs]) => {
  const film = [];
  let next = 0;
  for (let now = 0; now < until; now += frameMs) {
    for (; next < arrivals.length && arrivals[next][0] <= now; next++)
      take(arrivals[next][1], arrivals[next][0], 0);
    theTrace.frame(now);
    if (!theTrace.size) continue;
    const { margin, w, h } = theTrace.size;
    const rgba = theTrace.pen.getImageData(margin, h / 2 - 5, w, 10).data;
    let columns = "";
    for (let x = 0; x < w; x++) {
      let most = 0;
      for (let y = 0; y < 10; y++) most = Math.max(most, rgba[4 * (y * w + x) + 3]);
      columns += most ? "1" : "0";
    }
    film.push([now, columns]);
  }
  return film;
}"""


def film(
    drawn: Drawn, late_ms: np.ndarray, lost: tuple[int, ...] = ()
) -> list[tuple[float, np.ndarray]]:
    """A flat line for as long as there are chunks: of each frame, which columns have ink."""
    arrivals = []
    for i, late in enumerate(late_ms):
        if i in lost:
            continue
        x = np.zeros((1, 50), np.int16)
        chunk = LiveChunk("a", "1", 1, i * 50, 0, 250.0, ("II",), (5.0,), x, quality=(0,))
        arrivals.append([(i + 1) * 200.0 + float(late), encoded(chunk)])
    arrivals.sort()
    frames = drawn.page.evaluate(FILM, [arrivals, len(late_ms) * 200.0, FRAME_MS])
    return [(now, np.array([c == "1" for c in columns])) for now, columns in frames]


def erase_bars(columns: np.ndarray) -> list[tuple[int, int]]:
    """Blank stretches; one that reaches over the right edge to the left is one."""
    found = blanks(columns[None, :].astype(float), 1)
    n = columns.size
    if len(found) > 1 and found[0][0] == 0 and found[-1][1] == n:
        return [(found[-1][0], found[0][1] + n), *found[1:-1]]
    return found


def test_the_sweep_moves_evenly_and_nothing_but_the_erase_bar_is_blank(page: Page) -> None:
    drawn = Drawn(page, size=(300, 200))
    late = np.random.default_rng(3).uniform(0, 60, 60)
    frames = film(drawn, late)
    width = frames[0][1].size
    lap_ms = width / (MM_PER_S * drawn.px_per_mm) * 1000
    full = [(now, erase_bars(c)) for now, c in frames if now > lap_ms + 1000]
    assert len(full) > 300
    ends = []
    for _, bars in full:
        assert len(bars) == 1
        ends.append(bars[0][1] % width)
        assert bars[0][1] - bars[0][0] == pytest.approx(5 * drawn.px_per_mm, abs=2.5)
    steps = np.diff(ends) % width
    even = MM_PER_S * drawn.px_per_mm / 60  # 1.57 px a frame
    assert steps.min() >= 0.9 * even - 1
    assert steps.max() <= 1.1 * even + 1
    total_mm = steps.sum() / drawn.px_per_mm
    assert total_mm == pytest.approx(MM_PER_S * (full[-1][0] - full[0][0]) / 1000, rel=0.02)


def test_a_late_chunk_stops_nothing_and_leaves_no_hole(page: Page) -> None:
    drawn = Drawn(page, size=(300, 200))
    late = np.zeros(60)
    late[30] = 500.0
    frames = film(drawn, late)
    width = frames[0][1].size
    even = MM_PER_S * drawn.px_per_mm / 60
    at, holes = None, 0
    for _, columns in (frame for frame in frames if frame[0] > 5000):
        bars = erase_bars(columns)
        if at is None:
            at = bars[0][1]
        steps = [(end - at) % width for _, end in bars]
        step = min(steps)  # beside it may stand the hole that the late one has left
        assert step <= 1.1 * even + 1
        at += step
        holes += len(bars) > 1
    assert holes  # it was late indeed
    assert len(erase_bars(frames[-1][1])) == 1


def test_a_lost_chunk_is_one_hole_that_stays_where_it_is(page: Page) -> None:
    drawn = Drawn(page, size=(300, 200))
    frames = film(drawn, np.zeros(32), lost=(20,))
    columns = frames[-1][1]
    px_per_sample = MM_PER_S * drawn.px_per_mm / 250
    width = columns.size
    wanted = 1000 * px_per_sample % width
    holes = [b for b in erase_bars(columns) if b[0] == pytest.approx(wanted, abs=3)]
    assert len(holes) == 1
    assert holes[0][1] - holes[0][0] == pytest.approx(50 * px_per_sample, abs=3)


def test_within_a_sweep_the_zero_line_stands_still(page: Page) -> None:
    mv = np.concatenate([np.zeros(500), np.full(500, 1.0)])
    drawn = Drawn(page)
    drawn.play(mv)
    level = levels(drawn.ink())
    step = np.nanmedian(level[:180]) - np.nanmedian(level[200:370])
    assert step == pytest.approx(10 * drawn.px_per_mm, abs=0.3)
