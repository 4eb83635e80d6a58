"""Frames as they come in, put in order: what is missing, twice, late; restarts; clocks that jump.

A frame whose predecessors have not come waits for them, at most `WAIT_NS` or until `MAX_HELD`
frames wait; then the missing ones are given up and the gap is marked. An alarm must not wait
longer: over MQTT frames come in order but for those sent again after a lost connection.

**Which clock.** The times of a stream are those that its frames carry, as long as they fit the
number of samples. A time that does not fit means one of two things. Either the device took no
samples for a while, or its clock was set. It was set for sure when it went back, or when the frame
would have come sooner after its last sample than any before it (the shortest way from the device
is remembered). Then times are counted on, and led to the device's clock slowly, so that no time
comes twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from ecg import Frame
from ecg.clock import NS
from ingest.ledger import Ledger, Old

WAIT_NS = NS
"""How long a frame waits for one before it."""
MAX_HELD = 32
"""Frames of a device that wait at most."""
MAX_HELD_BYTES = 4 << 20
"""Samples that wait at most, in bytes."""
MAX_GAP_S = 30.0
"""Longest gap that is filled with missing samples; after a longer one the stream begins anew."""
STEP_NS = NS // 10
"""What a time may be off: time stamps are made by software, which is late now and then."""
DRIFT = 1000e-6
"""What a device's clock may run fast or slow against its samples, both of cheap crystals."""
SLEW = 200
"""After a step times are led to the device's clock by this part of the time that passes."""
MAX_PAUSE_NS = 86_400 * NS
"""A time that goes further ahead than this tells of a clock that was set, not of a pause."""
MAX_PAST = 4
"""Starts of a device that are remembered beside the present one."""


@dataclass(slots=True)
class Counts:
    """What came of the frames of a device: `received` is the sum of what the next four say.

    Attributes
    ----------
    received : int
        Frames pushed.
    delivered : int
        Those that came out, in order.
    duplicates : int
        Those that had come before.
    late : int
        Those that came after they had been given up, or before all that was heard of the device;
        they are not delivered.
    waiting : int
        Those that wait for frames before them.
    lost : int
        Frames missing in the sequence: given up, and not come late. A late frame lowers it.
    reordered : int
        Of those delivered, those that came after one that follows them.
    restarts : int
        The device began anew: another `boot`, or numbers that begin again.
    pauses : int
        The device took no samples for a while, though no frame is missing.
    clock_steps : int
        Its clock was set.
    """

    received: int = 0
    delivered: int = 0
    duplicates: int = 0
    late: int = 0
    waiting: int = 0
    lost: int = 0
    reordered: int = 0
    restarts: int = 0
    pauses: int = 0
    clock_steps: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """A frame in its place in the stream.

    Attributes
    ----------
    frame : Frame
    epoch : int
        Another number: the stream begins anew (restart, other rate or leads, a long gap).
    sample : int
        Index of the first sample from the start of the epoch, gaps included.
    t_ns : int
        Time of the first sample, UTC: the frame's own, or counted when its clock was set.
    missing : int
        Samples of this epoch that are missing just before the first.
    gap_s : float
        How long nothing was recorded or arrived just before the first sample; also known where
        the stream begins anew and `missing` is 0.
    clock_stepped : bool
        Times do not agree with the device's clock, which was set.
    """

    frame: Frame
    epoch: int
    sample: int
    t_ns: int
    missing: int = 0
    gap_s: float = 0.0
    clock_stepped: bool = False


class _Held(NamedTuple):
    frame: Frame
    received_ns: int


class _End(NamedTuple):
    """Where the stream is: just after the last frame delivered."""

    read_ns: int  # as the device's clock has it
    told_ns: int  # as we have told it
    sample: int
    n_samples: int  # of the last frame; 0 when not known
    shape: tuple[float, tuple[str, ...]] | None  # rate and leads; None: the stream begins anew


class _Gap(NamedTuple):
    """What is between the last frame and the next."""

    length_ns: int
    samples: int
    step_ns: int = 0  # by which the device's clock was set
    is_break: bool = False  # the stream begins anew


_NO_GAP = _Gap(0, 0)


