"""The rules on a signal: what they see, what they must not mistake."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.engine import Acknowledge, Analysed, Limits
from alerts.words import AlarmKind, Phase, Priority
from ecg.clock import NS
from ecg.codes import BeatFlag, QualityCode

USABLE, NOISY, FLAT, OFF = (
    QualityCode.USABLE,
    QualityCode.NOISY,
    QualityCode.FLAT,
    QualityCode.LEAD_OFF,
)
LETHAL_RAISED = {AlarmKind.ASYSTOLE, AlarmKind.EXTREME_BRADYCARDIA, AlarmKind.EXTREME_TACHYCARDIA}


def every(rr_s, until_s, first_s=0.5):
    return [float(t) for t in np.arange(first_s, until_s, rr_s)]


@pytest.mark.parametrize(("quiet_s", "alarm"), [(3.9, False), (4.0, True), (4.1, True)])
def test_asystole_is_raised_four_seconds_after_the_last_beat(bed, findings, quiet_s, alarm):
    last_s = 5.5
    bed.take(findings.analysed(0, last_s + quiet_s, every(1, last_s + 0.1), [FLAT]))
    assert (AlarmKind.ASYSTOLE in bed.shown) is alarm
    if alarm:
        assert bed.shown[AlarmKind.ASYSTOLE].since_ns == findings.ns(last_s + 4)


@pytest.mark.parametrize(("quiet_s", "alarm"), [(3.9, False), (4.0, True), (4.1, True)])
def test_a_silence_that_is_known_is_told_before_all_beats_are(bed, findings, quiet_s, alarm):
    last_s = 5.5
    event = findings.analysed(0, last_s + 3.5, every(1, last_s + 0.1))
    bed.take(replace(event, quiet_ns=findings.ns(last_s + quiet_s)))
    assert (AlarmKind.ASYSTOLE in bed.shown) is alarm
    bed.take(findings.analysed(9, 10.0, [9.45]))  # what was quiet stays so: this ends it
    assert bed.phases(AlarmKind.ASYSTOLE) == [Phase.RAISED, Phase.LATCHED] * alarm


@pytest.mark.parametrize(("gap_s", "alarm"), [(3.9, False), (4.1, True)])
def test_a_beat_ends_a_silence_that_is_known_with_it_alone(bed, findings, gap_s, alarm):
    """It is told before the analysis is sure of all that lies before it."""
    bed.take(findings.analysed(0, 9.0, every(1, 5.6)))
    bed.take(findings.analysed(9, 9.3, [5.5 + gap_s]))
    assert bed.phases(AlarmKind.ASYSTOLE) == [Phase.RAISED, Phase.LATCHED] * alarm


def test_what_was_quiet_does_not_count_when_a_beat_may_be_pending(bed, findings):
    event = findings.analysed(0, 9.0, every(1, 5.6))
    bed.take(replace(event, quiet_ns=findings.ns(9.4)))
    bed.take(replace(findings.analysed(9, 9.4), quiet_ns=findings.ns(9.4)))
    assert not bed.phases(AlarmKind.ASYSTOLE)
    bed.take(findings.analysed(9, 10.4, [9.45]))
    assert not bed.phases(AlarmKind.ASYSTOLE)


@pytest.mark.parametrize(("silent_s", "alarm"), [(9.9, False), (10.0, True), (10.1, True)])
def test_before_the_first_beat_a_signal_is_given_ten_seconds(bed, findings, silent_s, alarm):
    """The detector may not know yet what a beat of this heart looks like."""
    bed.take(findings.analysed(0, silent_s, []))
    assert (AlarmKind.ASYSTOLE in bed.shown) is alarm
    assert AlarmKind.PAUSE not in bed.shown


def test_beats_of_a_detector_that_still_learns_do_not_settle_it(bed, findings):
    bed.take(findings.analysed(0, 3, every(1, 3), flags=BeatFlag.LEARNING))
    bed.take(findings.analysed(3, 12, []))
    assert not bed.log  # 9.5 s
    bed.take(findings.analysed(12, 13, []))
    assert bed.shown[AlarmKind.ASYSTOLE].since_ns == findings.ns(12.5)


def test_no_rate_is_taken_from_beats_of_a_detector_that_still_learns(bed, findings):
    """It may have missed those between: a pacemaker's heart is not slow for that."""
    bed.take(findings.analysed(0, 20, every(2, 20, 3), flags=BeatFlag.LEARNING))
    assert AlarmKind.EXTREME_BRADYCARDIA not in bed.shown
    bed.take(findings.analysed(20, 36, every(2, 36, 21)))  # settled: now it is
    assert AlarmKind.EXTREME_BRADYCARDIA in bed.shown


