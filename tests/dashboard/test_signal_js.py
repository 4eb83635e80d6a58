"""The browser's memory of a signal and the clock it is shown by, run in a browser."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from dashboard.components.trace import bundle
from ecg import LiveChunk
from ecg.frame import MISSING
from tests.dashboard.browser import encoded, open_modules

FS_HZ = 250.0
KEPT_N = 30 * 250  # samples that the browser keeps: signal.js, KEPT_S


@pytest.fixture(scope="module")
def page(chromium: Browser) -> Iterator[Page]:
    opened = open_modules(chromium)
    yield opened
    opened.close()


def chunk(sample: int, values: list[int], *, epoch: int = 1, **words: Any) -> LiveChunk:
    fields = {"leads": ("II",), "lsb_uv": (5.0,), "t_ns": 0, "fs_hz": FS_HZ} | words
    x = np.array(values, np.int16).reshape(len(fields["leads"]), -1)
    return LiveChunk(ward="a", bed="1", epoch=epoch, sample=sample, x=x, quality=(0,), **fields)


def kept(page: Page, chunks: list[LiveChunk], first: int, end: int, lead: int = 0) -> list[Any]:
    """mV of samples `first` to `end` after the chunks came; None where there is none."""
    took = [(encoded(c), i * 100) for i, c in enumerate(chunks)]
    return list(
        page.evaluate(
            """([took, first, end, lead]) => {
              screenStub.signals.clear();
              for (const [text, now] of took) take(text, now, 0);
              const signal = screenStub.signal("1"), found = [];
              for (let i = first; i < end; i++) found.push(signal.at(lead, i));
              return found.map((v) => (v === v ? v : null));
            }""",
            [took, first, end, lead],
        )
    )


def mv(*lsb: int | None) -> list[float | None]:
    return [None if v is None else pytest.approx(v * 0.005, rel=1e-6) for v in lsb]


def test_a_chunk_is_read_as_it_was_written(page: Page) -> None:
    made = chunk(
        7, [1, -2, 32767, MISSING], leads=("II", "Bähr"), lsb_uv=(5.0, 2.5), t_ns=1_750_000_000_123
    )
    read = page.evaluate("(text) => parse(text)", encoded(made))
    assert read["x"] == [1, -2, 32767, MISSING]
    assert (read["sample"], read["fs_hz"], read["epoch"]) == (7, 250, 1)
    assert (read["leads"], read["lsb_uv"]) == (["II", "Bähr"], [5, 2.5])
    assert read["t_ns"] == "1750000000123"


def test_each_lead_has_its_own_unit(page: Page) -> None:
    two = chunk(0, [200, 400, 200, 400], leads=("II", "V5"), lsb_uv=(5.0, 1.0))
    assert kept(page, [two], 0, 2, lead=0) == [pytest.approx(1.0), pytest.approx(2.0)]
    assert kept(page, [two], 0, 2, lead=1) == [pytest.approx(0.2), pytest.approx(0.4)]


def test_what_did_not_come_is_a_gap_and_so_is_what_the_device_missed(page: Page) -> None:
    found = kept(page, [chunk(0, [1, MISSING]), chunk(4, [5])], 0, 6)
    assert found == mv(1, None, None, None, 5, None)


def test_a_chunk_that_comes_late_fills_its_gap(page: Page) -> None:
    assert kept(page, [chunk(0, [1]), chunk(2, [3]), chunk(1, [2])], 0, 3) == mv(1, 2, 3)


def test_a_chunk_that_comes_twice_changes_nothing(page: Page) -> None:
    assert kept(page, [chunk(0, [1, 2]), chunk(0, [1, 2]), chunk(2, [3])], 0, 3) == mv(1, 2, 3)


def test_a_stream_that_begins_anew_shows_nothing_of_the_old_one(page: Page) -> None:
    found = kept(page, [chunk(0, [1, 2, 3]), chunk(0, [9], epoch=2)], 0, 3)
    assert found == mv(9, None, None)


def test_after_the_longest_gap_nothing_old_is_shown_as_new(page: Page) -> None:
    far = 3 * KEPT_N + 1
    found = kept(page, [chunk(0, list(range(1, 101))), chunk(far, [7])], far - 100, far + 1)
    assert found == mv(*[None] * 100, 7)


def test_whatever_comes_in_whatever_order_is_kept_as_a_plain_table_keeps_it(page: Page) -> None:
    rng = np.random.default_rng(12)
    table: dict[int, int] = {}
    chunks, at = [], 0
    for _ in range(400):
        at += int(rng.integers(-20, 60))
        at = max(at, max(table, default=0) - 100)  # late, but not by the whole memory
        values = [int(v) for v in rng.integers(-1000, 1000, rng.integers(1, 40))]
        chunks.append(chunk(at, values))
        table |= {at + i: v for i, v in enumerate(values)}
    end = max(table) + 1
    first = max(end - KEPT_N, chunks[0].sample)
    assert kept(page, chunks, first, end) == mv(*[table.get(i) for i in range(first, end)])


# -- the clock -------------------------------------------------------------------------------------

HEADS = """([arrivals, fs, until, frameMs]) => {
  const playout = new Playout(), heads = [];
  let next = 0;
  for (let now = 0; now < until; now += frameMs) {
    for (; next < arrivals.length && arrivals[next][0] <= now; next++)
      playout.arrived(arrivals[next][0], arrivals[next][1], fs);
    heads.push([now, playout.head(now, fs)]);
  }
  return heads;
}"""
CHUNK_MS = 200.0


def heads(page: Page, late_ms: list[float], frame_ms: float = 1000 / 60) -> np.ndarray[Any, Any]:
    """[n, 2]: time, ms, and the sample shown then; chunk i is complete at (i + 1) * 200 ms."""
    arrivals = [[(i + 1) * CHUNK_MS + late, i * 50] for i, late in enumerate(late_ms)]
    arrivals.sort()
    until = len(late_ms) * CHUNK_MS
    shown = page.evaluate(HEADS, json.loads(json.dumps([arrivals, FS_HZ, until, frame_ms])))
    return np.array([pair for pair in shown if pair[1] is not None])


def speeds(shown: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """How fast the sweep runs, as a share of real time."""
    return np.diff(shown[:, 1]) / FS_HZ * 1000 / np.diff(shown[:, 0])


def test_before_the_first_chunk_nothing_is_shown(page: Page) -> None:
    assert page.evaluate("() => new Playout().head(0, 250)") is None


def test_chunks_on_time_are_shown_at_exactly_real_time(page: Page) -> None:
    shown = heads(page, [0.0] * 50)
    assert speeds(shown) == pytest.approx(1.0, abs=1e-6)


def test_what_is_shown_has_always_come_by_then(page: Page) -> None:
    rng = np.random.default_rng(1)
    late = [float(v) for v in rng.uniform(0, 150, 200)]
    shown = heads(page, late)
    settled = shown[shown[:, 0] > 10_000]  # the worst lateness is known by then
    came = np.array([(i + 1) * CHUNK_MS + v for i, v in enumerate(late)])
    for now, head in settled:
        assert came[int(head // 50)] <= now


@pytest.mark.parametrize("jitter_ms", [20, 150, 400, 700])
def test_however_unevenly_chunks_come_the_sweep_runs_evenly(page: Page, jitter_ms: int) -> None:
    late = [float(v) for v in np.random.default_rng(2).uniform(0, jitter_ms, 200)]
    speed = speeds(heads(page, late))
    assert speed.min() >= 0.9 - 1e-6
    assert speed.max() <= 1.1 + 1e-6


def test_a_device_whose_clock_drifts_is_followed(page: Page) -> None:
    late = [i * CHUNK_MS * 200e-6 for i in range(600)]  # 200 ppm slow
    shown = heads(page, late)
    delay_ms = shown[:, 0] - shown[:, 1] / FS_HZ * 1000
    assert delay_ms[-1] - delay_ms[0] == pytest.approx(late[-1], abs=30)
    assert abs(speeds(shown) - 1).max() <= 0.1 + 1e-6


def test_one_chunk_that_is_far_too_late_does_not_make_all_others_wait(page: Page) -> None:
    late = [0.0] * 100
    late[50] = 5000.0
    shown = heads(page, late)
    delay_ms = shown[:, 0] - shown[:, 1] / FS_HZ * 1000
    assert delay_ms.max() <= CHUNK_MS + 700 + 60 + 1


def test_after_a_pause_of_the_stream_it_does_not_run_after_it_but_jumps(page: Page) -> None:
    # the network stalls for 8 s; what follows counts samples from where it was
    arrivals = [[(i + 1) * 200.0 + (8000.0 if i >= 25 else 0.0), i * 50] for i in range(200)]
    shown = np.array(
        [p for p in page.evaluate(HEADS, [arrivals, FS_HZ, 48_000, 1000 / 60]) if p[1] is not None]
    )
    delay_ms = shown[:, 0] - shown[:, 1] / FS_HZ * 1000
    assert delay_ms[-1] == pytest.approx(8000 + CHUNK_MS + 60, abs=1)


# -- for Streamlit ---------------------------------------------------------------------------------


def test_the_modules_make_one_that_needs_no_other() -> None:
    text = bundle()
    assert "import " not in text.replace("important", "")
    assert text.count("export ") == 1
    assert "export default function" in text