class Sequencer:
    """The frames of one device, in order.

    Parameters
    ----------
    device : str
        `site/device`.
    """

    def __init__(self, device: str) -> None:
        self.device = device
        self.counts = Counts()
        self._epoch = 0
        self._ledger: Ledger | None = None
        self._past: list[Ledger] = []
        self._held: dict[int, _Held] = {}  # in the order in which they came
        self._held_bytes = 0
        self._end: _End | None = None
        self._is_restarted = False
        self._least_delay_ns = 0  # of frames, from their last sample until here; 0: not above

    def resume(self, boot: int, seq: int, end_ns: int) -> None:
        """Go on after a frame that an earlier run has delivered last (`Store.last_frames`).

        Frames up to it count as duplicates: whether one of them was given up as lost and is late
        is not known any more. The stream begins anew, for its analysis is gone.

        Parameters
        ----------
        boot, seq : int
        end_ns : int
            Time just after its last sample.
        """
        self._ledger = Ledger(boot, seq + 1)
        self._end = _End(end_ns, end_ns, 0, 0, None)

    def holds(self, boot: int, seq: int) -> bool:
        """Whether a frame waits for others: it will be delivered later."""
        return self._ledger is not None and self._ledger.boot == boot and seq in self._held

    def push(self, frame: Frame, received_ns: int) -> list[Piece]:
        """Take a frame as it came in.

        Parameters
        ----------
        frame : Frame
        received_ns : int
            When it came, by this machine's clock, ns UTC.

        Returns
        -------
        list of Piece
            What is in order now: nothing, this frame, or it and others that waited.
        """
        self.counts.received += 1
        pieces: list[Piece] = []
        if self._ledger is None:
            self._ledger = Ledger(frame.boot)
            if frame.seq > MAX_HELD:  # those before it are not on their way any more
                self._ledger.begin_at(frame.seq)
        elif frame.boot != self._ledger.boot:
            past = self._past_of(frame.boot)
            if past is not None and not self._is_news(past, frame):
                if frame.seq >= past.next_seq:  # its device restarted before it came
                    self.counts.lost += past.give_up(frame.seq + 1)
                self._settle(past, frame)
                return pieces
            self._restart(past or Ledger(frame.boot), pieces)
        ledger = self._ledger
        if frame.seq in self._held:
            self.counts.duplicates += 1
        elif frame.seq >= ledger.next_seq:
            self._hold(frame, received_ns)
        elif self._is_news(ledger, frame):
            self._restart(ledger, pieces)
            self.counts.lost -= ledger.rewind(frame.seq)
            self._hold(frame, received_ns)
        else:
            self._settle(ledger, frame)
        pieces += self._release(received_ns)
        return pieces

    def flush(self, now_ns: int) -> list[Piece]:
        """Let time pass: what has waited long enough comes out."""
        return list(self._release(now_ns))

    # -- restarts and old frames -----------------------------------------------------------------

    def _past_of(self, boot: int) -> Ledger | None:
        return next((ledger for ledger in self._past if ledger.boot == boot), None)

    def _is_news(self, ledger: Ledger, frame: Frame) -> bool:
        """Whether a frame with an old number was taken after all that was delivered.

        Then its device has begun to count again without another `boot`. It breaks the rules, but
        a patient is on it.
        """
        if self._end is None or ledger.is_delivered(frame.seq, frame.t_ns):
            return False
        return frame.t_ns >= self._end.read_ns - frame.duration_ns // 2

    def _restart(self, ledger: Ledger, pieces: list[Piece]) -> None:
        """Begin a new stream, after all that still waits of the one before."""
        pieces += self._release(None)
        if self._ledger is not None and self._ledger is not ledger:
            self._past = [each for each in self._past if each is not ledger][1 - MAX_PAST :]
            self._past.append(self._ledger)
        self._ledger = ledger
        self._is_restarted = True
        self.counts.restarts += 1

    def _settle(self, ledger: Ledger, frame: Frame) -> None:
        match ledger.settle(frame.seq, frame.t_ns):
            case Old.DUPLICATE:
                self.counts.duplicates += 1
            case Old.LATE:
                self.counts.late += 1
                self.counts.lost -= 1
            case Old.UNCOUNTED:
                self.counts.late += 1

    # -- waiting ---------------------------------------------------------------------------------

    def _hold(self, frame: Frame, received_ns: int) -> None:
        if self._held and frame.seq < max(self._held):
            self.counts.reordered += 1
        self._held[frame.seq] = _Held(frame, received_ns)
        self._held_bytes += frame.x.nbytes
        self.counts.waiting += 1

    def _release(self, now_ns: int | None) -> Iterator[Piece]:
        """Deliver what is in order, give up what is overdue; without a time, all of it."""
        ledger = self._ledger
        while self._held and ledger is not None:
            seq, lost = ledger.next_seq, 0
            if seq not in self._held:
                if now_ns is not None and not self._is_overdue(now_ns):
                    return
                seq = min(self._held)
                if self._end is None:
                    ledger.begin_at(seq)
                else:
                    lost = ledger.give_up(seq)
                    self.counts.lost += lost
            held = self._held.pop(seq)
            self._held_bytes -= held.frame.x.nbytes
            self.counts.waiting -= 1
            self.counts.delivered += 1
            ledger.deliver(seq, held.frame.t_ns)
            yield self._place(held, lost)

    def _is_overdue(self, now_ns: int) -> bool:
        if len(self._held) > MAX_HELD or self._held_bytes > MAX_HELD_BYTES:
            return True
        waited_ns = now_ns - next(iter(self._held.values())).received_ns
        return not -WAIT_NS < waited_ns < WAIT_NS  # this machine's clock may be set, too

    # -- places and times ------------------------------------------------------------------------

    def _place(self, held: _Held, lost: int) -> Piece:
        """Where a frame belongs, `lost` frames after the last one."""
        frame, n, lasts_ns = held.frame, held.frame.n_samples, held.frame.duration_ns
        delay_ns = held.received_ns - frame.t_ns - lasts_ns
        end = self._end or _End(frame.t_ns, frame.t_ns, 0, 0, None)
        gap = self._gap(end, frame, lost, delay_ns)
        shape = (frame.fs_hz, frame.leads)
        is_anew = gap.is_break or end.shape != shape or gap.samples > MAX_GAP_S * frame.fs_hz
        if is_anew and self._end is not None:
            self._epoch += 1
        missing = 0 if is_anew else gap.samples
        sample = 0 if is_anew else end.sample + missing
        ahead_ns = 0 if gap.is_break else end.told_ns - end.read_ns - gap.step_ns
        piece = Piece(
            frame,
            self._epoch,
            sample,
            frame.t_ns + ahead_ns,
            missing,
            gap.length_ns / NS,
            bool(ahead_ns or gap.step_ns),
        )
        if ahead_ns:
            slewed_ns = min(abs(ahead_ns), lasts_ns // SLEW)
            ahead_ns += slewed_ns if ahead_ns < 0 else -slewed_ns
        end_ns = frame.t_ns + lasts_ns
        self._end = _End(end_ns, end_ns + ahead_ns, sample + n, n, shape)
        self._is_restarted = False
        self._least_delay_ns = min(self._least_delay_ns, delay_ns)
        return piece

    def _gap(self, end: _End, frame: Frame, lost: int, delay_ns: int) -> _Gap:
        """What is between the end of the stream and a frame, by numbers and by the clock."""
        by_clock_ns = frame.t_ns - end.read_ns
        if not (lost or self._is_restarted) and -STEP_NS <= by_clock_ns <= STEP_NS:
            return _NO_GAP
        n = end.n_samples or frame.n_samples
        fs_hz = end.shape[0] if end.shape else frame.fs_hz
        by_number = _Gap(round(lost * n / fs_hz * NS), lost * n)
        if self._is_restarted:  # its clock may be another one, too
            self._least_delay_ns = 0
            return by_number._replace(is_break=True)
        off_ns = by_clock_ns - by_number.length_ns
        tolerance_ns = STEP_NS + DRIFT * (by_number.length_ns + n / fs_hz * NS)
        if abs(off_ns) <= tolerance_ns:
            return by_number
        by_clock = _Gap(max(0, by_clock_ns), max(0, round(by_clock_ns / NS * frame.fs_hz)))
        is_possible = delay_ns >= self._least_delay_ns - STEP_NS
        if off_ns > MAX_PAUSE_NS and is_possible:
            self.counts.clock_steps += 1
            return by_number._replace(step_ns=off_ns, is_break=True)
        if off_ns > 0 and is_possible:
            self.counts.pauses += lost == 0
            return by_clock
        if lost and n != frame.n_samples and by_clock_ns >= 0:
            return by_clock  # frames of unequal length: how long those were, only the clock knows
        self.counts.clock_steps += 1
        self._least_delay_ns = min(0, self._least_delay_ns - off_ns)
        return by_number._replace(step_ns=off_ns)
