"""A record without an end: where it may be cut so that its beginning follows as the next beat."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dsp.synth.simulation import Simulated
from dsp.synth.truth import Truth
from ecg import Record

SEARCH_S = 6.0  # of the end that may be cut away
LEVEL_S = 8.0  # over which the baseline is led back: slower than any monitor's high-pass
_ENDS_S = 0.02


def closed(simulated: Simulated) -> Record:
    """The record, cut and levelled so that playing it again and again shows no seam.

    It ends between a T wave and the next wave, where the interval to the first beat of the next
    round comes nearest to the record's first interval; it keeps its length when there is no such
    place. Its baseline then ends where it began. Leads that are off at either end stay as they are.
    """
    record = simulated.record
    end = _end(simulated.truth, record.fs_hz, record.n_samples)
    x_mv = record.x_mv[:, :end].copy()
    few = max(1, round(_ENDS_S * record.fs_hz))
    step_mv = np.nan_to_num(x_mv[:, :few].mean(axis=1) - x_mv[:, -few:].mean(axis=1))
    length = min(end, round(LEVEL_S * record.fs_hz))
    ramp = np.sin(np.pi / 2 * np.arange(1, length + 1) / length) ** 2
    x_mv[:, end - length :] += (step_mv[:, None] * ramp).astype(np.float32)
    return replace(record, x_mv=x_mv)


def _end(truth: Truth, fs_hz: float, n_samples: int) -> int:
    """Samples to keep."""
    r, waves = truth.r_samples, truth.waves
    if r.size < 2:
        return n_samples
    wanted = int(r[1] - 2 * r[0])  # from the last R peak to the cut
    onsets = waves["onset"]
    best, miss = n_samples, np.inf
    late = (waves["kind"] == "t") & (waves["offset"] >= n_samples - SEARCH_S * fs_hz)
    for row in np.flatnonzero(late):
        rest = int(waves["offset"][row]) + 1
        following = onsets[onsets > waves["onset"][row]]
        until = int(following[0]) if following.size else n_samples
        if rest > until:
            continue  # the next wave begins within this T wave
        last_r = int(r[r < rest][-1])
        cut = min(max(last_r + wanted, rest), until)
        if abs(cut - last_r - wanted) <= miss:
            best, miss = cut, abs(cut - last_r - wanted)
    return best