def test_in_a_stream_that_begins_anew_it_must_learn_anew(bed, findings):
    bed.take(findings.analysed(0, 3, every(1, 3)))
    event = findings.analysed(10, 16, [])
    bed.take(replace(event, is_new_stream=True))
    assert AlarmKind.ASYSTOLE not in bed.shown
    bed.take(findings.analysed(16, 20, []))
    assert AlarmKind.ASYSTOLE in bed.shown


def test_a_slow_network_causes_no_asystole(bed, findings):
    """The wall clock runs an hour ahead: only the signal's own time counts."""
    bed.take(findings.analysed(0, 6, every(1, 6)), now_ns=findings.ns(6))
    bed.take(findings.analysed(6, 7, [6.5]), now_ns=findings.ns(3600))
    assert not bed.state.alarms


def test_asystole_in_the_middle_of_a_long_push_is_told_with_its_end(bed, findings):
    bed.take(findings.analysed(0, 30, [*every(1, 10), *every(1, 30, 20.5)]))
    assert [(t.kind, t.phase, t.t_ns) for t in bed.log] == [
        (AlarmKind.PAUSE, Phase.RAISED, findings.ns(12)),
        (AlarmKind.ASYSTOLE, Phase.RAISED, findings.ns(13.5)),
        (AlarmKind.PAUSE, Phase.ENDED, findings.ns(13.5)),
        (AlarmKind.ASYSTOLE, Phase.LATCHED, findings.ns(20.5)),
    ]


@pytest.mark.parametrize("codes", [[OFF], [NOISY], [OFF, NOISY]])
def test_a_lead_that_would_show_no_beat_shows_no_asystole(bed, findings, codes):
    bed.take(findings.analysed(0, 5, every(1, 5), [USABLE] * len(codes)))
    bed.take(findings.analysed(5, 60, [], codes))
    assert not LETHAL_RAISED & {t.kind for t in bed.log}


def test_the_seconds_before_and_after_a_loss_of_signal_do_not_add_up(bed, findings):
    bed.take(findings.analysed(0, 3, [], [FLAT]))
    bed.take(findings.analysed(3, 4, [], [OFF]))
    bed.take(findings.analysed(4, 7.9, [], [FLAT]))
    assert AlarmKind.ASYSTOLE not in bed.shown
    bed.take(findings.analysed(7, 8, [], [FLAT]))
    assert AlarmKind.ASYSTOLE in bed.shown


def test_intervals_across_a_loss_of_signal_are_no_bradycardia(bed, findings):
    bed.take(findings.analysed(0, 3, every(1, 3)))
    bed.take(findings.analysed(3, 9, [], [NOISY]))
    bed.take(findings.analysed(9, 11, [9.5, 10.5]))
    assert not bed.log


def test_a_gap_in_the_stream_is_no_asystole_and_no_bradycardia(bed, findings):
    bed.take(findings.analysed(0, 5, every(1, 5)))
    bed.take(Analysed(findings.ns(100.4)))  # a new stream begins; its first second is not over
    bed.take(findings.analysed(100, 103, [100.5, 101.5, 102.5]))
    assert not bed.log


def test_lost_signal_does_not_end_a_lethal_alarm(bed, findings):
    bed.take(findings.analysed(0, 10, [0.5]))
    bed.take(findings.analysed(10, 30, [], [OFF]))
    assert bed.shown[AlarmKind.ASYSTOLE].phase is Phase.RAISED
    bed.take(findings.analysed(30, 32, [31.5]))
    assert bed.shown[AlarmKind.ASYSTOLE].phase is Phase.LATCHED


