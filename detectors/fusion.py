"""Leads together: what each counts for, the fused feature, the lead that tells the time."""

from __future__ import annotations

import numpy as np
from numba import njit

from detectors import qrs as q
from detectors.state import RING
from dsp.features import fold_sum, sharpness
from dsp.filters import SLOPE

LEAST_WEIGHT = np.float32(0.05)  # a poor lead counts little, but more than nothing
MEAN_RATE = np.float32(0.25)  # a second
HEIGHT_RATE = np.float32(0.125)  # a beat
MOST_CREST = np.float32(20.0)
TINY = np.float32(1e-6)
TIMING_SHARE = np.float32(0.3)


@njit(cache=True, nogil=True)
def weight_at(lead, at):  # type: ignore[no-untyped-def]
    """What a lead counts for in the decision at a sample."""
    return np.float32(0.0) if lead.absent[at & (RING - 1)] else lead.weight


@njit(cache=True, nogil=True)
def weigh(leads, work):  # type: ignore[no-untyped-def]
    """Weights of the leads for the second that begins: quality, and how far beats stand out.

    The feature of a lead is measured in heights of its own beats, and counts by the cube of the
    height over the mean, as the mean of measurements of different precision does. Weights change
    here and nowhere else: a block is fused with the same ones however it is cut.
    """
    for i in range(leads.size):
        lead = leads[i]
        work.sum[:] = lead.feature
        mean = fold_sum(work.sum, RING) / np.float32(RING)
        lead.mean += MEAN_RATE * (mean - lead.mean)
        lead.weight = max(lead.second.sqi, LEAST_WEIGHT)
        if lead.height > 0.0:
            lead.weight *= min(lead.height / (lead.mean + TINY), MOST_CREST) ** 3 / lead.height


@njit(cache=True, nogil=True)
def add_lead(lead, feature, absent, total, weights):  # type: ignore[no-untyped-def]
    """Add a lead's feature of some samples to the sums that `fuse` divides.

    feature, total, weights : float32, absent : uint8, [n_samples]
    """
    weight = lead.weight
    for k in range(feature.size):
        here = weight if absent[k] == 0 else np.float32(0.0)
        total[k] += here * feature[k]
        weights[k] += here


@njit(cache=True, nogil=True)
def fuse(total, weights):  # type: ignore[no-untyped-def]
    """Mean of the leads' features by their weights, into `total`; 0 when no lead is there."""
    for k in range(total.size):
        total[k] = total[k] / weights[k] if weights[k] > 0.0 else np.float32(0.0)


@njit(cache=True, nogil=True)
def sharpness_at(leads, at, n):  # type: ignore[no-untyped-def]
    """Sharpness of a peak in all leads, weighted as the feature is."""
    total, weights = np.float32(0.0), np.float32(1e-9)
    for i in range(leads.size):
        weight = weight_at(leads[i], at)
        total += weight * sharpness(leads[i].slope, at - q.SHARP_FROM, min(at + SLOPE, n), SLOPE)
        weights += weight
    return total / weights


@njit(cache=True, nogil=True)
def learn_heights(leads, at):  # type: ignore[no-untyped-def]
    """Note how high the feature of each lead is at a beat."""
    for i in range(leads.size):
        lead = leads[i]
        height = lead.feature[at & (RING - 1)]
        if lead.absent[at & (RING - 1)]:
            continue
        rate = HEIGHT_RATE if lead.height > 0.0 else np.float32(1.0)
        lead.height += rate * (height - lead.height)


@njit(cache=True, nogil=True)
def timing_lead(leads, at):  # type: ignore[no-untyped-def]
    """The first lead that is about as good as the best: it tells the R peak.

    Always the same one while it is good, for leads do not peak at the same time.
    """
    best = np.float32(0.0)
    for i in range(leads.size):
        best = max(best, weight_at(leads[i], at) * leads[i].feature[at & (RING - 1)])
    for i in range(leads.size):
        strength = weight_at(leads[i], at) * leads[i].feature[at & (RING - 1)]
        if strength >= TIMING_SHARE * best:
            return i
    return 0
