"""Hum of the mains is found and taken away; a heart without hum is not touched."""

from __future__ import annotations

import numpy as np
import pytest

from dsp.mains import LINES, MAINS, ROOM, follow, remove

FS = 250


def cleaned(x_mv, absent=None, blocks=(FS,)):
    """The signal as the front end would leave it, in blocks that never cross a second."""
    x = x_mv.astype(np.float32).copy()
    absent = np.zeros(x.size, np.uint8) if absent is None else absent
    mains = np.zeros(LINES, MAINS).view(np.recarray)
    room = np.zeros(ROOM, np.float32)
    for second in range(0, x.size, FS):
        at = second
        while at < second + FS:
            for size in blocks:
                size = min(size, second + FS - at)
                remove(mains, x[at:], absent[at:], at, size)
                at += size
        part = slice(second, second + FS)
        follow(mains, x[part], not absent[part].any(), room)
    return x


def hum(seconds, hz, mv=0.5):
    return mv * np.sin(2 * np.pi * hz * np.arange(seconds * FS) / FS + 1.0)


def beats(seconds, bpm=75):
    """Narrow QRS complexes and T waves of a steady heart."""
    t = np.arange(seconds * FS) / FS
    phase = (t % (60.0 / bpm)) - 0.3
    t_wave = 0.3 * np.exp(-0.5 * ((phase - 0.2) / 0.04) ** 2)
    return np.clip(1.0 - np.abs(phase) / 0.03, 0.0, None) + t_wave


@pytest.mark.parametrize("hz", [49.8, 49.95, 50.0, 50.1, 59.85, 60.0, 60.2])
def test_of_hum_at_50_and_60_hz_or_near_less_than_a_twentieth_is_left(hz):
    heart = beats(20)
    left = cleaned(heart + hum(20, hz)) - heart
    assert np.sqrt(np.mean(left[8 * FS :] ** 2)) < 0.05 * 0.5


def test_hum_of_both_kinds_at_once():
    heart = beats(30)
    left = cleaned(heart + hum(30, 50.05, 0.4) + hum(30, 59.95, 0.2)) - heart
    assert np.sqrt(np.mean(left[20 * FS :] ** 2)) < 0.02


@pytest.mark.parametrize("bpm", [60, 75, 120, 240, 300])
@pytest.mark.parametrize("noise_mv", [0.001, 0.03])
def test_where_there_is_no_hum_nothing_is_changed(bpm, noise_mv):
    noise = np.random.default_rng(1).normal(0.0, noise_mv, 60 * FS)
    x = (beats(60, bpm) + noise).astype(np.float32)
    assert np.abs(cleaned(x) - x).max() < 0.01


def test_hum_that_ends_is_not_made_up_for_long():
    x = np.r_[hum(10, 50.0), np.zeros(10 * FS)]
    assert np.abs(cleaned(x)[12 * FS :]).max() < 1e-6


def test_what_is_absent_stays_as_it_is_and_hum_is_gone_at_once_after_it():
    x, absent = hum(20, 50.1), np.zeros(20 * FS, np.uint8)
    absent[10 * FS + 40 : 12 * FS + 90] = 1
    x[absent == 1] = x[10 * FS + 39]
    left = cleaned(x, absent)
    assert np.array_equal(left[absent == 1], x[absent == 1].astype(np.float32))
    assert np.abs(left[12 * FS + 90 :]).max() < 0.05


def test_blocks_may_be_cut_anywhere():
    x = beats(12) + hum(12, 50.07)
    assert np.array_equal(cleaned(x), cleaned(x, blocks=(1, 17, 60, 3)))
