"""What a screen needs: a short piece of signal with its beats and numbers, for the topic `…/live`.

One message is a little-endian `uint32` (length of the header in bytes), the header (JSON, padded
with spaces so that the samples are aligned to 4 bytes), and the samples, int16, lead after lead.
A browser reads it with `JSON.parse` and `Int16Array` and copies nothing; see docs/wire.md.
"""

from __future__ import annotations

import json
import math
import struct
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

_LENGTH = struct.Struct("<I")


@dataclass(frozen=True, slots=True, eq=False)
class LiveChunk:
    """A piece of one bed's signal on its way to the screens.

    Attributes
    ----------
    ward, bed : str
    epoch : int
        Changes when the stream began anew (device restarted, other rate or leads): a screen
        then forgets what it had.
    sample : int
        Index of the first sample since the start of the epoch. A number higher than expected
        means that samples are missing in between: the screen leaves a gap.
    t_ns : int
        Time of the first sample, UTC.
    fs_hz : float
    leads : tuple of str, [n_leads]
    lsb_uv : tuple of float, [n_leads]
    x : int16 [n_leads, n_samples]
        `ecg.frame.MISSING` where there is none.
    beats : tuple of (sample, WFDB code)
        Beats whose class became known with this chunk; their samples may lie before it.
    quality : tuple of int, [n_leads]
        `QualityCode` of the last second of each lead.
    hr_bpm : float or None
    pvc_per_min : float or None
        Ventricular beats of the last 60 s.
    rhythms : tuple of str, or None
        Rhythms that go on, as texts of WFDB annotations (`(AFIB`), the most urgent first; empty
        when there is none of those that are told apart, None when nothing can be said.
    """

    ward: str
    bed: str
    epoch: int
    sample: int
    t_ns: int
    fs_hz: float
    leads: tuple[str, ...]
    lsb_uv: tuple[float, ...]
    x: NDArray[np.int16]
    beats: tuple[tuple[int, str], ...] = ()
    quality: tuple[int, ...] = ()
    hr_bpm: float | None = None
    pvc_per_min: float | None = None
    rhythms: tuple[str, ...] | None = None


def encode_live(chunk: LiveChunk) -> bytes:
    """The message that `decode_live` reads."""
    fields = asdict(replace(chunk, x=np.empty((0, 0), np.int16)))
    del fields["x"]
    # a browser's numbers hold 53 bits: nanoseconds since 1970 need 61
    fields["t_ns"] = str(chunk.t_ns)
    for name in ("hr_bpm", "pvc_per_min"):
        if fields[name] is not None and not math.isfinite(fields[name]):
            fields[name] = None
    header = json.dumps(fields, separators=(",", ":"), allow_nan=False).encode()
    header += b" " * (-(len(header) + _LENGTH.size) % 4)
    return _LENGTH.pack(len(header)) + header + chunk.x.astype("<i2", copy=False).tobytes()


def decode_live(payload: bytes) -> LiveChunk:
    """The chunk in a message.

    Raises
    ------
    ValueError
        If the message is cut short or its header does not fit.
    """
    if len(payload) < _LENGTH.size:
        raise ValueError("live message is shorter than its length field")
    (size,) = _LENGTH.unpack_from(payload)
    body = payload[_LENGTH.size + size :]
    fields: dict[str, Any] = json.loads(payload[_LENGTH.size : _LENGTH.size + size])
    leads = tuple(fields.pop("leads"))
    x = np.frombuffer(body, "<i2")
    if not leads or x.size % len(leads):
        raise ValueError(f"{x.size} samples cannot be shared by {len(leads)} leads")
    beats = tuple((int(s), str(c)) for s, c in fields.pop("beats"))
    rhythms = fields.pop("rhythms", None)
    lsb_uv, quality = tuple(fields.pop("lsb_uv")), tuple(fields.pop("quality"))
    t_ns = int(fields.pop("t_ns"))
    return LiveChunk(
        **fields,
        t_ns=t_ns,
        leads=leads,
        lsb_uv=lsb_uv,
        quality=quality,
        beats=beats,
        rhythms=None if rhythms is None else tuple(str(text) for text in rhythms),
        x=x.reshape(len(leads), -1),
    )
