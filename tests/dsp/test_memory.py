"""Memory of kernels: room on the stack, and arrays whose users are not counted."""

import sys
from typing import NamedTuple

import numpy as np
from numba import njit

from dsp.memory import room, unowned

SIZE = 24


class Pair(NamedTuple):
    first: np.ndarray
    second: np.ndarray


@njit
def _sum(x):
    total = np.float32(0.0)
    for k in range(x.size):
        total += x[k]
    return total


@njit
def _sum_of_two_rooms(n):
    a, b = room(SIZE), room(SIZE)
    total = np.float32(0.0)
    for step in range(n):
        for k in range(SIZE):
            a[k], b[k] = step, 100 * step
        total += _sum(a) + _sum(b)
    return total, a.size


@njit
def _sum_of_all(x, pairs):
    x, pairs = unowned(x), unowned(pairs)
    return _sum(x[2:]) + _sum(pairs[0].second) + _sum(pairs[1][::2])


def test_rooms_of_a_kernel_lie_apart_and_are_as_long_as_asked_for():
    assert _sum_of_two_rooms(4) == (SIZE * 101 * (0 + 1 + 2 + 3), SIZE)


def test_unowned_arrays_hold_what_they_held_and_are_not_let_go():
    x = np.arange(6, dtype=np.float32)
    before = sys.getrefcount(x)
    assert _sum_of_all(x, (Pair(x, x), x)) == (2 + 3 + 4 + 5) + 15 + (0 + 2 + 4)
    assert sys.getrefcount(x) == before
