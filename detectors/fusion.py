"""Leads together: what each counts for, the fused feature, the lead that tells the time."""

from __future__ import annotations

import numpy as np
from numba import njit

from detectors import qrs as q
from detectors.state import RING
from dsp.features import sharpness
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
def weigh(leads):  # type: ignore[no-untyped-def]
    """Weights of the leads for the second that begins: quality, and how far beats stand out.

    The feature of a lead is measured in heights of its own beats, and counts by the cube of the
    height over the mean, as the mean of measurements of different precision does.
    """
    for i in range(leads.size):
        lead = leads[i]
        total = np.float32(0.0)
        for j in range(RING):
            total += lead.feature[j]
        lead.mean += MEAN_RATE * (total / np.float32(RING) - lead.mean)
        lead.weight = max(lead.second.sqi, LEAST_WEIGHT)
        if lead.height > 0.0:
            lead.weight *= min(lead.height / (lead.mean + TINY), MOST_CREST) ** 3 / lead.height


@njit(cache=True, nogil=True)
def fuse(leads, n):  # type: ignore[no-untyped-def]
    """Mean of the leads' features by their weights, in mV a 16 ms; 0 when no lead is there."""
    if leads.size == 1:
        absent = leads[0].absent[n & (RING - 1)]
        return np.float32(0.0) if absent else leads[0].feature[n & (RING - 1)]
    total, weights = np.float32(0.0), np.float32(0.0)
    for i in range(leads.size):
        weight = weight_at(leads[i], n)
        total += weight * leads[i].feature[n & (RING - 1)]
        weights += weight
    return total / weights if weights > 0.0 else np.float32(0.0)


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
