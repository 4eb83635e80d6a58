"""Alarms of the classes of beats and of episodes, as a bed sees them."""

import numpy as np
import pytest

from alerts.engine import Analysed, Limits
from alerts.words import AlarmKind, Phase, Priority
from ecg.codes import BeatFlag, EpisodeKind, QualityCode
from ecg.findings import EPISODE, VITALS

USABLE, NOISY, OFF = QualityCode.USABLE, QualityCode.NOISY, QualityCode.LEAD_OFF


def play(bed, findings, letters, rate=75.0, *, codes=(USABLE,), **words):
    """Beats of these classes at one rate, second by second; returns their times, s."""
    times = [0.5 + i * 60 / rate for i in range(len(letters))]
    for s in range(int(times[-1]) + 1):
        now = [i for i, t in enumerate(times) if s <= t < s + 1]
        aami = "".join(letters[i] for i in now)
        event = findings.analysed(s, s + 1, [times[i] for i in now], codes, aami=aami or "Q")
        bed.take(event, findings.ns(s + 1))
    return times


def raised(bed):
    return {t.kind for t in bed.log if t.phase is Phase.RAISED}


def episode(findings, kind, onset_s, end_s=None):
    row = np.zeros(1, EPISODE)
    row["kind"], row["onset_ns"] = kind, findings.ns(onset_s)
    row["end_ns"] = -1 if end_s is None else findings.ns(end_s)
    return row


@pytest.mark.parametrize(
    ("n", "rate", "kinds"),
    [
        (4, 150, {AlarmKind.VENTRICULAR_RUN}),
        (5, 99, {AlarmKind.VENTRICULAR_RUN}),
        (5, 101, {AlarmKind.VENTRICULAR_RUN, AlarmKind.VENTRICULAR_TACHYCARDIA}),
        (14, 39, {AlarmKind.VENTRICULAR_RUN}),
        (14, 41, {AlarmKind.VENTRICULAR_RUN, AlarmKind.VENTRICULAR_RHYTHM}),
    ],
)
def test_ventricular_beats_in_a_row(bed, findings, n, rate, kinds):
    play(bed, findings, "NNN" + "V" * n, rate)
    heart_rate = {AlarmKind.HEART_RATE_LOW, AlarmKind.EXTREME_BRADYCARDIA}
    assert raised(bed) - heart_rate == kinds


def test_ventricular_tachycardia_is_raised_with_the_fifth_beat_and_names_its_numbers(bed, findings):
    times = play(bed, findings, "NNNVVVVV", 150)
    alarm = bed.shown[AlarmKind.VENTRICULAR_TACHYCARDIA]
    assert alarm.since_ns == findings.ns(times[7])
    assert alarm.priority is Priority.HIGH
    assert "5 ventricular beats in a row at 150/min" in alarm.text
    (told,) = [t for t in bed.log if t.alarm_id == alarm.id]
    assert told.evidence.classes == "VVVVV"
    assert told.evidence.beats_ns == tuple(findings.ns(t) for t in times[3:])


def test_one_capture_beat_does_not_end_a_ventricular_tachycardia(bed, findings):
    play(bed, findings, "NNNVVVVVVNVVVV", 150)
    assert bed.phases(AlarmKind.VENTRICULAR_TACHYCARDIA) == [Phase.RAISED]


def test_three_other_beats_do_and_it_latches(bed, findings):
    play(bed, findings, "NNNVVVVVVNNN", 150)
    assert bed.phases(AlarmKind.VENTRICULAR_TACHYCARDIA) == [Phase.RAISED, Phase.LATCHED]


def test_lost_signal_does_not_end_a_ventricular_tachycardia(bed, findings):
    play(bed, findings, "NNNVVVVV", 150)
    bed.take(findings.analysed(4, 20, [], [OFF]))
    assert bed.shown[AlarmKind.VENTRICULAR_TACHYCARDIA].phase is Phase.RAISED


@pytest.mark.parametrize(
    ("letters", "kind"),
    [
        ("NNNNVVNN", AlarmKind.COUPLET),
        ("NNNVNVNVN", AlarmKind.BIGEMINY),
        ("NNVNNVNNVN", AlarmKind.TRIGEMINY),
        ("NNNNVVVN", AlarmKind.VENTRICULAR_RUN),
    ],
)
def test_patterns(bed, findings, letters, kind):
    play(bed, findings, letters)
    assert raised(bed) == {kind}


