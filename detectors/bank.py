"""`Bank`: many patients of one shape, advanced by one kernel call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors import kernel
from detectors.analyzer import Analyzer, tables
from detectors.front import workspace
from detectors.weights import models
from ecg import BadSignal, Findings


class Bank:
    """Analyses of many patients whose devices have the same rate and number of leads.

    The findings are those of an `Analyzer` a patient, to the bit.

    Parameters
    ----------
    fs_hz : float
        Sampling rate, 100 to 1,000 Hz.
    n_leads : int
    capacity : int
        Places for patients, 0 to capacity - 1.

    Raises
    ------
    BadSignal
        For a rate, a number of leads or a capacity that cannot be.
    """

    def __init__(self, fs_hz: float, n_leads: int, capacity: int) -> None:
        if capacity < 1:
            raise BadSignal(f"capacity is {capacity}; give room for at least one patient")
        begun = Analyzer(fs_hz, tuple(f"{i + 1}" for i in range(n_leads))).state
        self.state: NDArray[Any] = np.repeat(begun, capacity)
        self.fs_hz, self.n_leads, self.capacity = float(fs_hz), n_leads, capacity
        self._work = workspace(self.fs_hz)

    def place(self, index: int, analyzer: Analyzer) -> None:
        """Put a patient's analysis, new or restored, into a place."""
        if analyzer.state.dtype != self.state.dtype or analyzer.fs_hz != self.fs_hz:
            raise BadSignal("the analysis has another rate or number of leads than the bank")
        self.state[index] = analyzer.state[0]

    def take(self, index: int) -> Analyzer:
        """A copy of a patient's analysis, which goes on where the bank stands."""
        return Analyzer.restore(self.state[index].tobytes())

    def push(self, chunks: Mapping[int, NDArray[np.float32]]) -> dict[int, Findings]:
        """Take the next samples of some patients.

        Parameters
        ----------
        chunks : mapping of place -> float32 [n_leads, n_samples]
            Millivolts; NaN where a sample is missing.

        Returns
        -------
        dict of place -> Findings

        Raises
        ------
        BadSignal
            For a chunk of another shape; nobody's samples have been taken then.
        """
        longest = 0
        for index, x in chunks.items():
            if x.ndim != 2 or x.shape[0] != self.n_leads:
                raise BadSignal(
                    f"samples of place {index} have the shape {x.shape}; "
                    f"give [{self.n_leads} leads, n_samples]"
                )
            longest = max(longest, x.shape[1])
        block = np.empty((self.capacity, self.n_leads, longest), np.float32)
        sizes = np.zeros(self.capacity, np.int64)
        for index, x in chunks.items():
            block[index, :, : x.shape[1]] = x
            sizes[index] = x.shape[1]
        return self.push_block(block, sizes, list(chunks))

    def push_block(
        self, x_mv: NDArray[np.float32], sizes: NDArray[np.int64], places: list[int]
    ) -> dict[int, Findings]:
        """As `push`, of samples that lie in one block already.

        Parameters
        ----------
        x_mv : float32 [capacity, n_leads, n_samples]
        sizes : int64 [capacity]
            Samples that each place has in the block; 0 for none.
        places : list of int
            Places whose findings are wanted.
        """
        rows = tables(x_mv.shape[2], self.fs_hz, self.n_leads, self.capacity)
        counts = np.zeros((self.capacity, len(rows)), np.int64)
        heads = self.state["head"]
        kernel.advance_all(
            heads, self.state["leads"], x_mv, sizes, self._work, models(), (*rows, counts)
        )
        beats, vitals, quality, episodes, told = rows
        through, quiet = heads["through"].tolist(), heads["quiet"].tolist()
        found = {}
        for p, n in zip(places, counts[places].tolist(), strict=True):
            found[p] = Findings(
                beats[p, : n[0]] if n[0] else _NOTHING.beats,
                vitals[p, : n[1]] if n[1] else _NOTHING.vitals,
                quality[p, : n[2]] if n[2] else _NOTHING.quality,
                episodes[p, : n[3]] if n[3] else _NOTHING.episodes,
                told[p, : n[4]] if n[4] else _NOTHING.classified,
                through[p],
                quiet[p],
            )
        return found


_NOTHING = Findings()
"""Its empty tables stand for those of every patient who has none: to make them takes time."""
