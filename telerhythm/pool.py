"""The analyses of all streams: those of one shape advance together, in one kernel call."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.analyzer import Analyzer
from detectors.bank import Bank
from ecg import Findings

_FIRST_CAPACITY = 8
_Shape = tuple[float, int]


@dataclass(frozen=True, slots=True, eq=False)
class Seat:
    """Where the analysis of one stream is: a place in the bank of its rate and number of leads."""

    shape: _Shape
    place: int
    leads: tuple[str, ...]


Job = tuple[Seat, NDArray[np.float32] | None]
"""Samples of a stream, float32 [n_leads, n_samples]; None: the stream has ended."""


class Pool:
    """Banks that grow with the number of streams.

    The findings are those of an `Analyzer` a stream, to the bit.
    """

    def __init__(self) -> None:
        self._banks: dict[_Shape, Bank] = {}
        self._free: dict[_Shape, list[int]] = {}

    def begin(self, fs_hz: float, leads: Sequence[str]) -> Seat:
        """Begin the analysis of a stream; it is ended by a job without samples.

        Raises
        ------
        BadSignal
            For a rate or a set of leads that cannot be analysed.
        """
        analyzer = Analyzer(fs_hz, leads)
        shape = analyzer.fs_hz, len(leads)
        bank = self._bank_with_room(shape)
        seat = Seat(shape, self._free[shape].pop(), tuple(leads))
        bank.place(seat.place, analyzer)
        return seat

    def run(self, jobs: Sequence[Job]) -> list[Findings]:
        """Advance streams by their next samples; the findings of each job, in their order."""
        found: list[Findings] = [Findings()] * len(jobs)
        waiting = list(enumerate(jobs))
        while waiting:
            now, waiting = _one_each(waiting)
            self._advance([(i, seat, x) for i, (seat, x) in now if x is not None], found)
            for i, (seat, x) in now:
                if x is None:
                    found[i] = self._end(seat)
        return found

    def _advance(
        self, jobs: list[tuple[int, Seat, NDArray[np.float32]]], found: list[Findings]
    ) -> None:
        for shape in {seat.shape for _, seat, _ in jobs}:
            here = [(i, seat.place, x) for i, seat, x in jobs if seat.shape == shape]
            by_place = self._banks[shape].push({place: x for _, place, x in here})
            for i, place, _ in here:
                found[i] = by_place[place]

    def _end(self, seat: Seat) -> Findings:
        findings = self._banks[seat.shape].take(seat.place).finish()
        self._free[seat.shape].append(seat.place)
        return findings

    def _bank_with_room(self, shape: _Shape) -> Bank:
        bank = self._banks.get(shape)
        if bank is None:
            bank = self._banks[shape] = Bank(*shape, _FIRST_CAPACITY)
            self._free[shape] = list(range(_FIRST_CAPACITY))
        elif not self._free[shape]:
            small, bank = bank, Bank(*shape, 2 * bank.capacity)
            bank.state[: small.capacity] = small.state
            self._banks[shape] = bank
            self._free[shape] = list(range(small.capacity, bank.capacity))
        return bank


def _one_each(
    jobs: Iterable[tuple[int, Job]],
) -> tuple[list[tuple[int, Job]], list[tuple[int, Job]]]:
    """The first job of each stream, and the rest: a kernel call advances a stream once."""
    first: list[tuple[int, Job]] = []
    rest: list[tuple[int, Job]] = []
    seen: set[Seat] = set()
    for job in jobs:
        seat = job[1][0]
        (rest if seat in seen else first).append(job)
        seen.add(seat)
    return first, rest
