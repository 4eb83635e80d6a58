"""Mechanical evidence: what pulses say against an alarm, and what they cannot."""

from dataclasses import replace

import numpy as np
import pytest

from alerts.engine import Analysed, Pulse
from alerts.words import AlarmKind, Phase
from ecg.codes import EpisodeKind, QualityCode
from ecg.findings import EPISODE

FLAT = QualityCode.FLAT


def pulse(findings, times_s, quality=0.9):
    times_s = list(times_s)
    through = findings.ns(max(times_s))
    quality = np.full(len(times_s), quality)
    return Pulse(through, np.array([findings.ns(t) for t in times_s]), quality)


def play(bed, findings, n_s, beats_s, pulses_s, aami="Q", codes=(QualityCode.USABLE,)):
    """Second by second, pulses before the ECG of the same second."""
    for s in range(n_s):
        now = [t for t in pulses_s if s <= t < s + 1]
        if now:
            bed.take(pulse(findings, now), findings.ns(s + 1))
        beats = [t for t in beats_s if s <= t < s + 1]
        bed.take(findings.analysed(s, s + 1, beats, codes, aami=aami), findings.ns(s + 1))


def told(bed, kind):
    return [t.phase for t in bed.log if t.kind is kind]


def test_no_asystole_while_pulses_go_on_and_the_log_says_why(bed, findings):
    play(bed, findings, 12, [0.5, 1.5], np.arange(0.8, 12, 1.0), codes=[FLAT])
    assert told(bed, AlarmKind.ASYSTOLE) == [Phase.SUPPRESSED]
    (row,) = [t for t in bed.log if t.kind is AlarmKind.ASYSTOLE]
    assert "pulses of beats in the last" in row.text
    assert row.evidence.pulses_ns
    assert not bed.shown


def test_asystole_is_told_when_the_pulses_stop_too(bed, findings):
    play(bed, findings, 20, [0.5, 1.5], np.arange(0.8, 8, 1.0), codes=[FLAT])
    assert told(bed, AlarmKind.ASYSTOLE) == [Phase.SUPPRESSED, Phase.RAISED]


def test_the_pulse_of_the_last_beat_is_no_evidence(bed, findings):
    play(bed, findings, 8, [0.5, 1.5], [0.8, 1.8, 2.2], codes=[FLAT])
    assert told(bed, AlarmKind.ASYSTOLE) == [Phase.RAISED]


@pytest.mark.parametrize(
    ("delay_s", "pulse_s", "phase"),
    [
        # a plethysmogram is about 1 s late: what comes 1.3 s after the last beat is its pulse
        (1.0, 2.8, Phase.RAISED),
        (1.0, 3.0, Phase.SUPPRESSED),
        # a pressure is not
        (0.25, 2.1, Phase.RAISED),
        (0.25, 2.2, Phase.SUPPRESSED),
    ],
)
def test_a_pulse_speaks_for_a_beat_as_long_ago_as_its_channel_is_late(
    bed, findings, delay_s, pulse_s, phase
):
    late = round(delay_s * 1e9)
    for s in range(5):
        now = [t for t in (0.5 + delay_s, 1.5 + delay_s, pulse_s) if s <= t < s + 1]
        event = pulse(findings, now or [s + 0.99], 0.9 if now else 0.0)
        bed.take(replace(event, delay_ns=late), findings.ns(s + 1))
        beats = [t for t in (0.5, 1.5) if s <= t < s + 1]
        bed.take(findings.analysed(s, s + 1, beats), findings.ns(s + 1))
    assert told(bed, AlarmKind.PAUSE) == [phase]


def test_poor_pulses_prove_nothing(bed, findings):
    for s in range(8):
        bed.take(pulse(findings, [s + 0.3, s + 0.8], quality=0.3))
        bed.take(findings.analysed(s, s + 1, [0.5] if s == 0 else [], [FLAT]))
    assert told(bed, AlarmKind.ASYSTOLE) == [Phase.RAISED]


def test_no_pulses_at_all_prove_nothing(bed, findings):
    play(bed, findings, 8, [0.5], [], codes=[FLAT])
    assert told(bed, AlarmKind.ASYSTOLE) == [Phase.RAISED]


@pytest.mark.parametrize(("pulse_rate", "is_told"), [(80, False), (158, True), (120, True)])
def test_each_beat_counted_twice_is_no_tachycardia(bed, findings, pulse_rate, is_told):
    """120 pulses to 160 beats is the deficit of fast atrial fibrillation: no doubt."""
    beats, pulses = np.arange(0.5, 20, 60 / 160), np.arange(0.7, 20, 60 / pulse_rate)
    play(bed, findings, 20, beats, pulses)
    expected = Phase.RAISED if is_told else Phase.SUPPRESSED
    assert told(bed, AlarmKind.EXTREME_TACHYCARDIA) == [expected]


def test_beats_that_were_missed_are_no_bradycardia(bed, findings):
    play(bed, findings, 20, np.arange(0.5, 20, 2.0), np.arange(0.8, 20, 1.0))
    assert told(bed, AlarmKind.EXTREME_BRADYCARDIA) == [Phase.SUPPRESSED]


def test_a_slow_pulse_confirms_a_bradycardia(bed, findings):
    play(bed, findings, 20, np.arange(0.5, 20, 2.0), np.arange(0.8, 20, 2.0))
    assert told(bed, AlarmKind.EXTREME_BRADYCARDIA) == [Phase.RAISED]


def test_no_fibrillation_while_pulses_go_on(bed, findings):
    row = np.zeros(1, EPISODE)
    row["kind"], row["onset_ns"], row["end_ns"] = EpisodeKind.VF, findings.ns(0), -1
    bed.take(pulse(findings, [1.0, 1.8, 2.6, 3.4, 4.2]))
    bed.take(Analysed(findings.ns(5), quality=findings.quality(0, 5), episodes=row))
    assert told(bed, AlarmKind.VENTRICULAR_FIBRILLATION) == [Phase.SUPPRESSED]


def test_an_alarm_that_is_shown_is_not_taken_back_by_pulses(bed, findings):
    play(bed, findings, 8, [0.5], [], codes=[FLAT])
    bed.take(pulse(findings, [5.0, 6.0, 7.0, 7.9]))
    bed.take(findings.analysed(8, 9, [], [FLAT]))
    assert AlarmKind.ASYSTOLE in bed.shown


def test_two_channels_of_one_heart_are_not_added_up(bed, findings):
    """A plethysmogram and a pressure show each beat once each: 40/min, not 80."""
    for s in range(20):
        for channel, delay_s in ((0, 0.3), (1, 0.2)):
            now = [t + delay_s for t in np.arange(0.5, 20, 2.0) if s <= t + delay_s < s + 1]
            event = pulse(findings, now or [s + 0.99], 0.9 if now else 0.0)
            bed.take(replace(event, channel=channel))
        bed.take(
            findings.analysed(s, s + 1, [t for t in np.arange(0.5, 20, 2.0) if s <= t < s + 1])
        )
    assert told(bed, AlarmKind.EXTREME_BRADYCARDIA) == [Phase.RAISED]


def test_a_second_wave_that_is_counted_does_not_speak_against_a_bradycardia(bed, findings):
    waves = sorted([*np.arange(0.8, 20, 2.0), *np.arange(1.3, 20, 2.0)])
    play(bed, findings, 20, np.arange(0.5, 20, 2.0), waves)
    assert told(bed, AlarmKind.EXTREME_BRADYCARDIA) == [Phase.RAISED]
