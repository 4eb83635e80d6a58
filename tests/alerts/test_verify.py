"""Verification of alarms: each rule at its limits, on channels made by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.verify import KINDS, Verdict, verify
from ecg import QUALITY, BadInput
from ecg.clock import NS
from ecg.codes import QualityCode
from ecg.evidence import LEAD_BEAT, LEAD_SECOND, PULSE, LeadView, PulseView

ALARM_NS = 1_000 * NS
SPAN_S = 20


def seconds(dtype, code=QualityCode.USABLE):
    rows = np.zeros(SPAN_S, dtype)
    rows["t_ns"] = ALARM_NS + np.arange(-SPAN_S, 0) * NS
    rows["code"] = code
    return rows


def lead(times, familiar=1.0, companions=50, alike=0.99, code=QualityCode.USABLE, **about):
    """A lead with beats at these seconds before the alarm, all of one kind unless told."""
    times = np.asarray(times, float)
    beats = np.zeros(times.size, LEAD_BEAT)
    beats["t_ns"] = ALARM_NS + np.rint(times * NS).astype(np.int64)
    beats["familiar"], beats["companions"], beats["alike"] = familiar, companions, 0.0
    beats["alike"] = np.broadcast_to(np.asarray(alike, float)[..., None], (times.size, 4))
    beats["slower"] = beats["height"] = 1.0
    rows = seconds(LEAD_SECOND, code)
    rows["leakage"], rows["steepest"] = about.get("leakage", 0.9), 0.02
    for t in times:
        second = int(np.floor(t)) + SPAN_S
        if 0 <= second < SPAN_S:
            rows["steepest"][second] = about.get("steep", 0.5)
    rows["steepest"] = np.maximum(rows["steepest"], about.get("noise", 0.0))
    rows["stuck"] = about.get("stuck", 0.0)
    return LeadView(about.get("name", "II"), beats, beats, beats[:0], rows, 0.9, 20.0)


def pulse(times, quality=0.98, height=1.0, is_pressure=False, code=QualityCode.USABLE):
    times = np.asarray(times, float)
    rows = np.zeros(times.size, PULSE)
    rows["t_ns"] = ALARM_NS + np.rint(times * NS).astype(np.int64)
    rows["quality"], rows["height"] = quality, height
    return PulseView("ABP" if is_pressure else "PLETH", rows, seconds(QUALITY, code), is_pressure)


def every(interval_s, begin_s=-SPAN_S, end_s=-0.05):
    return np.arange(begin_s + 0.1, end_s, interval_s)


def decide(kind, leads, pulses=()):
    return verify(kind, leads, pulses, ALARM_NS).verdict


SINUS = every(0.8)
PULSES = every(0.8, end_s=-0.5)
TRUE, FALSE, UNDECIDED = Verdict.TRUE, Verdict.FALSE, Verdict.UNDECIDED


# ---------------------------------------------------------------- what holds for all kinds


@pytest.mark.parametrize("kind", KINDS)
def test_without_a_channel_nothing_is_decided(kind):
    assert decide(kind, []) is UNDECIDED


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "dead",
    [
        lead([], code=QualityCode.LEAD_OFF, stuck=1.0),
        lead([], code=QualityCode.FLAT),
        lead(SINUS, stuck=1.0),
    ],
)
def test_a_lead_without_signal_decides_nothing(kind, dead):
    assert decide(kind, [dead]) is UNDECIDED


@pytest.mark.parametrize("kind", KINDS)
def test_sinus_rhythm_in_every_channel_refutes(kind):
    leads = [lead(SINUS), lead(SINUS, name="V")]
    assert decide(kind, leads, [pulse(PULSES)]) is FALSE
    assert decide(kind, leads) is FALSE


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"Tachycardia"}))
def test_a_regular_pulse_alone_refutes_all_but_a_tachycardia_of_weak_beats(kind):
    assert decide(kind, [], [pulse(PULSES)]) is FALSE


def test_an_unknown_kind_is_refused_by_name():
    with pytest.raises(BadInput, match="'Afib' is not known; there are Asystole"):
        verify("Afib", [], [], ALARM_NS)


def test_the_reason_is_a_sentence_with_its_numbers():
    found = verify("Asystole", [lead(every(0.8, end_s=-5.0))], [], ALARM_NS)
    assert found.reason.startswith("lead II shows no beat for 5.")
    assert 4.9 < found.numbers["pause_s"] < 6.0


some_times = st.lists(st.floats(-SPAN_S, -0.01), max_size=30).map(sorted)


@st.composite
def some_leads(draw):
    times = draw(some_times)
    n = len(times)
    about = {
        "familiar": draw(st.lists(st.floats(-1, 1), min_size=n, max_size=n)),
        "companions": draw(st.lists(st.integers(0, 80), min_size=n, max_size=n)),
        "leakage": draw(st.floats(0, 1)),
        "stuck": draw(st.floats(0, 1)),
        "code": draw(st.sampled_from(list(QualityCode))),
    }
    return lead(times, **about)


some_pulses = st.builds(
    pulse,
    some_times,
    quality=st.floats(0, 1),
    height=st.floats(0, 100),
    is_pressure=st.booleans(),
    code=st.sampled_from(list(QualityCode)),
)


@settings(max_examples=60, deadline=None)
@given(
    kind=st.sampled_from(sorted(KINDS)),
    leads=st.lists(some_leads(), max_size=3),
    pulses=st.lists(some_pulses, max_size=2),
)
def test_whatever_the_channels_show_there_is_a_verdict_and_dead_channels_do_not_sway_it(
    kind, leads, pulses
):
    found = verify(kind, leads, pulses, ALARM_NS)
    assert found.verdict in Verdict
    assert found.reason
    dead = lead([], code=QualityCode.LEAD_OFF, stuck=1.0), pulse([], code=QualityCode.FLAT)
    assert verify(kind, [*leads, dead[0]], [*pulses, dead[1]], ALARM_NS).verdict is found.verdict


# ---------------------------------------------------------------- asystole


@pytest.mark.parametrize(("pause_s", "verdict"), [(3.4, FALSE), (3.6, TRUE), (6.0, TRUE)])
def test_asystole_by_the_longest_pause(pause_s, verdict):
    last_s = np.floor(-pause_s / 0.8) * 0.8  # beats on the grid of the rhythm
    beats = np.append(every(0.8, end_s=last_s), -pause_s)
    assert decide("Asystole", [lead(beats)]) is verdict


def test_a_pause_within_the_window_counts_though_beats_came_back():
    beats = np.concatenate([every(0.8, end_s=-8.0), every(0.8, begin_s=-3.5)])
    assert decide("Asystole", [lead(beats)]) is TRUE


def test_the_pulse_that_goes_on_refutes_a_lead_that_misses_beats():
    assert decide("Asystole", [lead(every(0.8, end_s=-5.0))], [pulse(PULSES)]) is FALSE


def test_another_lead_that_goes_on_refutes_it_too():
    leads = [lead(every(0.8, end_s=-5.0)), lead(SINUS, name="V")]
    assert decide("Asystole", leads) is FALSE


def test_waves_of_a_moved_sensor_do_not():
    moved = pulse(np.concatenate([every(0.8, end_s=-5.5), [-4.9, -4.4, -1.7, -1.2]]))
    assert decide("Asystole", [lead(every(0.8, end_s=-5.0))], [moved]) is TRUE


def test_pressure_waves_of_a_few_mmhg_are_no_pulse():
    weak = pulse(PULSES, height=4.0, is_pressure=True)
    assert decide("Asystole", [lead(every(0.8, end_s=-5.0))], [weak]) is TRUE


def test_artifacts_do_not_end_a_pause():
    beats = np.append(every(0.8, end_s=-5.0), -2.0)
    alike = np.append(np.full(beats.size - 1, 0.99), 0.1)
    familiar = np.append(np.ones(beats.size - 1), 0.2)
    assert decide("Asystole", [lead(beats, familiar=familiar, alike=alike)]) is TRUE


def test_noise_without_a_quiet_moment_is_no_standstill():
    noisy = lead([], noise=0.5, code=QualityCode.NOISY)
    assert decide("Asystole", [noisy]) is FALSE


def test_unless_the_pulse_has_stopped_meanwhile():
    noisy = lead([], noise=0.5, code=QualityCode.NOISY)
    stopped = pulse(every(0.8, end_s=-5.0))
    assert decide("Asystole", [noisy], [stopped]) is UNDECIDED
    off = pulse(every(0.8, end_s=-5.0), code=QualityCode.FLAT)  # the sensor came off
    assert decide("Asystole", [noisy], [off]) is FALSE


# ---------------------------------------------------------------- rates


@pytest.mark.parametrize(("bpm", "verdict"), [(38, TRUE), (44, TRUE), (46, FALSE), (60, FALSE)])
def test_bradycardia_with_some_tolerance(bpm, verdict):
    assert decide("Bradycardia", [lead(every(60 / bpm))]) is verdict


@pytest.mark.parametrize(("slow_beats", "verdict"), [(3, FALSE), (4, TRUE)])
def test_bradycardia_needs_four_beats(slow_beats, verdict):
    slow = -0.3 - 1.6 * np.arange(slow_beats)[::-1]
    beats = np.concatenate([every(0.6, end_s=slow[0] - 0.55), slow])
    assert decide("Bradycardia", [lead(beats)]) is verdict


def test_the_pulse_refutes_a_lead_that_misses_every_other_beat():
    assert decide("Bradycardia", [lead(every(1.6))], [pulse(PULSES)]) is FALSE


def test_a_dicrotic_wave_is_no_pulse_of_its_own():
    times = every(0.8, end_s=-0.5)
    heights = np.where(np.arange(times.size) % 2, 0.3, 1.0)
    double = pulse(times, height=heights)
    assert decide("Bradycardia", [lead(every(1.6))], [double]) is TRUE


@pytest.mark.parametrize(
    ("bpm", "verdict"), [(145, TRUE), (136, TRUE), (130, UNDECIDED), (114, FALSE)]
)
def test_tachycardia_with_some_tolerance(bpm, verdict):
    assert decide("Tachycardia", [lead(every(60 / bpm))]) is verdict


def test_weak_beats_make_no_pulse_and_that_refutes_no_tachycardia():
    assert decide("Tachycardia", [lead(every(0.4))], [pulse(PULSES)]) is TRUE


def test_t_waves_counted_as_beats_are_refuted_by_a_pulse_for_each_usual_beat():
    beats = every(0.3)
    odd = np.arange(beats.size) % 2 == 1
    t_waves = lead(beats, familiar=np.where(odd, 0.3, 1.0))
    assert decide("Tachycardia", [t_waves], [pulse(every(0.6, end_s=-0.5))]) is FALSE


# ---------------------------------------------------------------- ventricular tachycardia


def run_of(n, interval_s=0.4, begin_s=-6.0, companions=5):
    """Sinus rhythm with a run of n ventricular beats in it: the lead, and the beats that pump."""
    run = begin_s + interval_s * np.arange(n)
    before, after = every(0.8, end_s=begin_s - 0.5), every(0.8, begin_s=run[-1] + 0.7)
    times = np.concatenate([before, run, after])
    is_run = np.isin(times, run)
    view = lead(
        times,
        familiar=np.where(is_run, 0.2, 1.0),
        companions=np.where(is_run, companions, 40),
    )
    return view, np.concatenate([before, after])


def test_five_ventricular_beats_in_a_row():
    view, _ = run_of(5)
    assert decide("Ventricular_Tachycardia", [view]) is TRUE


@pytest.mark.parametrize(("bpm", "verdict"), [(95, TRUE), (91, UNDECIDED)])
def test_at_a_rate_of_100_with_some_tolerance(bpm, verdict):
    view, _ = run_of(5, 60 / bpm)
    assert decide("Ventricular_Tachycardia", [view]) is verdict


def test_four_are_not_enough_but_refuted_is_another_thing():
    view, _ = run_of(4)
    assert decide("Ventricular_Tachycardia", [view]) is UNDECIDED


def test_beats_like_no_other_are_no_run():
    view, _ = run_of(6, companions=1)
    assert decide("Ventricular_Tachycardia", [view]) is not TRUE


def test_the_pulse_that_falters_meanwhile_leaves_it_true():
    view, pumped = run_of(6)
    assert decide("Ventricular_Tachycardia", [view], [pulse(pumped[pumped < -0.5] + 0.3)]) is TRUE


def test_a_pulse_in_step_all_the_time_refutes_it():
    view, _ = run_of(6)
    assert decide("Ventricular_Tachycardia", [view], [pulse(PULSES)]) is FALSE


def test_a_pulse_that_was_strange_once_is_not_in_step():
    view, _ = run_of(6)
    quality = np.full(PULSES.size, 0.98)
    quality[-6] = 0.5
    assert decide("Ventricular_Tachycardia", [view], [pulse(PULSES, quality)]) is TRUE


def test_leads_that_disagree_show_artifacts():
    artifacts = lead(every(0.4), familiar=0.3, companions=0)
    others = lead(every(0.4, begin_s=-SPAN_S + 0.2), familiar=0.3, companions=0, name="V")
    assert decide("Ventricular_Tachycardia", [artifacts, others]) is FALSE


# ---------------------------------------------------------------- ventricular fibrillation


@pytest.mark.parametrize(("leakage", "verdict"), [(0.3, TRUE), (0.5, UNDECIDED), (0.7, FALSE)])
def test_fibrillation_is_a_plain_oscillation(leakage, verdict):
    waves = lead(every(0.2, begin_s=-6.0), familiar=0.1, companions=9, leakage=leakage)
    assert decide("Ventricular_Flutter_Fib", [waves]) is verdict


@pytest.mark.parametrize(("stopped_s", "verdict"), [(3.2, FALSE), (3.4, TRUE)])
def test_no_pulse_meanwhile(stopped_s, verdict):
    waves = lead(every(0.2), familiar=0.1, companions=9, leakage=0.2)
    pulses = pulse(np.append(every(0.8, end_s=-stopped_s - 0.6), -stopped_s))
    assert decide("Ventricular_Flutter_Fib", [waves], [pulses]) is verdict


def test_oscillation_hidden_in_noise_refutes_nothing_once_the_pulse_has_stopped():
    noisy = lead(every(0.2), familiar=0.1, companions=0, leakage=0.9)
    stopped = pulse(every(0.8, end_s=-5.0))
    assert decide("Ventricular_Flutter_Fib", [noisy], [stopped]) is UNDECIDED
