"""Tiles and alarms as HTML: what a nurse reads, and that nobody can slip in a tag."""

from __future__ import annotations

import dataclasses
import math
from html.parser import HTMLParser
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.words import (
    SYSTEM_BED,
    Alarm,
    AlarmKind,
    AudioPause,
    BedAlarms,
    Off,
    Phase,
    Priority,
)
from dashboard import markup
from dashboard.ward_state import BedView
from tests.dashboard.conftest import alarm

Source = Literal["real", "simulated", "device"]


def view(
    *alarms: Alarm,
    bed: str = "3",
    hr_bpm: float | None = 60.0,
    label: str = "Room 3",
    source: Source = "device",
) -> BedView:
    doc = BedAlarms("a", bed, 1, label, source, "s/d", True, ("II",), alarms)
    return BedView(bed, doc, hr_bpm, {})


class Parsed(HTMLParser):
    """Tags, classes and words of a piece of HTML."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.classes: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        self.classes += [value or "" for name, value in attrs if name == "class"]

    def handle_data(self, data: str) -> None:
        self.text += data


def shape(html: str) -> tuple[list[str], list[str]]:
    """Tags, and names of attributes: what text must not be able to change."""
    parsed = Parsed(html)
    return parsed.tags, [name for name, _ in parsed.attributes]


@pytest.mark.parametrize(
    ("hr_bpm", "shown"),
    [(59.6, "60"), (220.0, "220"), (None, "--"), (math.nan, "--"), (math.inf, "--")],
)
def test_the_rate_is_a_whole_number_or_two_dashes(hr_bpm: float | None, shown: str) -> None:
    assert f"<span class='hr'>{shown}</span>" in markup.tile(view(hr_bpm=hr_bpm))


@pytest.mark.parametrize(
    ("phase", "shown"), [(Phase.RAISED, "--"), (Phase.ACKNOWLEDGED, "--"), (Phase.LATCHED, "60")]
)
def test_while_there_are_no_beats_there_is_no_rate(phase: Phase, shown: str) -> None:
    assert markup.rate(view(alarm(Priority.HIGH, phase=phase), hr_bpm=60.0)) == shown


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("real", "real record · MIT-BIH 208"),
        ("simulated", "simulated · MIT-BIH 208"),
        ("device", "MIT-BIH 208"),
    ],
)
def test_what_is_no_patient_says_so_before_anything_that_may_be_cut_off(
    source: Source, told: str
) -> None:
    assert f">{told}<" in markup.tile(view(label="MIT-BIH 208", source=source))


@pytest.mark.parametrize(
    ("bed", "name"), [("3", "Bed 3"), ("window", "window"), (SYSTEM_BED, "Ward")]
)
def test_beds_are_called_as_people_call_them(bed: str, name: str) -> None:
    assert markup.bed_name(bed) == name


@pytest.mark.parametrize(
    ("priority", "look", "mark"),
    [
        (Priority.HIGH, "high", "!!!"),
        (Priority.MEDIUM, "medium", "!!"),
        (Priority.LOW, "low", "!"),
    ],
)
def test_priority_is_told_by_colour_and_by_marks(priority: Priority, look: str, mark: str) -> None:
    parsed = Parsed(markup.tile(view(alarm(priority))))
    assert parsed.classes[0] == f"head {look} unseen"
    assert f"sentence {look} unseen" in parsed.classes
    assert f"{mark} {alarm(priority).text}" in parsed.text


def test_what_somebody_has_seen_keeps_its_colour_and_stops_flashing() -> None:
    parsed = Parsed(markup.tile(view(alarm(Priority.HIGH, phase=Phase.ACKNOWLEDGED))))
    assert parsed.classes[0] == "head high"
    assert "✓" in parsed.text


def test_a_seen_alarm_hides_no_unseen_one_and_an_unseen_one_no_worse_one() -> None:
    seen = alarm(Priority.HIGH, phase=Phase.ACKNOWLEDGED)
    parsed = Parsed(markup.tile(view(seen, alarm(Priority.LOW))))
    assert parsed.classes[0] == "head high"  # the frame: the patient is still in asystole
    assert "sentence low unseen" in parsed.classes  # the words: what nobody has seen yet
    assert "Lead V5 is off. +1 more" in parsed.text


def test_a_frame_flashes_while_one_of_its_worst_alarms_is_unseen() -> None:
    seen = alarm(Priority.HIGH, phase=Phase.ACKNOWLEDGED)
    parsed = Parsed(markup.tile(view(seen, alarm(Priority.HIGH, number=2))))
    assert parsed.classes[0] == "head high unseen"


def test_a_calm_bed_says_nothing() -> None:
    parsed = Parsed(markup.tile(view()))
    assert parsed.classes[0] == "head calm"
    assert "!" not in parsed.text


def test_an_alarm_whose_condition_is_over_says_so() -> None:
    over = alarm(Priority.HIGH, phase=Phase.LATCHED)
    assert "(over)" in markup.tile(view(over))
    assert "over, not yet seen" in markup.card(view(over), over)


def test_the_list_tells_who_has_seen_to_an_alarm_and_when() -> None:
    seen = alarm(Priority.HIGH, phase=Phase.ACKNOWLEDGED, by="Anna")
    card = markup.card(dataclasses.replace(view(seen), acknowledged_ns={seen.id: 10**18}), seen)
    assert f"✓ Anna at {markup.clock(10**18)}" in card
    assert f"since {markup.clock(seen.since_ns)}" in card


def test_the_list_is_by_priority_then_unseen_then_newest() -> None:
    def at(which: Alarm, since_ns: int) -> Alarm:
        return dataclasses.replace(which, since_ns=since_ns, id=f"{which.id}-{since_ns}")

    seen = at(alarm(Priority.HIGH, phase=Phase.ACKNOWLEDGED), 9)
    old, new = at(alarm(Priority.HIGH), 1), at(alarm(Priority.HIGH), 2)
    medium, low = at(alarm(Priority.MEDIUM), 3), at(alarm(Priority.LOW), 10)
    views = [view(seen, old, bed="1"), view(low, bed="2"), view(medium, new, bed="3")]
    assert [a for _, a in markup.urgent_first(views)] == [new, old, seen, medium, low]


def test_a_label_cannot_bring_a_tag_along() -> None:
    html = markup.tile(view(label="<img src=x onerror=alert(1)>"))
    assert "img" not in Parsed(html).tags
    assert "<img src=x onerror=alert(1)>" in Parsed(html).text


@given(text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_no_text_changes_the_shape_of_the_page(text: str) -> None:
    plain = dataclasses.replace(alarm(Priority.HIGH), text="x", id="x", acknowledged_by="x")
    strange = dataclasses.replace(plain, text=text, id=text, acknowledged_by=text or "x")
    for phase in (Phase.RAISED, Phase.ACKNOWLEDGED, Phase.LATCHED):
        known = dataclasses.replace(plain, phase=phase)
        odd = dataclasses.replace(strange, phase=phase)
        assert shape(markup.tile(view(odd, label=text, bed=text))) == shape(
            markup.tile(view(known, label="x"))
        )
        assert shape(markup.card(view(odd, bed=text), odd)) == shape(
            markup.card(view(known), known)
        )


def test_what_is_inactivated_is_marked_at_the_bed() -> None:
    plain = view().alarms
    assert markup.marks(plain) == ""
    pause = AudioPause(10**18, 10**18 + 120 * 10**9, "A<b")
    paused = dataclasses.replace(plain, audio_pause=pause)
    assert f"sound off until {markup.clock(pause.until_ns)[:5]}" in markup.marks(paused)
    assert "A&lt;b" in markup.marks(paused)
    one = dataclasses.replace(plain, off=(Off(AlarmKind.COUPLET, 0, "settings"),))
    assert "couplet off" in markup.marks(one)
    two = dataclasses.replace(one, off=(*one.off, Off(AlarmKind.IRREGULAR, 0, "dr")))
    assert "2 alarms off" in markup.marks(two)
    assert "irregular (by dr)" in markup.marks(two)


def test_the_limits_of_the_heart_rate_stand_beside_it() -> None:
    plain = view().alarms
    assert markup.limits(plain) == ""
    known = dataclasses.replace(plain, limits=(("low_bpm", 50.0), ("high_bpm", 120.0)))
    assert "50–120" in markup.limits(known)


@pytest.mark.parametrize(
    ("rhythms", "pvc_per_min", "is_readable", "words", "code"),
    [
        (("(AFIB",), 0.0, True, "Atrial fibrillation", "(AFIB"),
        (("(AFIB", "(B"), 20.0, True, "Atrial fibrillation, bigeminy", "(AFIB (B"),
        ((), 0.0, True, "No arrhythmia found", "(N"),
        ((), 3.0, True, "PVCs", "(N"),
        (None, None, True, "Learning the rhythm", ""),
        (None, 3.0, False, "Signal too poor to tell", ""),
        (("(ASYS",), 0.0, False, "Asystole", "(ASYS"),
        (("(NEW",), 0.0, True, "(NEW", "(NEW"),
    ],
)
def test_the_rhythm_is_told_in_words_and_as_wfdb_has_it(
    rhythms: tuple[str, ...] | None,
    pvc_per_min: float | None,
    is_readable: bool,
    words: str,
    code: str,
) -> None:
    seen = dataclasses.replace(
        view(), rhythms=rhythms, pvc_per_min=pvc_per_min, is_readable=is_readable
    )
    assert markup.rhythm_words(seen) == (words, code)
    told = Parsed(markup.tile(seen))
    assert words in told.text
    labels = [value or "" for name, value in told.attributes if name == "aria-label"]
    assert any(words in label and code in label for label in labels)


def test_of_a_bed_that_is_not_heard_no_rhythm_is_told() -> None:
    assert markup.rhythm_words(view(hr_bpm=None)) == ("Rhythm not known", "")


def test_ventricular_beats_of_the_last_minute_are_counted() -> None:
    told = Parsed(markup.tile(dataclasses.replace(view(), pvc_per_min=7.0, rhythms=())))
    assert "PVC 7/min" in told.text
    assert "PVC" not in Parsed(markup.tile(view())).text
