"""Frames: units, missing samples, leads without contact."""

import numpy as np
import pytest

from ecg import MISSING, Frame
from ecg.clock import Timeline, sample_to_ns, text
from ecg.codes import AAMI_CLASS, BEAT_CODES, EpisodeKind


def frame(x, lead_off=0):
    x = np.asarray(x, np.int16)
    leads = ("I", "II", "III")[: len(x)]
    lsb_uv = np.array([5.0, 2.5, 1.0], np.float32)[: len(x)]
    return Frame("site/dev", 1, 0, 0, 250.0, leads, lsb_uv, x, lead_off)


def test_millivolts_are_counts_times_microvolts_a_count():
    assert frame([[200, -200], [400, 0]]).x_mv().tolist() == [[1.0, -1.0], [1.0, 0.0]]


def test_a_missing_sample_is_not_a_number():
    x_mv = frame([[MISSING, 100]]).x_mv()
    assert np.isnan(x_mv[0, 0]) and x_mv[0, 1] == pytest.approx(0.5)


def test_a_lead_without_contact_is_missing_whatever_it_picks_up():
    x_mv = frame([[1, 2], [3, 4]], lead_off=0b10).x_mv()
    assert np.isfinite(x_mv[0]).all() and np.isnan(x_mv[1]).all()


def test_millivolts_are_single_precision():
    assert frame([[1, 2, 3]]).x_mv().dtype == np.float32


def test_a_frame_ends_where_the_next_begins():
    assert frame(np.zeros((1, 125))).end_ns == 500_000_000


def test_sample_times_do_not_drift_with_rates_that_do_not_divide_a_second():
    assert sample_to_ns(257 * 3600, 257.0) == 3600 * 10**9


def test_times_are_written_with_milliseconds_and_zone():
    assert text(1_772_366_400_250_000_000) == "2026-03-01T12:00:00.250Z"


def test_a_timeline_follows_its_anchors_not_the_nominal_rate():
    timeline = Timeline(250.0)
    timeline.anchor(0, 1000 * 10**9)
    timeline.anchor(250, 1001 * 10**9 + 100_000)  # 100 ppm slow
    assert timeline.at(125) == 1000 * 10**9 + 500_000_000
    assert timeline.at(250) == 1001 * 10**9 + 100_000
    assert timeline.at(500) == 1002 * 10**9 + 100_000
    assert timeline.times(np.array([0, 250])).tolist() == [1000 * 10**9, 1001 * 10**9 + 100_000]


def test_a_timeline_forgets_the_distant_past_only():
    timeline = Timeline(100.0, keep=4)
    for i in range(1000):
        timeline.anchor(i * 100, i * 10**9 + i)
    assert timeline.at(99_900) == 999 * 10**9 + 999
    assert timeline.at(99_700) == 997 * 10**9 + 997


def test_a_timeline_without_anchors_counts_from_zero():
    assert Timeline(250.0).at(250) == 10**9


def test_every_beat_code_has_a_class_and_every_episode_a_rhythm_text():
    assert set(AAMI_CLASS) == set(BEAT_CODES)
    assert all(kind.wfdb.startswith("(") for kind in EpisodeKind)
