"""What can be wrong with a device: numbers that make no sense are refused, damage is damage."""

from __future__ import annotations

from collections import Counter
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecg import BadFrame, BadSetting, Frame
from ingest.misbehaviour import (
    N_DAMAGES,
    WELL_BEHAVED,
    ClockStep,
    Misbehaviour,
    MisdeedKind,
    Spells,
    damage,
)
from ingest.wire import decode_frame, encode_frame


def test_as_it_stands_nothing_is_wrong():
    assert {WELL_BEHAVED.fate(chance) for chance in (0.0, 0.5, 0.999)} == {None}
    assert (WELL_BEHAVED.jitter_s, WELL_BEHAVED.drift_ppm) == (0, 0)


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ({"drop": -0.1}, "drop, duplicate, reorder, malformed are shares"),
        ({"drop": 0.6, "malformed": 0.5}, "together at most 1"),
        ({"reorder": float("nan")}, "reorder is nan"),
        ({"drift_ppm": float("inf")}, "drift_ppm is inf"),
        ({"jitter_s": -1.0}, "jitter_s is -1"),
        ({"restart_every_s": 0.0}, "restart_every_s is 0"),
        ({"snr_db": float("nan")}, "snr_db is nan"),
    ],
)
def test_what_makes_no_sense_is_refused(setting, told):
    with pytest.raises(BadSetting, match=told):
        Misbehaviour(**setting)


def test_shares_may_add_up_to_one():
    ways = Misbehaviour(drop=0.1, duplicate=0.2, reorder=0.3, malformed=0.4)
    assert ways.fate(0.9999) is MisdeedKind.MALFORMED


def test_shares_are_those_asked_for():
    ways = Misbehaviour(drop=0.1, duplicate=0.2, reorder=0.05, malformed=0.15)
    random = Random(1)
    n = 20_000
    fates = Counter(ways.fate(random.random()) for _ in range(n))
    shares = {
        MisdeedKind.DROPPED: 0.1,
        MisdeedKind.DUPLICATED: 0.2,
        MisdeedKind.REORDERED: 0.05,
        MisdeedKind.MALFORMED: 0.15,
        None: 0.5,
    }
    assert set(fates) == set(shares)
    for fate, share in shares.items():
        assert fates[fate] / n == pytest.approx(share, abs=5 * (share * (1 - share) / n) ** 0.5)


# -- spells --------------------------------------------------------------------------------------


def test_a_spell_is_where_it_begins_and_until_it_ends():
    spells = Spells(every_s=10, for_s=2)
    assert not spells.cover(0, 2)  # the first is at 10 s, not at 0
    assert not spells.cover(9, 10)  # up to 10 s is before 10 s
    assert spells.cover(9.9, 10.1)
    assert spells.cover(11.9, 12.5)
    assert not spells.cover(12, 12.5)
    assert spells.cover(20.5, 20.6)


@given(st.integers(2, 50), st.data())
def test_a_stretch_is_covered_when_one_of_its_moments_is(every, data):
    """Against the plain definition, in whole tenths of a second."""
    lasts = data.draw(st.integers(1, every - 1))
    begin = data.draw(st.integers(0, 200))
    end = begin + data.draw(st.integers(1, 100))
    plain = any(t >= every and t % every < lasts for t in range(begin, end))
    assert Spells(float(every), float(lasts)).cover(float(begin), float(end)) == plain


@pytest.mark.parametrize(
    ("every_s", "for_s"), [(0, 0), (5, 5), (5, 6), (5, 0), (-5, 1), (float("inf"), 1), (5, -1)]
)
def test_spells_must_end_before_the_next(every_s, for_s):
    with pytest.raises(BadSetting, match="each must last, and end before the next"):
        Spells(every_s, for_s)


def test_a_clock_may_step_either_way():
    assert Misbehaviour(clock_step=ClockStep(5, -3600)).clock_step.by_s == -3600


# -- damage --------------------------------------------------------------------------------------


@pytest.mark.parametrize("which", range(N_DAMAGES))
@pytest.mark.parametrize("n", [1, 62, 1000])
def test_a_damaged_frame_is_none_any_more(which, n):
    frame = Frame("a/b", 1, 2, 3, 250.0, ("II",), np.ones(1, np.float32), np.ones((1, n), np.int16))
    payload = encode_frame(frame)
    decode_frame(payload, "a/b")
    with pytest.raises(BadFrame):
        decode_frame(damage(payload, which), "a/b")


def test_each_damage_is_another():
    payload = bytes(range(100))
    assert len({damage(payload, which) for which in range(N_DAMAGES)}) == N_DAMAGES
