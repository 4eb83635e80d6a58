"""Waveform chunks as bytes: second differences, zigzag, byte planes, Zstandard.

An ECG changes slowly, so second differences are small numbers of either sign; zigzag makes them
small numbers without sign, whose upper bytes are nearly all zero once they stand together. Each
step is exact in arithmetic modulo 2**16: what comes out is what went in, for any samples. The
measurements that chose it are in docs/benchmarks.md (`python -m benchmarks.store`).
"""

from __future__ import annotations

import numpy as np
import zstandard
from numpy.typing import NDArray

from ecg.errors import StoreError

_FORMAT = b"\x01"  # first byte of a chunk: another way to pack would be another number
_LEVEL = 1  # higher levels cost time and save less than 1 %
_MAX_BYTES = 64 << 20  # no chunk unpacks to more: a damaged header must not take all memory


class WaveformCodec:
    """Packs and unpacks chunks; for one thread at a time."""

    def __init__(self) -> None:
        self._compressor = zstandard.ZstdCompressor(level=_LEVEL)
        self._decompressor = zstandard.ZstdDecompressor()

    def encode(self, x: NDArray[np.int16]) -> bytes:
        """Bytes of int16 [n_leads, n_samples]."""
        return _FORMAT + self._compressor.compress(pack(x))

    def decode(self, blob: bytes, n_leads: int) -> NDArray[np.int16]:
        """The samples, int16 [n_leads, n_samples].

        Raises
        ------
        StoreError
            If the bytes are damaged.
        """
        if blob[:1] != _FORMAT:
            raise StoreError(f"waveform chunk of unknown format {blob[:1].hex() or 'empty'}")
        try:
            planes = self._decompressor.decompress(blob[1:], max_output_size=_MAX_BYTES)
            return unpack(planes, n_leads)
        except (zstandard.ZstdError, ValueError) as error:
            raise StoreError(f"waveform chunk is damaged: {error}") from error


def pack(x: NDArray[np.int16]) -> bytes:
    """Samples as byte planes that compress well."""
    steps = _differences(_differences(x))
    zigzag = ((steps << 1) ^ (steps >> 15)).astype("<i2", copy=False)
    return np.ascontiguousarray(zigzag.view(np.uint8).reshape(-1, 2).T).tobytes()


def unpack(planes: bytes, n_leads: int) -> NDArray[np.int16]:
    """What `pack` was given; ValueError if the bytes cannot be shared by `n_leads` leads."""
    pairs = np.ascontiguousarray(np.frombuffer(planes, np.uint8).reshape(2, -1).T)
    zigzag = pairs.view("<u2").reshape(n_leads, -1)
    steps = ((zigzag >> 1) ^ -(zigzag & 1)).view(np.int16)
    once = np.cumsum(steps, axis=1, dtype=np.int16)
    return np.cumsum(once, axis=1, dtype=np.int16)


def _differences(x: NDArray[np.int16]) -> NDArray[np.int16]:
    out = np.array(x, np.int16, order="C")
    np.subtract(x[:, 1:], x[:, :-1], out=out[:, 1:])
    return out
