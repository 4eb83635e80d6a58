"""Annotations as the bytes of WFDB's MIT format (WFDB Applications Guide, "annot(5)").

The `wfdb` package writes the same bytes, one mark after the other in Python: for a half-hour record
that takes longer than to find the beats.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ecg import Annotations, BadRecord

_SKIP, _NOTE, _SUBTYPE, _AUX = 59, 22, 61, 63  # codes of what is no mark
_FARTHEST = 1023  # samples from mark to mark that the mark itself can tell
_LAST = 0x7FFFFFFF
_AUX_LONGEST = 255


def encode(
    annotations: Annotations, codes: dict[str, int], fs_hz: float | None = None
) -> NDArray[np.uint8]:
    """The content of an annotation file.

    Parameters
    ----------
    annotations : Annotations
    codes : dict of str to int
        WFDB's number of each symbol.
    fs_hz : float, optional
        Rate at which samples count; the file then tells it.

    Raises
    ------
    BadRecord
        If marks are out of order, or a text is longer than 255 characters.
    """
    gap = np.diff(annotations.sample, prepend=0)
    if gap.min(initial=0) < 0 or gap.max(initial=0) > _LAST:
        raise BadRecord("marks are out of order, before the record, or too far apart")
    code = np.array([codes[symbol] for symbol in annotations.symbol], np.int64)
    far = gap > _FARTHEST
    word = (code << 10 | np.where(far, 0, gap)).astype("<u2").tobytes()
    extras = {int(i): _skip(int(gap[i])) for i in np.flatnonzero(far)}
    behind = {i: _words(_SUBTYPE << 10 | s & 255) for i, s in enumerate(annotations.subtype) if s}
    for i, text in enumerate(annotations.aux):
        if text:
            behind[i] = behind.get(i, b"") + _text(text)
    parts, done = [_rate(fs_hz)], 0
    for i in sorted(extras.keys() | behind.keys()):
        parts += [word[2 * done : 2 * i], extras.get(i, b""), word[2 * i : 2 * i + 2]]
        parts.append(behind.get(i, b""))
        done = i + 1
    content = b"".join([*parts, word[2 * done :], _words(0)])
    return np.frombuffer(content, np.uint8)


def _words(*values: int) -> bytes:
    return np.array(values, "<u2").tobytes()


def _skip(gap: int) -> bytes:
    return _words(_SKIP << 10, gap >> 16, gap & 0xFFFF)


def _text(text: str) -> bytes:
    content = text.encode("latin-1", "replace")
    if len(content) > _AUX_LONGEST:
        raise BadRecord(f"a mark's text is longer than {_AUX_LONGEST} characters: {text[:40]!r}…")
    return _words(_AUX << 10 | len(content)) + content + b"\0" * (len(content) % 2)


def _rate(fs_hz: float | None) -> bytes:
    """The note that tells the rate, and the mark that ends such notes."""
    if fs_hz is None:
        return b""
    whole = round(fs_hz, 8) == int(fs_hz)
    note = _text(f"## time resolution: {int(fs_hz) if whole else fs_hz}")
    return _words(_NOTE << 10) + note + _words(_SKIP << 10, 0xFFFF, 0xFFFF, 1)
