"""Memory of kernels: none is asked for; room on the stack."""

import importlib
import pkgutil

import numpy as np
import pytest
from numba import njit
from numba.core.dispatcher import Dispatcher
from numba.core.errors import NumbaError

import detectors
import dsp
from detectors.front import workspace
from dsp.memory import KERNEL, room

SIZE = 24
SLOW = ("dissociation", "flutter", "window", "windowed")  # once in five seconds
A_PUSH = "advance_all"  # once for all patients


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


def _kernels():
    """All kernels by module and name."""
    for package in (detectors, dsp):
        for found in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            module = importlib.import_module(found.name)
            for name, value in vars(module).items():
                if isinstance(value, Dispatcher) and value.py_func.__module__ == found.name:
                    yield found.name.split(".")[1], name, value


def test_kernels_ask_for_no_memory_but_those_called_once_in_seconds():
    asking = {
        (module, name)
        for module, name, kernel in _kernels()
        if kernel.targetoptions.get("_nrt", True)
    }
    assert {m for m, name in asking if name != A_PUSH} == set(SLOW)


def test_a_kernel_that_makes_an_array_is_refused_when_it_is_compiled():
    @njit(**KERNEL | {"cache": False})
    def makes_an_array(n):
        return np.zeros(n)[0]

    with pytest.raises(NumbaError, match="No implementation"):
        makes_an_array(3)


def test_analyses_at_one_rate_have_each_their_own_room_to_work_in():
    one, other = workspace(360.0), workspace(360.0)
    one["signal"] = 7.0
    assert not np.any(other["signal"])
    assert not np.any(workspace(360.0)["signal"])
