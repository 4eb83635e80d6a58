"""A frame: the piece of signal that a device sends at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MISSING = -32768
"""Sample value that means "not measured", as in WFDB's 16-bit format."""


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """A piece of signal of one device; it names no patient.

    Attributes
    ----------
    device : str
        `site/device`, the two words of its topic.
    boot, seq : int
        `seq` counts frames from 0 and begins again when `boot` changes.
    t_ns : int
        Time of the first sample by the device's clock, ns since the Unix epoch (UTC).
    fs_hz : float
        Sampling rate.
    leads : tuple of str, [n_leads]
        Names, `ecg.codes.STANDARD_LEADS` where they apply.
    lsb_uv : float32 [n_leads]
        Microvolts a unit of `x`.
    x : int16 [n_leads, n_samples]
        Samples; `MISSING` where there is none.
    lead_off : int
        Bit i is set when lead i has no contact.
    pace : tuple of int
        Samples (within this frame) at which the device saw a pacing pulse.
    battery_pct : float or None
        Charge that is left.
    """

    device: str
    boot: int
    seq: int
    t_ns: int
    fs_hz: float
    leads: tuple[str, ...]
    lsb_uv: NDArray[np.float32]
    x: NDArray[np.int16]
    lead_off: int = 0
    pace: tuple[int, ...] = ()
    battery_pct: float | None = None

    @property
    def n_samples(self) -> int:
        """Samples a lead."""
        return int(self.x.shape[1])

    @property
    def duration_ns(self) -> int:
        """How long the frame lasts at its nominal rate."""
        return round(self.n_samples * 1e9 / self.fs_hz)

    @property
    def end_ns(self) -> int:
        """Time of the first sample that the next frame should carry."""
        return self.t_ns + self.duration_ns

    def x_mv(self) -> NDArray[np.float32]:
        """Samples in millivolts, float32 [n_leads, n_samples]; NaN where missing or lead off."""
        out = self.x * self.lsb_uv[:, None] / np.float32(1e3)
        out[self.x == MISSING] = np.nan
        if self.lead_off:
            out[[bool(self.lead_off >> i & 1) for i in range(len(self.leads))]] = np.nan
        return out.astype(np.float32, copy=False)
