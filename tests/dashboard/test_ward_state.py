"""What the dashboard knows: who is shown, which number is fresh, what a late browser is given."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from alerts.words import SYSTEM_BED, Alarm, AudioPause, BedAlarms, Phase, Priority
from dashboard.ward_state import (
    HISTORY_S,
    SILENT_S,
    UNATTENDED,
    UNATTENDED_S,
    WardState,
    natural,
)
from ecg import LiveChunk
from tests.dashboard.conftest import alarm


def document(bed: str, *alarms: Alarm, t_ns: int = 1, connected: bool = True) -> BedAlarms:
    return BedAlarms("a", bed, t_ns, "label", "simulated", "s/d", connected, ("II",), alarms)


def chunk(bed: str = "1", *, hr_bpm: float | None = 60.0, epoch: int = 1) -> LiveChunk:
    x = np.zeros((1, 4), np.int16)
    return LiveChunk("a", bed, epoch, 0, 0, 250.0, ("II",), (5.0,), x, hr_bpm=hr_bpm)


def rate(state: WardState, now_s: float) -> float | None:
    return state.beds("a", now_s)[0].hr_bpm


def test_beds_stand_in_the_order_of_their_numbers_and_the_ward_itself_last() -> None:
    state = WardState()
    for bed in ("10", SYSTEM_BED, "2", "window", "1"):
        state.take_alarms(document(bed))
    assert [view.bed for view in state.beds("a", 0.0)] == ["1", "2", "10", "window", SYSTEM_BED]


@pytest.mark.parametrize(
    ("before", "after"), [("2", "10"), ("A2", "A10"), ("1-9", "1-10"), ("9", "a")]
)
def test_numbers_within_names_count_as_numbers(before: str, after: str) -> None:
    assert natural(before) < natural(after)


def test_a_bed_is_shown_once_it_has_told_who_it_is() -> None:
    state = WardState()
    state.take_chunk(chunk(), b"x", 0.0)
    assert state.beds("a", 0.0) == []
    state.take_alarms(document("1"))
    assert [view.bed for view in state.beds("a", 0.0)] == ["1"]


def test_a_bed_that_was_taken_away_is_gone_and_so_is_its_ward() -> None:
    state = WardState()
    state.take_alarms(document("1"))
    assert state.wards() == ["a"]
    state.forget("a", "1")
    state.forget("never", "was")
    assert (state.beds("a", 0.0), state.wards()) == ([], [])


def test_a_rate_older_than_the_limit_is_no_rate() -> None:
    state = WardState()
    state.take_alarms(document("1"))
    state.take_chunk(chunk(hr_bpm=72.0), b"x", 100.0)
    assert rate(state, 100.0 + SILENT_S) == 72.0
    assert rate(state, 100.0 + SILENT_S + 0.01) is None


def test_the_rate_of_a_bed_without_its_device_is_no_rate() -> None:
    state = WardState()
    state.take_chunk(chunk(hr_bpm=72.0), b"x", 100.0)
    state.take_alarms(document("1", connected=False))
    assert rate(state, 100.0) is None


def test_a_chunk_without_a_rate_takes_the_old_one_away() -> None:
    state = WardState()
    state.take_alarms(document("1"))
    state.take_chunk(chunk(hr_bpm=72.0), b"x", 100.0)
    state.take_chunk(chunk(hr_bpm=None), b"x", 101.0)
    assert rate(state, 101.0) is None


def test_a_late_browser_gets_the_last_seconds_in_order_with_their_ages() -> None:
    state = WardState()
    for second in range(40):
        state.take_chunk(chunk(), b"%d" % second, float(second))
    kept = state.history("a", 39.5)
    assert [payload for _, payload in kept] == [b"%d" % s for s in range(28, 40)]
    assert [age_s for age_s, _ in kept] == [39.5 - s for s in range(28, 40)]
    assert max(age_s for age_s, _ in kept) <= HISTORY_S
    assert state.history("other", 39.5) == []


def test_signal_from_before_a_restart_is_not_given_on() -> None:
    state = WardState()
    state.take_chunk(chunk(epoch=1), b"before", 1.0)
    state.take_chunk(chunk(epoch=2), b"after", 2.0)
    assert [payload for _, payload in state.history("a", 2.0)] == [b"after"]


def test_the_time_of_an_acknowledgement_is_known_when_it_was_seen_to_happen() -> None:
    state, raised = WardState(), alarm(Priority.HIGH)
    seen = dataclasses.replace(raised, phase=Phase.ACKNOWLEDGED, acknowledged_by="Anna")
    state.take_alarms(document("1", raised, t_ns=5))
    state.take_alarms(document("1", seen, t_ns=7))
    state.take_alarms(document("1", seen, t_ns=9))
    assert state.beds("a", 0.0)[0].acknowledged_ns == {raised.id: 7}


def test_an_acknowledgement_of_before_the_dashboard_ran_has_no_time() -> None:
    state = WardState()
    state.take_alarms(document("1", alarm(Priority.HIGH, phase=Phase.ACKNOWLEDGED)))
    assert state.beds("a", 0.0)[0].acknowledged_ns == {}


def test_times_of_alarms_that_are_gone_are_forgotten() -> None:
    state, raised = WardState(), alarm(Priority.LOW)
    state.take_alarms(document("1", raised))
    state.take_alarms(document("1", dataclasses.replace(raised, phase=Phase.ACKNOWLEDGED)))
    state.take_alarms(document("1"))
    assert state.beds("a", 0.0)[0].acknowledged_ns == {}


def test_a_ward_that_should_be_heard_and_is_not_is_unattended() -> None:
    state = WardState()
    state.take_alarms(document("1"))
    state.take_chunk(chunk(), b"x", 1e6)
    assert not state.is_unattended("a", 1e6 + UNATTENDED_S)
    assert state.is_unattended("a", 1e6 + UNATTENDED_S + 0.1)


def test_one_bed_that_is_heard_shows_that_somebody_watches() -> None:
    state = WardState()
    for bed in ("1", "2"):
        state.take_alarms(document(bed))
        state.take_chunk(chunk(bed), b"x", 1e6)
    state.take_chunk(chunk("2"), b"x", 1e6 + 60)
    assert not state.is_unattended("a", 1e6 + 61)


def test_a_ward_without_devices_is_silent_rightly() -> None:
    state = WardState()
    state.take_alarms(document("1", connected=False))
    assert not state.is_unattended("a", 1e9)
    assert not state.is_unattended("unheard-of", 1e9)


# -- rhythm and sound ------------------------------------------------------------------------------


def test_rhythm_and_counts_are_those_of_the_latest_signal_until_it_is_old() -> None:
    state = WardState()
    state.take_alarms(document("1"))
    words = {"rhythms": ("(AFIB",), "pvc_per_min": 4.0, "quality": (0,)}
    state.take_chunk(dataclasses.replace(chunk(), **words), b"x", 100.0)  # type: ignore[arg-type]
    (seen,) = state.beds("a", 101.0)
    assert (seen.rhythms, seen.pvc_per_min, seen.is_readable) == (("(AFIB",), 4.0, True)
    (later,) = state.beds("a", 100.0 + SILENT_S + 0.1)
    assert (later.rhythms, later.pvc_per_min, later.is_readable) == (None, None, False)


@pytest.mark.parametrize(
    ("phase", "sounds"),
    [(Phase.RAISED, True), (Phase.LATCHED, True), (Phase.ACKNOWLEDGED, False)],
)
def test_what_sounds_is_what_nobody_has_acknowledged(phase: Phase, sounds: bool) -> None:
    state, raised = WardState(), alarm(Priority.HIGH, phase=phase)
    state.take_alarms(document("1", raised))
    assert state.audible("a", 0.0) == ([("high", f"1/{raised.id}")] if sounds else [])


def test_a_bed_whose_sound_is_paused_is_not_heard_but_the_others_are() -> None:
    state, raised = WardState(), alarm(Priority.MEDIUM)
    pause = AudioPause(0, 10**18, "Anna")
    state.take_alarms(dataclasses.replace(document("1", raised), audio_pause=pause))
    state.take_alarms(document("2", raised))
    assert state.audible("a", 0.0) == [("medium", f"2/{raised.id}")]


def test_an_analysis_that_is_away_is_heard() -> None:
    state = WardState()
    state.take_alarms(document("1"))
    state.take_chunk(chunk(), b"x", 1e6)
    assert state.audible("a", 1e6 + UNATTENDED_S + 0.1) == [("medium", UNATTENDED)]
