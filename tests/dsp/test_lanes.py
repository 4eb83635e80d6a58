"""Sums and maxima in lanes against their plain definitions; the float32 logarithm."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit

from dsp import lanes, stretches
from dsp.logarithm import log2

GROUPS, POINTS, STEP = 3, 20, 2
numbers = st.floats(-100, 100, width=32)
rng = np.random.default_rng(0)


@njit
def sum_rows(c, x, i):
    sums = np.zeros(16, np.float32)
    lanes.sum_rows16(sums, c, POINTS, x, i, STEP)
    return sums


@njit
def correlate(c, x, i):
    like = np.zeros(32, np.float32)
    lanes.correlate16(like, c, POINTS, x, i, STEP)
    return like


@njit
def folded(x):
    return lanes.sum_all16(x, GROUPS)


@njit
def largest(x, i, n):
    return lanes.largest16(x, i, n)


@njit
def max_change(x, i, span, n):
    return lanes.max_change32(x, i, span, n)


def test_rows_are_weighed_in_turn():
    c, x = rng.normal(size=POINTS).astype("f4"), rng.normal(size=64).astype("f4")
    expected = np.zeros(16, np.float32)
    for j in range(POINTS):
        expected += c[j] * x[5 + STEP * j :][:16]
    assert (sum_rows(c, x, 5) == expected).all()  # to the bit: the order is fixed


def test_correlation_is_that_of_numpy_at_every_shift():
    c, x = rng.normal(size=POINTS).astype("f4"), rng.normal(size=64).astype("f4")
    found = correlate(c, x, 5)
    for shift in range(16):
        piece = x[5 + shift :][: STEP * POINTS : STEP]
        product = float(piece @ c)
        assert found[16 + shift] == pytest.approx(product, abs=1e-4)
        like = product * abs(product) / float(piece @ piece)
        assert found[shift] == pytest.approx(like, rel=1e-3, abs=1e-4)


@settings(deadline=None)  # the first call may compile
@given(st.lists(numbers, min_size=16 * GROUPS, max_size=16 * GROUPS))
def test_a_fold_is_the_sum(values):
    total = folded(np.array([*values, 1e9], np.float32))
    assert total == pytest.approx(sum(values), abs=1e-2)


@settings(deadline=None)
@given(st.lists(st.integers(-5, 5), min_size=16, max_size=16), st.integers(1, 16))
def test_the_first_of_the_largest_is_found(values, n):
    assert largest(np.array([9, *values, 9], np.float32), 1, n) == int(np.argmax(values[:n]))


@settings(deadline=None)
@given(st.integers(4, 32), st.integers(1, 32))
def test_changes_are_those_of_the_lanes_that_count(i, n):
    x = rng.normal(size=64).astype("f4")
    assert max_change(x, i, 4, n) == max(abs(x[i + k] - x[i + k - 4]) for k in range(n))


@settings(deadline=None)
@given(st.floats(np.float32(2**-100), np.float32(2**100), width=32))
def test_the_logarithm_is_near_that_of_numpy(x):
    assert log2(np.float32(x)) == pytest.approx(np.log2(x), abs=4e-6, rel=2e-7)


@njit
def nth(x, n, k, width):
    if width == 16:
        return x[stretches.ranked(x, n, k, 16)]
    return x[stretches.ranked(x, n, k, 32)]


@pytest.mark.parametrize("width", [16, 32])
def test_the_nth_smallest_is_that_of_a_sort_even_among_equal_ones(width):
    for n in range(1, width + 1):
        x = np.round(rng.normal(size=width), 1).astype("f4")
        assert [nth(x, n, k, width) for k in range(n)] == np.sort(x[:n]).tolist()


@njit
def dots(c, x, i):
    found = np.zeros(16, np.float32)
    lanes.dots8(found, c, POINTS, x, i)
    return found[:8]


@njit
def sums_of(x, i):
    found = np.zeros(16, np.float32)
    lanes.sums8(found, POINTS, x, i)
    return found


def in_fours(products):
    """Sum in the order that is promised."""
    s = np.zeros(4, np.float32)
    for four in products.reshape(-1, 4):
        s += four
    return (s[0] + s[1]) + (s[2] + s[3])


def test_products_and_sums_at_eight_shifts_have_a_fixed_order():
    c, x = rng.normal(size=POINTS).astype("f4"), rng.normal(size=64).astype("f4")
    pieces = [x[5 + shift :][:POINTS] for shift in range(8)]
    assert dots(c, x, 5).tolist() == [in_fours(c * piece) for piece in pieces]
    expected = [in_fours(piece) for piece in pieces] + [in_fours(p * p) for p in pieces]
    assert sums_of(x, 5).tolist() == expected


@njit
def moments_of(x, mean):
    return stretches.sum_wide(x, 40), stretches.moments(x, mean, 40)


def test_moments_are_those_of_numpy_and_what_lies_behind_does_not_count():
    x = np.append(rng.normal(size=40), np.nan).astype("f4")
    total, found = moments_of(x, 0.25)
    v, d = x[1:40].astype(float) - 0.25, np.diff(x[:40]).astype(float)
    expected = [f(a) for a in (v, d) for f in (lambda a: abs(a), lambda a: a**2, lambda a: a**4)]
    sums = [a.sum() for a in expected] + [abs(np.diff(d)).sum(), abs(v).max(), abs(d).max()]
    assert total == pytest.approx(x[:40].sum(dtype=float))
    assert found == pytest.approx(sums)


@njit
def tenth_of(x, i):
    return stretches.tenth25(x, i)


def test_a_tenth_is_summed_and_its_largest_found():
    x = np.abs(rng.normal(size=64)).astype("f4")
    x[5 + 25 :] = 1e6  # behind it: does not count
    total, top = tenth_of(x, 5)
    assert total == pytest.approx(x[5:30].sum())
    assert top == x[5:30].max()


@njit
def measures_of(x, absent):
    return stretches.second_measures(x, absent, np.float32(0.02), np.float32(1e9), 250)


@pytest.mark.parametrize("share", [0.0, 0.1, 1.0])
def test_a_second_is_measured_as_its_samples_that_are_there(share):
    x = np.round(rng.normal(size=258), 2).astype("f4")
    absent = (rng.random(258) < share).astype("u1")
    now, last, before, there = x[2:252], x[1:251], x[:250], absent[2:252] == 0
    step, bend = np.abs(now - last)[there], np.abs((now - last) - (last - before))[there]
    assert measures_of(x, absent) == pytest.approx(
        (
            (~there).sum(),
            (step < np.float32(0.02)).sum(),
            bend.sum(),
            step.max(initial=0.0),
            now[there].max(initial=-1e9),
            (-now[there]).max(initial=-1e9),
        ),
        rel=1e-5,
    )


@njit
def shifted(x, offset, steep):
    y = np.zeros(17, np.float32)
    return stretches.shifted16(y, 1, x, 1, offset, np.float32(1e6), steep), y[1:]


@pytest.mark.parametrize(
    ("odd", "told"), [({}, 0), ({7: np.nan}, 1), ({7: 2e6}, 3), ({16: 9.0}, 2), ({0: 9.0}, 2)]
)
def test_inputs_are_shifted_and_odd_ones_told(odd, told):
    x = rng.normal(size=17).astype("f4")
    for place, value in odd.items():
        x[place] = value
    found, y = shifted(x, np.float32(0.5), np.float32(7.0))
    assert found == told
    assert np.array_equal(y, x[1:] - np.float32(0.5), equal_nan=True)


@njit
def bends_of(x, i):
    return stretches.bends(x, i, 40)


def test_bends_are_summed_over_their_stretch_alone():
    x = rng.normal(size=80).astype("f4")
    x[5 + 41 :] = 1e6
    assert bends_of(x, 5) == pytest.approx(np.abs(np.diff(x[4:46], 2)).sum(), rel=1e-5)