def test_a_beat_found_late_takes_an_asystole_back(bed, findings):
    bed.take(findings.analysed(0, 5, [0.5]))
    assert bed.shown[AlarmKind.ASYSTOLE].phase is Phase.RAISED
    late = findings.beats([3.0], BeatFlag.SEARCH_BACK)
    bed.take(Analysed(findings.ns(5.2), late))
    assert bed.shown[AlarmKind.ASYSTOLE].phase is Phase.LATCHED


@pytest.mark.parametrize(("rate", "alarm"), [(39, True), (40, False), (41, False)])
def test_extreme_bradycardia_over_five_beats(bed, findings, rate, alarm):
    times = [0.5 + i * 60 / rate for i in range(5)]
    bed.take(findings.analysed(0, times[-2] + 0.1, times[:-1]))
    assert not bed.log
    bed.take(findings.analysed(int(times[-2] + 0.1), times[-1] + 0.1, times[-1:]))
    assert (AlarmKind.EXTREME_BRADYCARDIA in bed.shown) is alarm


@pytest.mark.parametrize(("rate", "alarm"), [(139, False), (141, True)])
def test_extreme_tachycardia_over_seventeen_beats(bed, findings, rate, alarm):
    times = [0.5 + i * 60 / rate for i in range(17)]
    bed.take(findings.analysed(0, times[-2] + 0.01, times[:-1]))
    assert not bed.log
    bed.take(findings.analysed(int(times[-2] + 0.01), times[-1] + 0.1, times[-1:]))
    assert (AlarmKind.EXTREME_TACHYCARDIA in bed.shown) is alarm


def test_rate_alarms_latch_when_the_rate_is_back(bed, findings):
    bed.take(findings.analysed(0, 10, every(2, 10)))
    bed.take(findings.analysed(10, 20, every(1, 20, 10.5)))
    assert bed.phases(AlarmKind.EXTREME_BRADYCARDIA) == [Phase.RAISED, Phase.LATCHED]


def test_doubtful_beats_make_no_rate_but_interrupt_the_silence(bed, findings):
    bed.take(findings.analysed(0, 30, every(0.3, 30), flags=BeatFlag.POOR_SIGNAL))
    assert not bed.log


def test_limits_are_those_of_the_patient(new_bed, findings):
    bed = new_bed(Limits(asystole_s=3, bradycardia_bpm=30))
    bed.take(findings.analysed(0, 8.5, every(1.7, 8)))
    assert not bed.log
    bed.take(findings.analysed(8, 11, []))
    assert list(bed.shown) == [AlarmKind.ASYSTOLE]


def test_evidence_shows_the_strip_the_beats_and_the_numbers(bed, findings):
    bed.take(findings.analysed(0, 6, every(1, 6), hr_bpm=60.0))
    bed.take(findings.analysed(6, 10, []))
    (raised,) = [t for t in bed.log if t.kind is AlarmKind.ASYSTOLE]
    assert raised.evidence.from_ns == raised.t_ns - 10 * NS
    assert raised.evidence.to_ns == raised.t_ns + 6 * NS
    assert raised.evidence.beats_ns == tuple(findings.ns(t) for t in every(1, 6))
    assert raised.evidence.quality == (USABLE,)
    assert "limit 4 s" in raised.evidence.rule
    assert raised.text == "No heartbeat for 4 s; 60/min before."


def test_one_lead_off_is_low_all_off_is_medium(bed, findings):
    bed.take(findings.analysed(0, 9, every(1, 9), [USABLE, OFF]))
    assert not bed.log
    bed.take(findings.analysed(9, 10, [9.5], [USABLE, OFF]))
    assert bed.shown[AlarmKind.LEAD_OFF].priority is Priority.LOW
    assert bed.shown[AlarmKind.LEAD_OFF].text == "Lead II off."
    bed.take(findings.analysed(10, 20, [], [OFF, OFF]))
    assert bed.shown[AlarmKind.LEAD_OFF].priority is Priority.MEDIUM
    assert "not watched" in bed.shown[AlarmKind.LEAD_OFF].text
    bed.take(findings.analysed(20, 21, [20.5], [USABLE, USABLE]))
    assert not bed.shown


