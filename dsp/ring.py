"""Blocks out of and into a ring of the last samples, whose length is a power of two.

A kernel that computes on a block lying in one piece is compiled to vector instructions; one that
wraps every index around a ring is not.
"""

from __future__ import annotations

from numba import njit

from dsp.memory import KERNEL

WINDOW = 64  # samples that are looked at in one piece


@njit(**KERNEL)
def read(ring, at, block, count):  # type: ignore[no-untyped-def]
    """Copy `count` samples of the ring, from number `at` on, to the begin of the block."""
    place = at & (ring.size - 1)
    first = min(count, ring.size - place)
    older, newer = ring[place:], block[first:]
    for k in range(first):
        block[k] = older[k]
    for k in range(count - first):
        newer[k] = ring[k]


@njit(**KERNEL)
def write(ring, at, block, count):  # type: ignore[no-untyped-def]
    """Copy `count` samples from the begin of the block into the ring, from number `at` on."""
    place = at & (ring.size - 1)
    first = min(count, ring.size - place)
    older, newer = ring[place:], block[first:]
    for k in range(first):
        older[k] = block[k]
    for k in range(count - first):
        ring[k] = newer[k]
