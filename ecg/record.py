"""A record: a stretch of signal as it lies in an archive, with what is known about it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Annotations:
    """Marks on a record, in WFDB's terms.

    Attributes
    ----------
    sample : int64 [n]
        Never decreasing.
    symbol : tuple of str, [n]
        WFDB characters: `N`, `V`, `+` (rhythm change), `(`, `)`, `p`, `t` (wave marks) and so on.
    aux : tuple of str, [n]
        Text of the mark, `(AFIB` for a rhythm change; empty where there is none.
    subtype : tuple of int, [n] or []
        WFDB's subtype, which tells a shutdown (`~` with bits 4 and 5 set) from a change of
        noise; empty when no mark has one.
    """

    sample: NDArray[np.int64]
    symbol: tuple[str, ...]
    aux: tuple[str, ...]
    subtype: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """Signal of one or more leads at one rate.

    Attributes
    ----------
    name : str
        As the archive calls it.
    fs_hz : float
    leads : tuple of str, [n_leads]
    x_mv : float32 [n_leads, n_samples]
        NaN where a sample is missing.
    lsb_mv : float
        Resolution that the samples were written with: a device that replays the record uses it.
    start_ns : int
        Time of the first sample, ns since the Unix epoch (UTC); 0 when not known.
    comments : tuple of str
        Lines of the header.
    """

    name: str
    fs_hz: float
    leads: tuple[str, ...]
    x_mv: NDArray[np.float32]
    lsb_mv: float = 0.005
    start_ns: int = 0
    comments: tuple[str, ...] = ()

    @property
    def n_samples(self) -> int:
        """Samples a lead."""
        return int(self.x_mv.shape[1])

    @property
    def duration_s(self) -> float:
        """How long the record lasts."""
        return self.n_samples / self.fs_hz
