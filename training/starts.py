"""Cold starts to learn from: pieces of records, simulated patients, and noise without a heart."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from archive.find import find_records
from archive.read import read_annotations, read_record
from dsp.synth import (
    AF,
    SVT,
    VT,
    CompleteBlock,
    Flutter,
    Mobitz2,
    Noise,
    Paced,
    Patient,
    Segment,
    Sinus,
    simulate,
)
from ecg import Annotations
from training.disturb import nstdb
from training.judge_cases import Case, electrode_noise
from training.judge_rows import records, troubles

LENGTH_S = 40.0
OF_RECORD = 24  # starts of each record as it is
OF_TROUBLE = 6  # and of each record with each trouble
N_SIMULATED = 300
N_SILENT = 120
FIRST_SIMULATED, FIRST_SILENT, FIRST_LUDB = 1000, 2000, 3000  # numbers of patients
LUDB_LEADS = ("i", "ii", "v1", "v2", "v5")
FS_HZ = 360.0
TROUBLES = (
    "muscle 6 dB", "muscle 12 dB", "electrode -6 to 8 dB", "jumps of height", "hearts that stop",
    "runs out of the ventricles",
)  # fmt: skip

Sources = Iterator[tuple[str, list[Case]]]


def sources(data: Path, seed: int) -> Sources:
    """Name of a source, and its cold starts, all of one rate and number of leads."""
    rng = np.random.default_rng([seed, 1])
    yield from of_records(data, rng)
    hearts = [simulated(FIRST_SIMULATED + i, rng) for i in range(N_SIMULATED)]
    yield "simulated, both leads", hearts
    yield "simulated, lead 1", [case.lead(0) for case in hearts]
    noise = nstdb(data).astype(np.float64)
    still = [silent(FIRST_SILENT + i, noise, rng) for i in range(N_SILENT)]
    yield "no heart, two leads", still
    yield "no heart, one lead", [case.lead(0) for case in still]
    if (data / "ludb").is_dir():
        yield from of_ludb(data / "ludb", rng)


def of_records(data: Path, rng: np.random.Generator) -> Sources:
    """Records of mitdb, as they are and with troubles, begun anywhere."""
    both = records(data)
    sets: list[tuple[str, list[Case], int]] = [
        ("both leads", both, OF_RECORD),
        ("lead 1", [case.lead(0) for case in both], OF_RECORD),
        ("lead 2", [case.lead(1) for case in both], OF_TROUBLE),
    ]
    for name, cases, count in sets:
        yield name, [piece for case in cases for piece in begun(case, count, rng)]
    made: dict[str, Callable[..., Case]] = {n: t for n, (t, _) in troubles(data).items()}
    for name in TROUBLES:
        for n_leads, title in ((2, "both leads"), (1, "lead 1")):
            heads = [replace(case, x_mv=case.x_mv[:n_leads]).until(900.0) for case in both]
            cases = [made[name](case, rng=rng) for case in heads]
            pieces = [piece for case in cases for piece in begun(case, OF_TROUBLE, rng)]
            yield f"{name}, {title}", pieces


def begun(case: Case, count: int, rng: np.random.Generator) -> list[Case]:
    """The case, begun at random places."""
    length = round(LENGTH_S * case.fs_hz)
    begins = rng.integers(0, case.x_mv.shape[1] - length, count)
    return [piece(case, int(begin), length) for begin in begins]


def piece(case: Case, begin: int, length: int) -> Case:
    """A part of a case; its samples are counted from there. VF that goes on is kept."""
    truth = case.truth
    keep = [i for i in range(len(truth.symbol)) if begin <= truth.sample[i] < begin + length]
    before = [i for i, s in enumerate(truth.symbol) if s in "[]" and truth.sample[i] < begin]
    if before and truth.symbol[before[-1]] == "[":
        keep.insert(0, before[-1])
    marks = Annotations(
        np.maximum(truth.sample[keep] - begin, 0),
        tuple(truth.symbol[i] for i in keep),
        tuple(truth.aux[i] for i in keep),
    )
    x_mv = np.ascontiguousarray(case.x_mv[:, begin : begin + length])
    return replace(case, x_mv=x_mv, truth=marks)


def simulated(patient: int, rng: np.random.Generator) -> Case:
    """A simulated patient in one rhythm, from the middle of it on; wide complexes often."""
    heart = Patient(
        qrs_mv=float(rng.uniform(0.4, 2.0)),
        qrs_ms=float(rng.uniform(50, 160)),
        p_mv=float(rng.uniform(0.05, 0.25)),
        t_mv=float(rng.uniform(0.05, 1.2)),
        shape=str(rng.choice(["normal", "lbbb", "rbbb"])),
    )
    length_s = LENGTH_S + 10
    rhythms: tuple[Callable[[], Segment], ...] = (
        lambda: Sinus(length_s, bpm=float(rng.uniform(40, 170))),
        lambda: Sinus(length_s, bpm=float(rng.uniform(15, 50))),
        lambda: Sinus(length_s, bpm=70, pattern="NNNV"),
        lambda: Sinus(length_s, bpm=80, pattern="NV"),
        lambda: AF(length_s, bpm=float(rng.uniform(70, 160))),
        lambda: SVT(length_s, bpm=float(rng.uniform(150, 240))),
        lambda: VT(length_s, bpm=float(rng.uniform(110, 220))),
        lambda: VT(length_s, bpm=float(rng.uniform(110, 220))),
        lambda: CompleteBlock(length_s),
        lambda: Paced(length_s, bpm=float(rng.uniform(50, 110))),
        lambda: Paced(length_s, bpm=float(rng.uniform(50, 110))),
        lambda: Flutter(length_s),
        lambda: Mobitz2(length_s),
    )
    segment = rhythms[int(rng.integers(0, len(rhythms)))]()
    noise = [
        Noise("baseline", rms_mv=float(rng.uniform(0.01, 0.1))),
        Noise("muscle", rms_mv=float(np.exp(rng.uniform(np.log(0.002), np.log(0.06))))),
    ]
    if rng.random() < 0.3:
        kind = str(rng.choice(["muscle", "electrode", "powerline"]))
        noise.append(Noise(kind, snr_db=float(rng.uniform(4, 20))))
    seed = int(rng.integers(1, 10**6))
    made = simulate(
        [segment], fs_hz=FS_HZ, leads=("II", "V1"), seed=seed, noise=noise, patient=heart
    )
    whole = Case(patient, made.record.x_mv, FS_HZ, made.truth.atr)
    begin, length = int(rng.uniform(0, 9) * FS_HZ), round(LENGTH_S * FS_HZ)
    return piece(whole, begin, length)


def silent(patient: int, noises: NDArray[np.float64], rng: np.random.Generator) -> Case:
    """Two leads of noise: white or of muscles, electrodes, drift; steady, waxing, or in bursts."""
    n = round(LENGTH_S * FS_HZ)
    t_s = np.arange(n) / FS_HZ
    period_s, phase = rng.uniform(1, 20), rng.uniform(0, 2 * np.pi)
    wave = np.sin(2 * np.pi * t_s / period_s + phase)
    swell = np.exp(float(rng.choice([0.0, 0.5, 1.0, 2.0])) * wave)
    kind = int(rng.integers(0, 4))
    if kind == 0:
        width = int(rng.integers(1, 8))
        x = rng.normal(0.0, 1.0, (2, n + width))
        x = np.array([np.convolve(lead, np.full(width, 1 / width), "same")[:n] for lead in x])
    elif kind == 1:
        x = electrode_noise(n, FS_HZ, rng)
    else:
        shift = int(rng.integers(0, noises.shape[1] - n))
        x = noises[2:, shift : shift + n] + float(kind == 3) * noises[:2, shift : shift + n]
    x = x * swell + float(rng.uniform(0, 0.3)) * x.std() * rng.normal(0.0, 1.0, (2, n))
    if rng.random() < 0.2:
        x += x.std() * rng.uniform(0.2, 2) * np.sin(2 * np.pi * float(rng.choice([50, 60])) * t_s)
    x *= np.exp(rng.uniform(np.log(0.01), 0.0)) / x.std()
    return Case(patient, x.astype(np.float32), FS_HZ, Annotations(np.zeros(0, np.int64), (), ()))


def of_ludb(folder: Path, rng: np.random.Generator) -> Sources:
    """The Lobachevsky University records, each lead by itself, from random places on.

    Only the part that is annotated counts: what lies ahead is marked as a stretch to pass over.
    """
    cases = []
    for i, path in enumerate(find_records([folder / "data"])):
        record = read_record(path, leads=None)
        for name in rng.choice(LUDB_LEADS, 2, replace=False):
            truth = read_annotations(path, str(name))
            beats = np.array(
                [s for s, c in zip(truth.sample, truth.symbol, strict=True) if c == "N"]
            )
            if beats.size < 3:
                continue
            index = [lead.lower() for lead in record.leads].index(str(name))
            begin = int(rng.uniform(0, beats[0]))
            end = int(beats[-1] + 0.3 * record.fs_hz)
            marks = beats - begin
            pauses = np.array([0, max(0, marks[0] - int(0.2 * record.fs_hz))])
            truth = Annotations(
                np.r_[pauses, marks], ("[", "]") + ("N",) * marks.size, ("",) * (marks.size + 2)
            )
            x_mv = np.ascontiguousarray(record.x_mv[index : index + 1, begin:end])
            cases.append(Case(FIRST_LUDB + i, x_mv, record.fs_hz, truth))
    yield "LUDB, one lead", cases
