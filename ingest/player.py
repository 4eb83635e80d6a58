"""A record as the device that could have taken it: frames, each with the moment it is due. Pure."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from random import Random

import numpy as np
from numpy.typing import NDArray

from ecg import BadRecord, BadSetting, Frame, Record
from ecg.clock import sample_to_ns
from ecg.frame import MISSING
from ingest.misbehaviour import N_DAMAGES, WELL_BEHAVED, Misbehaviour, Misdeed, MisdeedKind
from ingest.noise import noise_at_snr

RAIL = 32767
"""Where an amplifier stands when its electrode has no contact; also the highest sample there is."""

Event = Frame | Misdeed


class Player:
    """A device that plays a record.

    Iterating gives `(due_s, event)` in order of `due_s`, the seconds from the start at which the
    event takes place: a `Frame` is sent the moment its last sample was taken. A `Misdeed` comes
    only from a device that misbehaves. Iterating again gives the same again.

    `t_ns` of the frames counts from the start of the stream: who sends them adds when that was.

    Parameters
    ----------
    device : str
        `site/device`.
    record : Record
    speed : float
        Times real time; 0: everything is due at once (`Replay` then waits for acknowledgements).
        `t_ns` goes on at the rate of the samples, whatever the speed.
    loop : bool
        Begin again at the end, for ever: `seq` and `t_ns` go on as if nothing were.
    frame_s : float
        Length of a frame; rounded to samples.
    misbehaviour : Misbehaviour
    boot : int, optional
        Number of the device's start; without it the time, ms since 1970, so that the frames of
        one run are never taken for those of another.

    Raises
    ------
    BadRecord
        If the record has no sample.
    BadSetting
        For a speed or length that makes no sense, or a lead to come off that there is not.

    Examples
    --------
    >>> import numpy as np
    >>> record = Record("flat", 250.0, ("II",), np.zeros((1, 500), np.float32))
    >>> [(due_s, frame.seq, frame.n_samples) for due_s, frame in Player("a/b", record, frame_s=0.8)]
    [(0.8, 0, 200), (1.6, 1, 200), (2.0, 2, 100)]
    """

    def __init__(
        self,
        device: str,
        record: Record,
        *,
        speed: float = 1.0,
        loop: bool = False,
        frame_s: float = 0.25,
        misbehaviour: Misbehaviour = WELL_BEHAVED,
        boot: int | None = None,
    ) -> None:
        if not record.n_samples:
            raise BadRecord(f"{record.name}: no samples; there is nothing to replay")
        if not 0 <= speed < np.inf:
            raise BadSetting(f"speed is {speed:g}: 1 is real time, 0 as fast as acknowledged")
        if not 0 < frame_s <= 60:
            raise BadSetting(f"frames of {frame_s:g} s: more than 0 and at most 60 s are possible")
        if not 0 <= misbehaviour.lead_off_lead < len(record.leads):
            raise BadSetting(
                f"lead {misbehaviour.lead_off_lead} cannot come off: {record.name} has "
                f"{len(record.leads)}, counted from 0"
            )
        self.device = device
        self.record = record
        self.speed = speed
        self.loop = loop
        self.misbehaviour = misbehaviour
        self.boot = time.time_ns() // 1_000_000 if boot is None else boot
        self.frame_n = max(1, round(frame_s * record.fs_hz))
        self._lsb_uv = np.full(len(record.leads), record.lsb_mv * 1000, np.float32)
        self._noise = None
        if misbehaviour.snr_db is not None:
            # devices must not share their noise: it would correlate across a ward
            seed = Random(f"noise/{misbehaviour.seed}/{device}").getrandbits(32)
            self._noise = noise_at_snr(record, misbehaviour.snr_db, misbehaviour.noise, seed)

    @property
    def duration_s(self) -> float | None:
        """How long the stream lasts at its own rate; None for ever."""
        return None if self.loop else self.record.duration_s

    def __iter__(self) -> Iterator[tuple[float, Event]]:
        random = Random(f"{self.misbehaviour.seed}/{self.device}")
        held: Frame | None = None
        due_s = 0.0
        for ends_s, event in self._stream():
            wanted_s = ends_s / self.speed if self.speed else 0.0
            if not isinstance(event, Frame):
                due_s = max(due_s, wanted_s)
                if held is not None:  # it is not kept across a restart or a lost connection
                    yield due_s, held
                    held = None
                yield due_s, event
                continue
            due_s = max(due_s, wanted_s + random.random() * self.misbehaviour.jitter_s)
            fate = self.misbehaviour.fate(random.random())
            which = random.randrange(N_DAMAGES)
            if fate is MisdeedKind.REORDERED and held is None:
                held = event
                continue
            for deed in _deeds(event, fate, which):
                yield due_s, deed
            if held is not None and fate is not MisdeedKind.DROPPED:
                yield due_s, Misdeed(MisdeedKind.REORDERED, held)
                held = None
        if held is not None:  # nothing followed that could have overtaken it
            yield due_s, held

    def _stream(self) -> Iterator[tuple[float, Event]]:
        """Frames as taken, with the stream's age at their end; restarts and broken connections."""
        fs_hz, ways = self.record.fs_hz, self.misbehaviour
        sample, seq, restarts, breaks = 0, 0, 0, 0
        while self.loop or sample < self.record.n_samples:
            begins_s = sample / fs_hz
            if ways.restart_every_s and begins_s >= (restarts + 1) * ways.restart_every_s:
                restarts += 1
                seq = 0
                yield begins_s, Misdeed(MisdeedKind.RESTARTED)
            if ways.disconnect and begins_s >= (breaks + 1) * ways.disconnect.every_s:
                breaks += 1
                for_s = ways.disconnect.for_s / self.speed if self.speed else 0.0
                yield begins_s, Misdeed(MisdeedKind.DISCONNECTED, for_s=for_s)
            n = self.frame_n
            if not self.loop:
                n = min(n, self.record.n_samples - sample)
            frame = self._frame(sample, n)
            yield (sample + n) / fs_hz, replace(frame, boot=self.boot + restarts, seq=seq)
            sample += n
            seq += 1

    def _frame(self, sample: int, n: int) -> Frame:
        """The frame of samples from `sample` on, counted over all rounds; boot and seq to come."""
        fs_hz, ways = self.record.fs_hz, self.misbehaviour
        x = self._digitise(sample, n)
        off = ways.lead_off and ways.lead_off.cover(sample / fs_hz, (sample + n) / fs_hz)
        if off:
            x[ways.lead_off_lead] = RAIL
        return Frame(
            device=self.device,
            boot=0,
            seq=0,
            t_ns=self._clock_ns(sample),
            fs_hz=fs_hz,
            leads=self.record.leads,
            lsb_uv=self._lsb_uv,
            x=x,
            lead_off=1 << ways.lead_off_lead if off else 0,
        )

    def _digitise(self, sample: int, n: int) -> NDArray[np.int16]:
        x_mv = _around(self.record.x_mv, sample, n)
        if self._noise is not None:
            x_mv = x_mv + _around(self._noise, sample, n)
        steps = np.rint(x_mv / self.record.lsb_mv)
        x = np.asarray(np.clip(np.nan_to_num(steps), -RAIL, RAIL), np.int16)
        x[np.isnan(steps)] = MISSING
        return x

    def _clock_ns(self, sample: int) -> int:
        """What the device's clock shows at a sample, from the start of the stream."""
        ways = self.misbehaviour
        true_ns = sample_to_ns(sample, self.record.fs_hz)
        shown_ns = true_ns + round(true_ns * ways.drift_ppm * 1e-6)
        step = ways.clock_step
        if step is not None and sample >= step.at_s * self.record.fs_hz:
            shown_ns += round(step.by_s * 1e9)
        return shown_ns


def _deeds(frame: Frame, fate: MisdeedKind | None, which: int) -> Iterator[Event]:
    """What is done with a frame whose turn it is."""
    if fate is MisdeedKind.DROPPED:
        yield Misdeed(MisdeedKind.DROPPED, frame)
    elif fate is MisdeedKind.MALFORMED:
        yield Misdeed(MisdeedKind.MALFORMED, frame, damage=which)
    else:
        yield frame
        if fate is MisdeedKind.DUPLICATED:
            yield Misdeed(MisdeedKind.DUPLICATED, frame)


def _around(x: NDArray[np.float32], sample: int, n: int) -> NDArray[np.float32]:
    """`n` samples from `sample` on of a signal that begins again when it ends."""
    at = sample % x.shape[1]
    if at + n <= x.shape[1]:
        return x[:, at : at + n]
    return np.take(x, np.arange(at, at + n), axis=1, mode="wrap")
