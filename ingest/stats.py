"""The figures of a replay."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(slots=True)
class Stats:
    """What became of the frames, exactly.

    Attributes
    ----------
    published : int
        Frames that the broker has acknowledged, each counted once: what a server must have stored.
    lead_off, reordered : int
        Those among them with a lead off; those sent after their follower.
    duplicated, malformed : int
        Messages beside them that the broker has acknowledged: second copies, damaged frames.
    dropped_on_purpose : int
        Frames never sent.
    disconnects, restarts : int
    unacknowledged : int
        Messages on their way to the broker, those that say online or offline among them.
    refused : int
        Messages given up because 65,535 waited already for a broker that is away.
    late_max_s : float
        The furthest that a frame was handed over after it was due.
    """

    published: int = 0
    lead_off: int = 0
    reordered: int = 0
    duplicated: int = 0
    malformed: int = 0
    dropped_on_purpose: int = 0
    disconnects: int = 0
    restarts: int = 0
    unacknowledged: int = 0
    refused: int = 0
    late_max_s: float = 0.0

    def add(self, other: Stats) -> None:
        """Take another's figures in."""
        for each in fields(self):
            ours, theirs = getattr(self, each.name), getattr(other, each.name)
            together = max(ours, theirs) if each.name == "late_max_s" else ours + theirs
            setattr(self, each.name, together)
