"""An alarm from the sample to the acknowledgement, out of the store, and how it is told."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree import ElementTree

import numpy as np
import pytest

from dashboard import alarm_markup, strip
from dashboard.alarm_story import Story, log_of, story_of
from ecg.clock import NS
from store.sqlite import SqliteReader
from tests.dashboard import stories

START_NS = 1_772_366_400_000_000_000
NOW_NS = START_NS + 60 * NS
BEGAN_NS = START_NS + 14 * NS
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteReader]:
    path = tmp_path_factory.mktemp("store") / "store.sqlite"
    later = stories.rows(START_NS + 40 * NS, patient="q", bed="2")
    stories.fill(path, [*stories.rows(START_NS), *later])
    with SqliteReader(path) as opened:
        yield opened


@pytest.fixture(scope="module")
def story(reader: SqliteReader) -> Story:
    found = story_of(reader, "a", "1", stories.alarm_id(START_NS), NOW_NS)
    assert found is not None
    return found


def test_the_steps_are_those_of_this_alarm_in_their_order(story: Story) -> None:
    assert [step.phase for step in story.steps] == ["raised", "acknowledged", "ended"]
    assert story.began_ns == BEGAN_NS
    assert story.evidence is not None and story.evidence.rule.startswith("asystole")


def test_the_strip_is_10_s_before_and_6_s_after_with_beats_and_rhythm(story: Story) -> None:
    seen = story.strip
    assert (seen.from_ns, seen.to_ns) == (BEGAN_NS - 10 * NS, BEGAN_NS + 6 * NS)
    ((name, t_s, mv),) = seen.leads
    assert name == "II"
    assert len(mv) == 16 * 250 and t_s[0] == 0.0 and np.allclose(np.diff(t_s), 1 / 250)
    peaks_s = t_s[
        np.flatnonzero((mv[1:-1] > 0.9) & (mv[1:-1] >= mv[2:]) & (mv[1:-1] > mv[:-2])) + 1
    ]
    beats_s = [(t_ns - seen.from_ns) / NS for t_ns, _ in seen.beats]
    assert peaks_s == pytest.approx(beats_s[beats_s[0] == 0.0 :], abs=0.005)
    assert [code for _, code in seen.beats] == ["N"] * (len(beats_s) - 1) + ["V"]
    assert seen.rhythms == (("asystole", START_NS + 10 * NS, START_NS + 16 * NS),)


def test_an_alarm_that_the_store_does_not_know_has_no_story(reader: SqliteReader) -> None:
    assert story_of(reader, "a", "2", stories.alarm_id(START_NS), NOW_NS) is None
    assert story_of(reader, "a", "1", "made up", NOW_NS) is None


def test_the_log_has_each_alarm_once_the_newest_first(reader: SqliteReader) -> None:
    found = log_of(reader, "a", None, START_NS, START_NS + 100 * NS)
    assert [steps[0].bed for steps in found] == ["2", "1"]
    assert [len(steps) for steps in found] == [3, 3]
    (only,) = log_of(reader, "a", "1", START_NS, START_NS + 100 * NS)
    assert only[0].bed == "1"


def test_the_drawing_has_the_millimetres_of_the_paper(story: Story) -> None:
    root = ElementTree.fromstring(strip.svg(story.strip, story.began_ns))
    assert root.get("viewBox", "").split()[2] == "400"  # 16 s at 25 mm/s
    (line,) = [e for e in root.iter(f"{SVG}path") if e.get("stroke") == "#3fe07f"]
    points = np.array([p.split() for p in re.split("[ML]", line.get("d", ""))[1:]], float)
    assert points[:, 0].max() == pytest.approx(400, abs=0.2)
    assert np.ptp(points[:, 1]) == pytest.approx(10, abs=0.05)  # 1 mV
    letters = {e.text: float(e.get("x", "nan")) for e in root.iter(f"{SVG}text") if e.text == "V"}
    assert letters == {"V": pytest.approx((16 - 4) * 25)}


def test_a_gap_of_the_signal_is_a_gap_of_the_line() -> None:
    t_s = np.array([0.0, 0.01, 0.02, 1.0, 1.01])
    mv = np.array([0.0, 0.0, np.nan, 0.0, 0.0])
    seen = strip.Strip(0, 16 * NS, (("II", t_s, mv),), (), ())
    (path,) = re.findall(r"d='([^']*)' stroke='#3fe07f'", strip.svg(seen, 10 * NS))
    assert re.findall("[ML]", path) == ["M", "L", "M", "L"]


def test_a_strip_without_signal_can_be_drawn() -> None:
    seen = strip.Strip(0, 16 * NS, (), (), ())
    ElementTree.fromstring(strip.svg(seen, 10 * NS))


def test_the_page_tells_sentence_rule_steps_times_and_who(story: Story) -> None:
    told = alarm_markup.story(story, "Room <3>", NOW_NS)
    for words in (
        "No heartbeat for 4 s; 60/min before.",
        "asystole: no QRS for 4.0 s, limit 4 s",
        "acknowledged: somebody knows",
        "0.500 s",  # from the condition to the alarm
        "Anna &lt;b&gt;",
        "Room &lt;3&gt;",
        "60/min",
        "3 before the strip",
    ):
        assert words in told
    assert "still on its way" not in told
    assert "still on its way" in alarm_markup.story(story, "", BEGAN_NS + 6 * NS)


def test_the_log_links_to_each_story(reader: SqliteReader) -> None:
    told = alarm_markup.log("a", None, log_of(reader, "a", None, START_NS, START_NS + 100 * NS))
    assert f"?log=a&amp;bed=1&amp;alarm={stories.alarm_id(START_NS)}" in told
    assert told.count("<tr") == 3
    assert "Anna &lt;b&gt;" in told
