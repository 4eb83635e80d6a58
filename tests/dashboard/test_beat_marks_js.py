"""Beats are marked by class: where they are, when their class is known, not by colour alone."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from tests.dashboard.browser import Drawn, open_modules

FS_HZ = 250.0
FLAT = np.zeros(int(2 * FS_HZ))
STRIP_PX = 18  # of the upper edge: there is no line there
LOOK = """(rows) => {
  const { margin, w } = theTrace.size;
  const rgba = theTrace.pen.getImageData(margin, 0, w, rows).data, found = [];
  for (let x = 0; x < w; x++) {
    let best = 0, colour = null, n = 0;
    for (let y = 0; y < rows; y++) {
      const i = 4 * (y * w + x);
      const light = rgba[i + 3] > 128 ? rgba[i] + rgba[i + 1] + rgba[i + 2] : 0;
      if (light > 120) n++;
      if (light > Math.max(best, 120)) (best = light), (colour = [...rgba.slice(i, i + 3)]);
    }
    if (colour) found.push([x, n, ...colour]);
  }
  return found;
}"""


@pytest.fixture(scope="module")
def page(chromium: Browser) -> Iterator[Page]:
    opened = open_modules(chromium)
    yield opened
    opened.close()


def marks(drawn: Drawn) -> list[tuple[float, tuple[int, ...], tuple[int, ...]]]:
    """Each mark's middle, px, its shape, px of ink in each column, and its colour."""
    columns = np.array(drawn.page.evaluate(LOOK, STRIP_PX)).reshape(-1, 5)
    if not len(columns):
        return []
    found = []
    for part in np.split(columns, np.flatnonzero(np.diff(columns[:, 0]) > 3) + 1):
        colour = tuple(int(v) for v in part[part[:, 2:].sum(1).argmax(), 2:])
        found.append((float(part[:, 0].mean() + 0.5), tuple(part[:, 1].tolist()), colour))
    return found


def x_of(drawn: Drawn, sample: int) -> float:
    return sample / FS_HZ * 25.0 * drawn.px_per_mm


def test_a_class_that_comes_after_the_line_is_marked_where_the_beat_is(page: Page) -> None:
    drawn = Drawn(page)
    end = drawn.play(FLAT)
    assert marks(drawn) == []
    drawn.take(FLAT[:50], 500, end, beats=((125, "V"), (250, "S"), (375, "N")))
    drawn.frame(end + 20)
    found = marks(drawn)
    wanted = [x_of(drawn, sample) for sample in (125, 250, 375)]
    assert [x for x, _, _ in found] == pytest.approx(wanted, abs=1.5)


def test_a_class_that_is_known_before_the_line_comes_waits_for_it(page: Page) -> None:
    drawn = Drawn(page)
    for at in range(0, 500, 50):
        beats = ((240, "V"),) if at == 250 else ()
        drawn.take(FLAT[:50], at, (at + 50) / FS_HZ * 1000, beats=beats)
    shown = []
    for now in range(1000, 2400, 16):
        drawn.frame(now)
        shown.append(marks(drawn))
    counts = [len(found) for found in shown]
    assert counts[0] == 0 and counts[-1] == 1
    first = next(found for found in shown if found)
    assert first == shown[-1]  # whole from its first picture on


def test_classes_differ_by_colour_and_by_shape(page: Page) -> None:
    looks = {}
    for code in "NSVF/Q":
        drawn = Drawn(page)
        end = drawn.play(FLAT)
        drawn.take(FLAT[:50], 500, end, beats=((250, code),))
        drawn.frame(end + 20)
        ((_, shape, colour),) = marks(drawn)
        looks[code] = (shape, colour)
    shapes = {shape for shape, _ in looks.values()}
    colours = {colour for _, colour in looks.values()}
    assert len(shapes) == len(colours) == len(looks)
    faint = sum(looks["N"][0])
    assert all(faint < sum(shape) / 2 for code, (shape, _) in looks.items() if code != "N")
    red, green, blue = looks["V"][1]
    assert red > 200 and max(green, blue) < 140


def test_marks_go_with_the_line_when_the_sweep_wipes_it_out(page: Page) -> None:
    drawn = Drawn(page, size=(300, 150))
    drawn.frame(0)  # it takes its size
    lap_n = int(drawn.value("theTrace.size.w") / drawn.px_per_mm / 25 * FS_HZ)
    flat = np.zeros(2 * lap_n)
    drawn.take(flat[:50], 0, 200)
    for at in range(50, 2 * lap_n - 50, 50):
        beats = ((100, "V"),) if at == 200 else ()
        drawn.take(flat[:50], at, (at + 50) / FS_HZ * 1000, beats=beats)
    seen = []
    for now in range(200, int(2 * lap_n / FS_HZ * 1000), 16):
        drawn.frame(now)
        seen.append(len(marks(drawn)))
    assert seen[0] == 0 and max(seen) == 1 and seen[-1] == 0


def test_a_stream_that_begins_anew_has_no_marks_of_the_one_before(page: Page) -> None:
    drawn = Drawn(page)
    end = drawn.play(FLAT)
    drawn.take(FLAT[:50], 500, end, beats=((250, "V"),))
    drawn.frame(end + 20)
    assert len(marks(drawn)) == 1
    drawn.take(FLAT, 0, end + 40, epoch=2)
    drawn.frame(end + 60)
    assert marks(drawn) == []


def test_beats_that_are_older_than_what_is_kept_are_forgotten(page: Page) -> None:
    drawn = Drawn(page)
    for second in range(40):
        at = second * 250
        beats = ((max(0, at - 100), "N"),)
        drawn.take(np.zeros(250), at, (second + 1) * 1000, beats=beats)
    kept, told = drawn.value(
        "[screenStub.signal('1').beats.length, screenStub.signal('1').beatsTold]"
    )
    assert (told, kept) == (40, pytest.approx(30, abs=1))
