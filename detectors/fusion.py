"""Leads together: what each counts for, the fused feature, the lead that tells the time."""

from __future__ import annotations

import numpy as np
from numba import njit

from detectors import qrs as q
from detectors import template
from detectors.state import RING
from dsp.features import sharpness
from dsp.filters import SLOPE
from dsp.lanes import WIDE, sum_all16
from dsp.memory import KERNEL

LEAST_WEIGHT = np.float32(0.05)  # a poor lead counts little, but more than nothing
MEAN_RATE = np.float32(0.25)  # a second
HEIGHT_RATE = np.float32(0.125)  # a beat
MOST_CREST = np.float32(20.0)
TINY = np.float32(1e-6)
TIMING_LIKE = np.float32(0.6)
GROUPS = RING // WIDE  # of lanes
LEAST_LIKE = np.float32(0.2)
TIMING_SHARE = np.float32(0.3)


@njit(**KERNEL)
def weight_at(lead, at):  # type: ignore[no-untyped-def]
    """What a lead counts for in the decision at a sample."""
    return np.float32(0.0) if lead.absent[at & (RING - 1)] else lead.weight


@njit(**KERNEL)
def weigh(qrs, leads):  # type: ignore[no-untyped-def]
    """Weights of the leads for the second that begins: quality, and how far beats stand out.

    The feature of a lead is measured in heights of its own beats, and counts by the cube of the
    height over the mean, as the mean of measurements of different precision does. Weights change
    here and nowhere else: a block is fused with the same ones however it is cut.
    """
    total, mix = np.float32(0.0), np.float32(0.0)
    for i in range(leads.size):
        lead = leads[i]
        mean = sum_all16(lead.feature, GROUPS) / np.float32(RING)
        lead.mean += MEAN_RATE * (mean - lead.mean)
        weight = max(lead.second.sqi, LEAST_WEIGHT)
        total += weight
        mix += weight * lead.height
        if qrs.n_beats >= q.LEARNING_BEATS and lead.height > 0.0:
            weight *= min(lead.height / (lead.mean + TINY), MOST_CREST) ** 3
        lead.weight = weight
    if leads.size == 1:
        return
    if qrs.unit == 0.0 and qrs.n_beats >= q.LEARNING_BEATS:
        # the fused feature goes on in heights of each lead's own beats, where it has been
        qrs.unit = mix / total
    for i in range(leads.size):
        if qrs.unit > 0.0 and leads[i].height > 0.0:
            leads[i].scale = qrs.unit / leads[i].height


@njit(**KERNEL)
def add_lead(lead, feature, absent, total, weights):  # type: ignore[no-untyped-def]
    """Add a lead's feature of some samples to the sums that `fuse` divides.

    feature, total, weights : float32, absent : uint8, [n_samples]
    """
    weight, scale = lead.weight, lead.scale
    for k in range(feature.size):
        here = weight if absent[k] == 0 else np.float32(0.0)
        total[k] += here * (scale * feature[k])
        weights[k] += here


@njit(**KERNEL, error_model="numpy")  # lanes may divide side by side
def fuse(total, weights):  # type: ignore[no-untyped-def]
    """Mean of the leads' features by their weights, into `total`; 0 when no lead is there."""
    for k in range(total.size):
        total[k] = total[k] / weights[k] if weights[k] > 0.0 else np.float32(0.0)


@njit(**KERNEL)
def sharpness_at(leads, at, n):  # type: ignore[no-untyped-def]
    """Sharpness of a peak in all leads, weighted as the feature is."""
    total, weights = np.float32(0.0), np.float32(1e-9)
    for i in range(leads.size):
        weight, first = weight_at(leads[i], at), at - q.SHARP_FROM
        sharp = sharpness(leads[i].slope, first, min(at + SLOPE, n), SLOPE)
        total += weight * (leads[i].scale * sharp)
        weights += weight
    return total / weights


@njit(**KERNEL)
def likeness(leads, at, now):  # type: ignore[no-untyped-def]
    """How like beats known before a peak is, in all leads; at least `LEAST_LIKE`."""
    total, weights = np.float32(0.0), np.float32(1e-9)
    for i in range(leads.size):
        lead = leads[i]
        weight = weight_at(lead, at)
        template.compare(lead, at, now)
        total += weight * lead.match.likeness
        weights += weight
    return max(total / weights, LEAST_LIKE)


@njit(**KERNEL)
def learn_leads(leads, at, now):  # type: ignore[no-untyped-def]
    """Note height and shape of a beat in each lead."""
    for i in range(leads.size):
        lead = leads[i]
        height = lead.feature[at & (RING - 1)]
        if lead.absent[at & (RING - 1)]:
            continue
        rate = HEIGHT_RATE if lead.height > 0.0 else np.float32(1.0)
        lead.height += rate * (height - lead.height)
        template.learn(lead, at, now)


@njit(**KERNEL)
def timing_lead(leads, peak):  # type: ignore[no-untyped-def]
    """Note the lead that tells the R peak: the first in which the beat has a shape known there.

    Else the first that is about as good as the best. Leads do not peak at the same time: so it is
    the same one while it is good.
    """
    at, best = peak.at, np.float32(0.0)
    peak.lead = 0
    if leads.size == 1:
        return
    for i in range(leads.size):
        best = max(best, _strength(leads[i], at))
    for i in range(leads.size):
        match, strength = leads[i].match, _strength(leads[i], at)
        known = match.at == at and match.likeness >= TIMING_LIKE and strength > 0.0
        if known or strength >= TIMING_SHARE * best:
            peak.lead = i
            return


@njit(**KERNEL)
def _strength(lead, at):  # type: ignore[no-untyped-def]
    return weight_at(lead, at) * lead.feature[at & (RING - 1)] * lead.scale
