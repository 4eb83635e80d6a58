"""What a lead was good for, second by second."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from detectors.state import SECOND
from dsp.lanes import WIDE
from dsp.memory import KERNEL
from dsp.stretches import second_measures
from ecg.codes import QualityCode

# in heights of the lead's QRS complexes, of 1 mV until they are known: the gain must not matter
SAME = np.float32(0.0005)  # two samples that differ by less are the same: a converter at its end
FLAT = 0.02  # peak to peak within a second: less than any lead with a heart on it
RANGE = 12.0  # an electrode that comes off swings further than any heart
JUMP = 3.0  # from one sample to the next
ROUGH = 0.12  # mean curvature of a second that is mostly muscle
MOST_MV = 3.0  # artefacts may be taken for beats: they must not set their own limits
PER_HEIGHT = np.float32(4.0)  # QRS complexes of 1 mV have a feature of about 0.25 mV a 16 ms
FAR = np.float32(1e9)  # mV: beyond any sample

ROOM = 2 + -(-SECOND // WIDE) * WIDE  # a second in whole groups of lanes, and two samples before

_USABLE = int(QualityCode.USABLE)
_NOISY = int(QualityCode.NOISY)
_JUMP = int(QualityCode.BASELINE_JUMP)
_SATURATED = int(QualityCode.SATURATED)
_FLAT = int(QualityCode.FLAT)
_OFF = int(QualityCode.LEAD_OFF)


@njit(**KERNEL)
def size_mv(lead):  # type: ignore[no-untyped-def]
    """Height of a lead's QRS complexes, about; 1 mV while there are none."""
    return PER_HEIGHT * lead.height if lead.height > 0.0 else np.float32(1.0)


@njit(**KERNEL)
def measure(second, signal, absent, height_mv):  # type: ignore[no-untyped-def]
    """Step 3. Measure the second that has ended; samples that are absent do not count.

    signal : float32, absent : uint8, [ROOM], with the two samples before it.
    """
    missing, repeats, rough, jump, high, low = second_measures(
        signal, absent, SAME * height_mv, FAR, SECOND
    )
    second.missing, second.repeats = int(missing), int(repeats)
    second.rough, second.jump, second.high, second.low = rough, jump, high, -low


@njit(**KERNEL)
def judge(second, size_mv):  # type: ignore[no-untyped-def]
    """Set code and index of the second that has ended."""
    span = second.high - second.low
    rough = second.rough / SECOND
    far_mv = min(size_mv, MOST_MV)
    if second.missing > SECOND // 4:
        code = _OFF
    elif span < FLAT * size_mv:
        code = _FLAT
    elif second.repeats > SECOND // 2 and span > RANGE / 4 * far_mv:
        code = _SATURATED
    elif second.jump > JUMP * far_mv or span > RANGE * far_mv:
        code = _JUMP
    elif rough > (ROUGH * size_mv):
        code = _NOISY
    else:
        code = _USABLE
    second.code = code
    if code >= _FLAT:
        second.sqi = np.float32(0.0)
    else:
        second.sqi = np.float32(
            math.exp(-rough / (ROUGH * size_mv)) * (1.0 if code <= _NOISY else 0.5)
        )
