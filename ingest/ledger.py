"""What is known of the frames of one start of a device: which came, and which were given up."""

from __future__ import annotations

from collections import OrderedDict
from enum import Enum

MAX_HOLES = 256
MAX_RECENT = 256


class Old(Enum):
    """What a frame is whose turn is over."""

    DUPLICATE = "it was delivered before"
    LATE = "it had been given up as lost, and was counted so"
    UNCOUNTED = "it was taken before we began to listen, and not counted as lost"


class Ledger:
    """Frame numbers of one `boot`: all below `next_seq` are settled.

    Memory is bounded: of the stretches given up the last 256 are remembered; a frame of an older
    one counts as a duplicate.
    """

    def __init__(self, boot: int, next_seq: int = 0) -> None:
        self.boot = boot
        self.next_seq = next_seq
        self._unheard = 0
        self._holes: list[tuple[int, int]] = []
        self._recent: OrderedDict[int, int] = OrderedDict()  # t_ns by seq

    def begin_at(self, seq: int) -> None:
        """Frames before `seq` were sent before we listened: they are not missed."""
        self._unheard = self.next_seq = seq

    def deliver(self, seq: int, t_ns: int) -> None:
        """The frame whose turn it is, `next_seq`, is delivered."""
        self._remember(seq, t_ns)
        self.next_seq = seq + 1

    def give_up(self, seq: int) -> int:
        """All frames before `seq` that have not come are lost; how many."""
        lost = seq - self.next_seq
        if lost > 0:
            self._holes.append((self.next_seq, seq))
            del self._holes[:-MAX_HOLES]
            self.next_seq = seq
        return max(0, lost)

    def settle(self, seq: int, t_ns: int) -> Old:
        """What a frame below `next_seq` is; the next one of its number is a duplicate."""
        for i, (begin, end) in enumerate(self._holes):
            if begin <= seq < end:
                self._holes[i : i + 1] = [h for h in ((begin, seq), (seq + 1, end)) if h[0] < h[1]]
                self._remember(seq, t_ns)
                return Old.LATE
        if seq < self._unheard and seq not in self._recent:
            self._remember(seq, t_ns)
            return Old.UNCOUNTED
        return Old.DUPLICATE

    def is_delivered(self, seq: int, t_ns: int) -> bool:
        """Whether exactly this frame is known to have come: not another of its number."""
        return self._recent.get(seq) == t_ns

    def rewind(self, seq: int) -> int:
        """The device counts from `seq` on again; how many frames were wrongly given up."""
        spared = sum(end - max(begin, seq) for begin, end in self._holes if end > seq)
        self._holes = [(b, min(e, seq)) for b, e in self._holes if b < seq]
        self.next_seq = seq
        return spared

    def _remember(self, seq: int, t_ns: int) -> None:
        self._recent[seq] = t_ns
        while len(self._recent) > MAX_RECENT:
            self._recent.popitem(last=False)
