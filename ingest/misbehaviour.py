"""What can be wrong with a device: asked for by number, done by `ingest.player`."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from enum import StrEnum

from ecg import BadSetting, Frame, Record

_SHARES = ("drop", "duplicate", "reorder", "malformed")


@dataclass(frozen=True, slots=True)
class Spells:
    """Something that comes back: it begins every `every_s` and lasts `for_s`."""

    every_s: float
    for_s: float

    def __post_init__(self) -> None:
        if not (0 < self.every_s < math.inf and 0 < self.for_s < self.every_s):
            raise BadSetting(
                f"spells of {self.for_s:g} s every {self.every_s:g} s: "
                "each must last, and end before the next"
            )

    def cover(self, from_s: float, to_s: float) -> bool:
        """Whether a spell touches the time `from_s` up to `to_s`; the first is at `every_s`."""
        began_s = math.floor(from_s / self.every_s) * self.every_s
        is_within = began_s > 0 and from_s - began_s < self.for_s
        return is_within or began_s + self.every_s < to_s


@dataclass(frozen=True, slots=True)
class ClockStep:
    """The device's clock jumps by `by_s` (negative: back) when the stream is `at_s` old."""

    at_s: float
    by_s: float


@dataclass(frozen=True, slots=True)
class Misbehaviour:
    """How a simulated device misbehaves; as it stands, not at all.

    Attributes
    ----------
    drop, duplicate, reorder, malformed : float
        Share of frames, 0 to 1, that are not sent; sent twice; sent after the frame that follows;
        sent with damaged bytes. At most one of these befalls a frame, so they add up to 1 at most.
    jitter_s : float
        Frames leave up to this much late, evenly distributed; their order stays.
    disconnect : Spells, optional
        The connection breaks. Frames taken meanwhile are kept by the device and sent afterwards.
    restart_every_s : float, optional
        The device restarts: `boot` changes, `seq` begins again at 0; no sample is lost.
    drift_ppm : float
        The device's clock is fast by so many millionths; its samples are not.
    clock_step : ClockStep, optional
    lead_off : Spells, optional
        Lead `lead_off_lead` loses contact: its bit is set in each frame that a spell touches, and
        its samples there stand at the rail.
    lead_off_lead : int
    snr_db : float, optional
        Noise is added: power of the signal about its mean over power of the noise, each lead for
        itself.
    noise : Record, optional
        The noise, begun again when it ends; without it, white Gaussian noise.
    seed : int
        Same seed and same device: the same deeds, the same noise.

    Raises
    ------
    BadSetting
        For a number that makes no sense.
    """

    drop: float = 0.0
    duplicate: float = 0.0
    reorder: float = 0.0
    malformed: float = 0.0
    jitter_s: float = 0.0
    disconnect: Spells | None = None
    restart_every_s: float | None = None
    drift_ppm: float = 0.0
    clock_step: ClockStep | None = None
    lead_off: Spells | None = None
    lead_off_lead: int = 0
    snr_db: float | None = None
    noise: Record | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, float) and not math.isfinite(value):
                raise BadSetting(
                    f"misbehaviour: {field.name} is {value}; a finite number is needed"
                )
        shares = [getattr(self, name) for name in _SHARES]
        if min(shares) < 0 or sum(shares) > 1 + 1e-9:
            raise BadSetting(
                f"misbehaviour: {', '.join(_SHARES)} are shares of frames: "
                "none below 0, together at most 1"
            )
        if self.jitter_s < 0:
            raise BadSetting(f"misbehaviour: jitter_s is {self.jitter_s:g}; it cannot be negative")
        if self.restart_every_s is not None and self.restart_every_s <= 0:
            raise BadSetting(f"misbehaviour: restart_every_s is {self.restart_every_s:g}; above 0")

    def fate(self, chance: float) -> MisdeedKind | None:
        """What befalls a frame, by a random number from 0 up to 1."""
        for kind, share in zip(_FATES, (getattr(self, name) for name in _SHARES), strict=True):
            if chance < share:
                return kind
            chance -= share
        return None


WELL_BEHAVED = Misbehaviour()


class MisdeedKind(StrEnum):
    """What a device did."""

    DROPPED = "dropped"
    DUPLICATED = "duplicated"
    REORDERED = "reordered"
    MALFORMED = "malformed"
    DISCONNECTED = "disconnected"
    RESTARTED = "restarted"


_FATES = (
    MisdeedKind.DROPPED,
    MisdeedKind.DUPLICATED,
    MisdeedKind.REORDERED,
    MisdeedKind.MALFORMED,
)


@dataclass(frozen=True, slots=True, eq=False)
class Misdeed:
    """One thing that a device does wrong.

    Attributes
    ----------
    kind : MisdeedKind
    frame : Frame or None
        The frame that is not sent (DROPPED), sent again (DUPLICATED), sent only now, after its
        follower (REORDERED), or sent damaged (MALFORMED).
    for_s : float
        How long the connection stays broken (DISCONNECTED).
    damage : int
        Which of the `damage` it is (MALFORMED).
    """

    kind: MisdeedKind
    frame: Frame | None = None
    for_s: float = 0.0
    damage: int = 0


N_DAMAGES = 6


def damage(payload: bytes, which: int) -> bytes:
    """A message that is no frame any more: cut short, or something else altogether.

    Parameters
    ----------
    payload : bytes
        A frame, encoded.
    which : int, 0 to N_DAMAGES - 1
    """
    return (
        payload[: len(payload) // 2],
        payload[:-1],
        b"",
        b"\xff" * 16,  # no CBOR
        b"\x83\x01\x02\x03",  # CBOR, but a list
        b"\xa1\x61v\x01",  # a map without the fields of a frame
    )[which]