@pytest.mark.parametrize("letters", ["NNNNVNNNN", "NNNNQQQQQ", "NNNSNNNN", "NNFFFNN"])
def test_what_is_no_pattern_raises_nothing(bed, findings, letters):
    play(bed, findings, letters)
    assert not bed.log


def test_an_event_is_shown_for_ten_seconds_after_it_was_last_seen(bed, findings):
    times = play(bed, findings, "NNNNVVNN" + "N" * 20)
    (began, ended) = bed.log
    assert (ended.kind, ended.phase) == (AlarmKind.COUPLET, Phase.ENDED)
    assert began.t_ns == findings.ns(times[6])
    assert ended.t_ns == findings.ns(times[6] + 10)


def test_doubtful_beats_have_no_class(bed, findings):
    times = [0.5 + 0.4 * i for i in range(12)]
    flags = BeatFlag.POOR_SIGNAL
    bed.take(findings.analysed(0, 6, times, aami="V", flags=flags))
    assert AlarmKind.VENTRICULAR_TACHYCARDIA not in raised(bed)


def test_paced_beats_are_not_ectopic(bed, findings):
    beats = findings.beats([0.5 + 0.8 * i for i in range(12)])
    beats["code"] = ord("/")
    bed.take(Analysed(findings.ns(10), beats, quality=findings.quality(0, 10)))
    assert not bed.log


def test_a_class_that_comes_after_its_beat_completes_the_pattern(bed, findings):
    """QRS at once, class after the next beat: rate rules do not wait, class rules do."""
    times = [0.5 + 0.4 * i for i in range(8)]
    letters = "NNNVVVVV"
    for s in range(4):
        now = [t for t in times if s <= t < s + 1]
        bed.take(findings.analysed(s, s + 1, now))  # unclassified
    assert not bed.log
    assert bed.state.signal.rate.beats_ns == tuple(findings.ns(t) for t in times)
    again = findings.beats(times, aami=letters)
    bed.take(Analysed(findings.ns(4), again))
    assert raised(bed) == {AlarmKind.VENTRICULAR_RUN, AlarmKind.VENTRICULAR_TACHYCARDIA}
    assert bed.state.signal.rate.beats_ns == tuple(findings.ns(t) for t in times)


def test_classes_late_or_not_give_the_same_alarms(new_bed, findings):
    letters = "NNNVVVVVNNNVNVNVNNNVVNN"
    at_once, late = new_bed(), new_bed()
    times = play(at_once, findings, letters, 110)
    for i, t in enumerate(times):
        through = findings.ns(t + 0.1)
        quality = findings.quality(int(t), int(t) + 1) if int(t) != int(times[i - 1]) else None
        rows = [findings.beats([t])]
        if i:
            rows.insert(0, findings.beats([times[i - 1]], aami=letters[i - 1]))
        words = {} if quality is None else {"quality": quality}
        late.take(Analysed(through, np.concatenate(rows), **words))
    late.take(Analysed(through, findings.beats(times[-1:], aami=letters[-1])))
    both = [{(x.kind, x.t_ns) for x in b.log if x.phase is Phase.RAISED} for b in (at_once, late)]
    assert both[0] == both[1]
    assert len(both[0]) >= 4


def test_r_on_t(bed, findings):
    bed.take(findings.analysed(0, 5, [0.5, 1.5, 2.5, 2.85, 4.0], aami="NNNVN"))
    assert bed.shown[AlarmKind.R_ON_T].text == (
        "A ventricular beat within the T wave, 0.35 s after a beat."
    )


def test_a_missed_beat_in_a_regular_rhythm(bed, findings):
    times = [0.5 + 0.8 * i for i in range(10)]
    bed.take(findings.analysed(0, 12, [*times, times[-1] + 1.6, times[-1] + 2.4], aami="N"))
    assert "A beat is missing: 1.6 s between two beats, usually 0.8 s." in {
        t.text for t in bed.log if t.kind is AlarmKind.MISSED_BEAT
    }


