"""Memory of kernels: room on the stack."""

import numpy as np
from numba import njit

from dsp.memory import room

SIZE = 24


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


def test_rooms_of_a_kernel_lie_apart_and_are_as_long_as_asked_for():
    assert _sum_of_two_rooms(4) == (SIZE * 101 * (0 + 1 + 2 + 3), SIZE)
