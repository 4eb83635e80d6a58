"""The interface of every store: rows that are appended, and how they are read.

What a back end promises (tests/store/test_contract.py holds all of them to it):

- **Atomic.** All rows of one `append` become durable together or not at all.
- **Durable.** Once a token is done, the rows survive the death of the process and of the power.
- **Idempotent.** Rows appended again change nothing: a frame by (device, boot, seq), a beat or
  vitals by (patient, t_ns), quality by (patient, t_ns, lead), an episode by (patient, kind,
  onset_ns) where an ended one replaces the open one, a transition by (ward, bed, alarm_id, phase).
  A state is what was appended last under its key.
- **In order.** Reads are sorted by time.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from ecg.errors import StoreError

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class WaveformChunk:
    """A frame's samples, for a patient.

    Attributes
    ----------
    patient, device : str
    boot, seq : int
        Of the frame: with the device they name it.
    t_ns : int
        Time of the first sample, UTC.
    fs_hz : float
    leads : tuple of str, [n_leads]
    lsb_uv : float32 [n_leads]
        Microvolts a unit of `x`.
    x : int16 [n_leads, n_samples]
        `ecg.MISSING` where there is none.
    """

    patient: str
    device: str
    boot: int
    seq: int
    t_ns: int
    fs_hz: float
    leads: tuple[str, ...]
    lsb_uv: NDArray[np.float32]
    x: NDArray[np.int16]

    @property
    def end_ns(self) -> int:
        """Time just after the last sample."""
        return self.t_ns + round(int(self.x.shape[1]) * 1e9 / self.fs_hz)


@dataclass(frozen=True, slots=True, eq=False)
class BeatRows:
    """Beats of a patient, dtype `ecg.BEAT`."""

    patient: str
    beats: NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class VitalsRows:
    """Vital numbers of a patient, dtype `ecg.VITALS`."""

    patient: str
    vitals: NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class QualityRows:
    """Signal quality of a patient's leads, dtype `ecg.QUALITY`."""

    patient: str
    quality: NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class EpisodeRows:
    """Episodes of a patient, dtype `ecg.EPISODE`."""

    patient: str
    episodes: NDArray[Any]


@dataclass(frozen=True, slots=True)
class TransitionRow:
    """One change of one alarm; the words are those of `alerts.words`."""

    t_ns: int
    noted_ns: int
    ward: str
    bed: str
    patient: str
    alarm_id: str
    kind: str
    priority: str
    phase: str
    by: str | None
    text: str
    evidence: str  # JSON; empty when there is none


@dataclass(frozen=True, slots=True)
class AuditRow:
    """Who did what, and when: kept for good."""

    t_ns: int
    who: str
    action: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class StateRow:
    """What a program must find again after a restart, under a key; None takes it away."""

    key: str
    value: str | None


Row = (
    WaveformChunk
    | BeatRows
    | VitalsRows
    | QualityRows
    | EpisodeRows
    | TransitionRow
    | AuditRow
    | StateRow
)


class LastFrame(NamedTuple):
    """How far a device's stream is in the store."""

    boot: int
    seq: int
    end_ns: int


@dataclass(frozen=True, slots=True, eq=False)
class Latest:
    """The newest that is known of a patient; None where there is nothing yet."""

    vitals: NDArray[Any] | None  # one row, dtype ecg.VITALS, shape ()
    beat_ns: int | None
    waveform_end_ns: int | None


class Token:
    """Says when one append is durable, or that it failed. Safe to use from any thread."""

    __slots__ = ("_callbacks", "_error", "_event", "_lock")

    def __init__(self) -> None:
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._error: StoreError | None = None
        self._callbacks: list[Callable[[Token], None]] = []

    @property
    def done(self) -> bool:
        """The rows are durable."""
        return self._event.is_set() and self._error is None

    @property
    def error(self) -> StoreError | None:
        """Why the rows could not be stored; none of them was."""
        return self._error

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until the rows are durable; False if that took longer than `timeout_s`.

        Raises
        ------
        StoreError
            If they could not be stored.
        """
        finished = self._event.wait(timeout_s)
        if self._error is not None:
            raise self._error
        return finished

    def on_durable(self, callback: Callable[[Token], None]) -> None:
        """Call `callback(token)` once, when the rows are durable or have failed (`token.error`).

        It is called in the store's own thread, or at once when that lies behind: it must be
        quick. An exception is logged and goes no further.
        """
        with self._lock:
            if not self._event.is_set():
                self._callbacks.append(callback)
                return
        self._call(callback)

    def settle(self, error: StoreError | None = None) -> None:
        """For back ends: the rows are durable, or have failed with `error`."""
        with self._lock:
            if self._event.is_set():
                return
            self._error = error
            self._event.set()
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            self._call(callback)

    def _call(self, callback: Callable[[Token], None]) -> None:
        try:
            callback(self)
        except Exception:  # other appends of the same commit wait for theirs
            _LOG.exception("callback of a stored append failed")


class Reader(Protocol):
    """What can be read. Times are ns UTC; a stretch is `from_ns <= t < to_ns`."""

    def waveform(self, patient: str, from_ns: int, to_ns: int) -> list[WaveformChunk]:
        """Chunks that overlap the stretch, by time."""
        ...

    def beats(self, patient: str, from_ns: int, to_ns: int) -> NDArray[Any]:
        """Rows of dtype `ecg.BEAT`, by time."""
        ...

    def vitals(self, patient: str, from_ns: int, to_ns: int) -> NDArray[Any]:
        """Rows of dtype `ecg.VITALS`, by time."""
        ...

    def quality(self, patient: str, from_ns: int, to_ns: int) -> NDArray[Any]:
        """Rows of dtype `ecg.QUALITY`, by time and lead."""
        ...

    def episodes(self, patient: str, from_ns: int, to_ns: int) -> NDArray[Any]:
        """Rows of dtype `ecg.EPISODE` that overlap the stretch, by onset."""
        ...

    def transitions(
        self, from_ns: int, to_ns: int, *, ward: str | None = None, bed: str | None = None
    ) -> list[TransitionRow]:
        """Alarm transitions noted in the stretch, in the order in which they were noted."""
        ...

    def audit(self, from_ns: int, to_ns: int) -> list[AuditRow]:
        """Audit entries, by time."""
        ...

    def states(self, prefix: str = "") -> dict[str, str]:
        """States whose keys begin so, by key."""
        ...

    def latest(self, patients: Iterable[str]) -> dict[str, Latest]:
        """The newest of many patients in one call; a patient without rows is left out."""
        ...

    def last_frames(self) -> dict[str, LastFrame]:
        """How far each device's stream is, by device."""
        ...

    def counts(self) -> dict[str, int]:
        """Rows in each table; looks at all of them, so it is not for every second."""
        ...

    def close(self) -> None:
        """Give everything back. Closing twice is fine."""
        ...


class Store(Reader, Protocol):
    """A reader that also takes rows."""

    def append(self, rows: Sequence[Row]) -> Token:
        """Take rows; they are durable, all together, when the token is done.

        Raises
        ------
        StoreError
            If too much is waiting already, or the store is closed: nothing was taken.
        """
        ...

    def flush(self, timeout_s: float | None = None) -> None:
        """Wait until all that was appended before is settled (durable, or its token failed).

        Raises
        ------
        StoreError
            If that took longer than `timeout_s`.
        """
        ...