def test_the_pause_after_a_ventricular_beat_is_no_missed_beat(bed, findings):
    times = [0.5 + 0.8 * i for i in range(10)]
    early = times[-1] + 0.5
    bed.take(findings.analysed(0, 12, [*times, early, early + 1.5], aami="N" * 10 + "VN"))
    assert AlarmKind.MISSED_BEAT not in raised(bed)


@pytest.mark.parametrize(("rate", "alarm"), [(129, False), (131, True)])
def test_five_supraventricular_beats(bed, findings, rate, alarm):
    play(bed, findings, "NNNSSSS", rate)
    assert AlarmKind.SVT not in raised(bed)
    other = type(bed)()
    play(other, findings, "NNNSSSSS", rate)
    assert (AlarmKind.SVT in raised(other)) is alarm


def test_ventricular_beats_a_minute(bed, findings):
    vitals = np.zeros(2, VITALS)
    vitals["t_ns"] = [findings.ns(1), findings.ns(2)]
    vitals["pvc_per_min"] = [10, 12]
    bed.take(Analysed(findings.ns(2), vitals=vitals))
    assert bed.shown[AlarmKind.PVC_RATE].text == "12 ventricular beats a minute, more than 10."


def test_irregular_for_a_minute(bed, findings):
    rr_s = [0.6, 0.9, 0.7, 1.1] * 30
    times = np.cumsum(rr_s)
    bed.take(findings.analysed(0, 60, times[times < 60]))
    assert AlarmKind.IRREGULAR not in bed.shown
    bed.take(findings.analysed(60, 90, times[(times >= 60) & (times < 90)]))
    assert AlarmKind.IRREGULAR in bed.shown


def test_breathing_is_not_irregular(bed, findings):
    times = np.cumsum([0.8 + 0.08 * np.sin(i / 2) for i in range(150)])
    bed.take(findings.analysed(0, 110, times[times < 110]))
    assert not bed.log


@pytest.mark.parametrize(("rate", "kind"), [(119, None), (121, "heart_rate_high")])
def test_heart_rate_above_its_limit_for_ten_seconds(bed, findings, rate, kind):
    times = np.arange(0.5, 30, 60 / rate)
    bed.take(findings.analysed(0, 14, times[times < 14]))
    assert not bed.log  # 9 beats, then 10 s
    bed.take(findings.analysed(14, 30, times[times >= 14]))
    assert {k.value for k in raised(bed)} == ({kind} if kind else set())


def test_heart_rate_is_back_when_it_has_been_for_ten_seconds(bed, findings):
    fast = np.arange(0.5, 20, 60 / 125)
    slow = np.arange(20.5, 60, 1.0)
    for s in range(60):
        now = [t for t in (*fast, *slow) if s <= t < s + 1]
        bed.take(findings.analysed(s, s + 1, now))
    began, ended = bed.log
    assert (began.kind, began.phase, ended.phase) == (
        AlarmKind.HEART_RATE_HIGH,
        Phase.RAISED,
        Phase.ENDED,
    )
    # with four slow intervals of eight the median is slow, at 23.5 s: then ten seconds
    assert ended.t_ns == findings.ns(33.5)


@pytest.mark.parametrize(("lasts_s", "alarm"), [(3.9, False), (4.0, True), (4.1, True)])
def test_fibrillation_is_raised_four_seconds_after_its_onset(bed, findings, lasts_s, alarm):
    bed.take(findings.analysed(0, 10, np.arange(0.5, 10), aami="N"))
    vf = episode(findings, EpisodeKind.VF, 10)
    bed.take(Analysed(findings.ns(10 + lasts_s), episodes=vf))
    assert (AlarmKind.VENTRICULAR_FIBRILLATION in bed.shown) is alarm
    if alarm:
        assert bed.shown[AlarmKind.VENTRICULAR_FIBRILLATION].since_ns == findings.ns(14)


def test_fibrillation_in_noise_is_told(bed, findings):
    """It may look like noise; what is no signal at all cannot show it."""
    vf = episode(findings, EpisodeKind.VF, 0)
    event = findings.analysed(0, 6, [], [NOISY])
    bed.take(Analysed(event.through_ns, quality=event.quality, episodes=vf, leads=("II",)))
    assert AlarmKind.VENTRICULAR_FIBRILLATION in bed.shown