def test_another_lead_off_is_a_new_alarm_though_the_first_is_acknowledged(bed, findings):
    bed.take(findings.analysed(0, 10, every(1, 10), [USABLE, OFF, USABLE]))
    bed.take(Acknowledge(bed.shown[AlarmKind.LEAD_OFF].id, "nurse"))
    bed.take(findings.analysed(10, 20, every(1, 20, 10.5), [USABLE, OFF, OFF]))
    assert bed.shown[AlarmKind.LEAD_OFF].phase is Phase.RAISED
    assert bed.shown[AlarmKind.LEAD_OFF].text == "Leads II, V5 off."


def test_a_lead_that_stays_off_across_a_gap_is_told_once(bed, findings):
    bed.take(findings.analysed(0, 12, every(1, 12), [USABLE, OFF]))
    bed.take(findings.analysed(60, 62, [60.5, 61.5], [USABLE, OFF]))
    assert bed.phases(AlarmKind.LEAD_OFF) == [Phase.RAISED]


@pytest.mark.parametrize(("noisy_s", "alarm"), [(9, False), (10, True)])
def test_noise_for_ten_seconds_cannot_be_analysed(bed, findings, noisy_s, alarm):
    bed.take(findings.analysed(0, noisy_s, [], [NOISY, OFF]))
    assert (AlarmKind.CANNOT_ANALYSE in bed.shown) is alarm
    bed.take(findings.analysed(noisy_s, noisy_s + 1, [], [USABLE, OFF]))
    assert AlarmKind.CANNOT_ANALYSE not in bed.shown


def test_a_patient_whom_nobody_watches_is_told_of_whatever_the_reason_is(bed, findings):
    """Noise and lead off take turns: neither lasts, together they do."""
    for s in range(0, 12, 2):
        bed.take(findings.analysed(s, s + 1, [], [NOISY]))
        bed.take(findings.analysed(s + 1, s + 2, [], [OFF]))
    assert AlarmKind.CANNOT_ANALYSE in bed.shown


def test_flat_and_nothing_else_is_asystole_not_a_technical_alarm(bed, findings):
    bed.take(findings.analysed(0, 20, [], [FLAT, OFF]))
    assert set(bed.shown) == {AlarmKind.ASYSTOLE, AlarmKind.LEAD_OFF}


def test_a_clock_that_steps_back_begins_anew_and_keeps_the_alarms(bed, findings):
    bed.take(findings.analysed(1000, 1010, [1000.5]))
    bed.take(findings.analysed(0, 3, [0.5, 1.5, 2.5]))
    assert bed.shown[AlarmKind.ASYSTOLE].phase is Phase.LATCHED
    bed.take(findings.analysed(3, 6.6, []))
    assert bed.phases(AlarmKind.ASYSTOLE) == [
        Phase.RAISED,
        Phase.LATCHED,
        Phase.ENDED,
        Phase.RAISED,
    ]


@settings(max_examples=150, deadline=None)
@given(
    rr_s=st.lists(
        st.sampled_from([0.35, 0.4, 0.43, 1.0, 1.49, 1.5, 1.51, 2.0, 4.0, 4.5]),
        min_size=1,
        max_size=60,
    ),
    cuts_s=st.lists(st.integers(1, 119), max_size=20, unique=True),
)
def test_alarms_do_not_depend_on_how_the_findings_are_cut(new_bed, findings, rr_s, cuts_s):
    """On a signal that is usable throughout: times, kinds and phases are the same.

    Silence is known half a second ahead of beats, where there is one.
    """
    times = [float(t) for t in np.cumsum(rr_s)]
    end_s = int(times[-1]) + 6
    whole, pieces = new_bed(), new_bed()
    whole.take(findings.analysed(0, end_s, times))
    for a, b in pairwise(sorted({0, end_s, *(c for c in cuts_s if c < end_s)})):
        event = findings.analysed(a, b, [t for t in times if a <= t < b])
        is_quiet = not any(b <= t < b + 0.5 for t in times)
        pieces.take(replace(event, quiet_ns=findings.ns(b + 0.5 * is_quiet)))
    assert [(t.alarm_id, t.phase, t.t_ns) for t in pieces.log] == [
        (t.alarm_id, t.phase, t.t_ns) for t in whole.log
    ]