def test_fibrillation_where_no_lead_is_connected_is_logged_and_not_told(bed, findings):
    vf = episode(findings, EpisodeKind.VF, 0)
    event = findings.analysed(0, 6, [], [OFF])
    bed.take(Analysed(event.through_ns, quality=event.quality, episodes=vf, leads=("II",)))
    (told,) = [t for t in bed.log if t.kind is AlarmKind.VENTRICULAR_FIBRILLATION]
    assert told.phase is Phase.SUPPRESSED
    assert told.text.endswith("Not told: The signal cannot show it (lead off).")
    bed.take(findings.analysed(6, 8, [], [USABLE]))  # and still fibrillation
    assert AlarmKind.VENTRICULAR_FIBRILLATION in bed.shown


def test_fibrillation_is_over_with_three_good_beats_not_with_lost_signal(bed, findings):
    bed.take(Analysed(findings.ns(5), episodes=episode(findings, EpisodeKind.VF, 0)))
    bed.take(Analysed(findings.ns(6), episodes=episode(findings, EpisodeKind.VF, 0, 6)))
    bed.take(findings.analysed(6, 10, [], [OFF]))
    kind = AlarmKind.VENTRICULAR_FIBRILLATION
    assert bed.shown[kind].phase is Phase.RAISED
    bed.take(findings.analysed(10, 12, [10.5, 11.5]))
    assert bed.shown[kind].phase is Phase.RAISED
    bed.take(findings.analysed(12, 13, [12.5]))
    assert bed.shown[kind].phase is Phase.LATCHED


@pytest.mark.parametrize(("af_s", "lasts_s", "alarm"), [(60, 59, 0), (60, 60, 1), (30, 30, 1)])
def test_atrial_fibrillation_begins_and_ends(new_bed, findings, af_s, lasts_s, alarm):
    bed = new_bed(Limits(af_s=af_s))
    bed.take(Analysed(findings.ns(5), episodes=episode(findings, EpisodeKind.AF, 0)))
    bed.take(Analysed(findings.ns(lasts_s)))
    ended = episode(findings, EpisodeKind.AF, 0, lasts_s)
    bed.take(Analysed(findings.ns(lasts_s + 1), episodes=ended))
    began = [(AlarmKind.ATRIAL_FIBRILLATION, Phase.RAISED)]
    over = [(AlarmKind.ATRIAL_FIBRILLATION, Phase.ENDED)]
    over.append((AlarmKind.ATRIAL_FIBRILLATION_ENDED, Phase.RAISED))
    assert [(t.kind, t.phase) for t in bed.log] == (began + over if alarm else [])


def test_an_episode_of_svt_is_an_alarm(bed, findings):
    bed.take(Analysed(findings.ns(5), episodes=episode(findings, EpisodeKind.SVT, 2)))
    assert AlarmKind.SVT in bed.shown
    bed.take(Analysed(findings.ns(30)))
    assert AlarmKind.SVT in bed.shown
    bed.take(Analysed(findings.ns(31), episodes=episode(findings, EpisodeKind.SVT, 2, 31)))
    bed.take(Analysed(findings.ns(41)))
    assert AlarmKind.SVT not in bed.shown


def test_episodes_of_a_stream_that_began_anew_do_not_go_on(bed, findings):
    bed.take(Analysed(findings.ns(70), episodes=episode(findings, EpisodeKind.AF, 0)))
    bed.take(Analysed(findings.ns(80), is_new_stream=True))
    assert bed.phases(AlarmKind.ATRIAL_FIBRILLATION) == [Phase.RAISED, Phase.ENDED]


def test_beats_that_one_lead_alone_shows_are_logged_and_not_told(bed, findings):
    times = [0.5 + 0.4 * i for i in range(12)]
    beats = findings.beats(times, aami="V", lead=1)
    quality = findings.quality(0, 6, (USABLE, USABLE))
    bed.take(Analysed(findings.ns(6), beats, quality=quality, leads=("I", "II")))
    (told,) = [t for t in bed.log if t.kind is AlarmKind.VENTRICULAR_TACHYCARDIA]
    assert told.phase is Phase.SUPPRESSED
    assert told.text.endswith("Not told: Only lead II shows these beats.")
