"""Cases from which the judge of peaks learns: real records, as they are and with troubles added.

Troubles are drawn at random from a seed: noise of real electrodes and muscles at many ratios,
leads whose height jumps or that fall off, hearts that stop. Simulated patients add rhythms that
the records lack.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from dsp.synth import (
    AF,
    SVT,
    VT,
    Asystole,
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
from dsp.synth.noise import noise_power, signal_power
from ecg import Annotations
from ecg.codes import BEAT_CODES

TURN_S = 120.0
FAR_SHARE = 0.35  # of simulated patients: with tall P waves and long PR intervals
FADE = 36  # samples over which noise comes and goes


@dataclass(frozen=True)
class Case:
    """A signal with its true beats; `patient` keeps cases of one heart together.

    unsure : samples where there may be a beat: nothing is learnt there
    """

    patient: int
    x_mv: NDArray[np.float32]
    fs_hz: float
    truth: Annotations
    unsure: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))

    @property
    def r_samples(self) -> NDArray[np.int64]:
        """Samples of the true beats."""
        return self.truth.sample[[symbol in BEAT_CODES for symbol in self.truth.symbol]]

    def lead(self, index: int) -> Case:
        """One lead alone."""
        return replace(self, x_mv=self.x_mv[index : index + 1])

    def until(self, end_s: float) -> Case:
        """The first part."""
        n = round(end_s * self.fs_hz)
        return replace(self, x_mv=self.x_mv[:, :n], truth=_kept(self.truth, self.truth.sample < n))


def _kept(truth: Annotations, keep: NDArray[np.bool_]) -> Annotations:
    return _chosen(truth, np.flatnonzero(keep))


def _chosen(truth: Annotations, index: NDArray[np.int64]) -> Annotations:
    return Annotations(
        truth.sample[index],
        tuple(truth.symbol[i] for i in index),
        tuple(truth.aux[i] for i in index),
        tuple(truth.subtype[i] for i in index) if truth.subtype else (),
    )


def with_noise(
    case: Case,
    noises: list[NDArray[np.float64]],
    ratio_db: float | None,
    rng: np.random.Generator,
    from_s: tuple[float, float] = (30.0, 200.0),
) -> Case:
    """Noise in turns of two minutes; at one ratio, or each turn at another one of -6 to 8 dB.

    from_s : earliest and latest begin of the first turn
    """
    n = case.x_mv.shape[1]
    turns = np.zeros(n)
    turn = round(TURN_S * case.fs_hz)
    for begin in range(int(rng.uniform(*from_s) * case.fs_hz), n, 2 * turn):
        db = rng.uniform(-6, 8) if ratio_db is None else ratio_db
        turns[begin : begin + turn] = 10 ** (-db / 20)
    turns = np.convolve(turns, np.full(FADE, 1 / FADE), "same")
    y = case.x_mv.astype(np.float64)
    shift = int(rng.integers(0, n))
    for noise in noises:
        for i, lead in enumerate(y):
            course = np.roll(np.resize(noise[i % len(noise)], n), shift)
            course = course - course.mean()
            power = signal_power(case.x_mv[i].astype(np.float64), case.r_samples, case.fs_hz)
            lead += np.sqrt(power / noise_power(course, case.fs_hz)) * course * turns
    return replace(case, x_mv=y.astype(np.float32))


def with_jumps(case: Case, rng: np.random.Generator) -> Case:
    """Every 20 to 120 s another height of each lead; of two leads one is off half of the time."""
    x, fs_hz = case.x_mv.copy(), case.fs_hz
    for lead in x:
        for begin, end in _stretches(x.shape[1], fs_hz, rng):
            lead[begin:end] *= np.float32(np.exp(rng.uniform(-1.5, 1.0)))
    if len(x) > 1:
        for begin, end in _stretches(x.shape[1], fs_hz, rng):
            which = rng.integers(0, 4)
            if which < len(x):
                x[which, begin:end] = np.nan if rng.random() < 0.5 else 0.0
    return replace(case, x_mv=x)


def _stretches(n: int, fs_hz: float, rng: np.random.Generator) -> Iterator[tuple[int, int]]:
    begin = 0
    while begin < n:
        end = min(n, begin + int(rng.uniform(20, 120) * fs_hz))
        yield begin, end
        begin = end


def with_stops(case: Case, noise: NDArray[np.float64], rng: np.random.Generator) -> Case:
    """Hearts that stop for 4 to 40 s above a floor of noise, some with P waves that go on."""
    fs_hz, r = case.fs_hz, case.r_samples
    y, keep = case.x_mv.astype(np.float64), np.ones(case.truth.sample.size, np.bool_)
    begin = int(rng.uniform(60, 120) * fs_hz)
    while begin < y.shape[1] - 60 * fs_hz:
        first = int(np.searchsorted(r, begin))
        last = int(np.searchsorted(r, begin + int(rng.uniform(8, 40) * fs_hz)))
        if first < 1 or last >= r.size:
            break
        begin, end = int(r[first - 1] + 0.55 * fs_hz), int(r[last] - 0.25 * fs_hz)
        if end - begin >= 4 * fs_hz:
            for i, lead in enumerate(y):
                power = signal_power(lead, r[max(0, first - 20) : first + 1], fs_hz)
                floor = _floor(end - begin, fs_hz, noise[i % len(noise)], rng)
                line = np.linspace(lead[begin - 1], lead[end], end - begin)
                lead[begin:end] = line + np.sqrt(8 * power) * floor
            sample = case.truth.sample
            keep &= (sample < begin - 0.05 * fs_hz) | (sample >= end)
        begin = end + int(rng.uniform(40, 150) * fs_hz)
    return replace(case, x_mv=y.astype(np.float32), truth=_kept(case.truth, keep))


def _floor(
    n: int, fs_hz: float, noise: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float64]:
    """What is left when the heart stands still, in heights of its QRS complexes."""
    level = 10 ** rng.uniform(-3, -0.9)
    if rng.random() < 0.5:
        course = rng.normal(0.0, 1.0, n)
    else:
        begin = int(rng.integers(0, noise.size - n))
        course = noise[begin : begin + n] - noise[begin : begin + n].mean()
        course = course / course.std()
    course = level * course
    if rng.random() < 0.6:
        t_s = np.arange(n) / fs_hz
        every_s, width_s = rng.uniform(0.5, 1.2), rng.uniform(0.015, 0.035)
        away = (t_s % every_s - every_s / 2) / width_s
        course = course + rng.choice([-1.0, 1.0]) * rng.uniform(0.05, 0.25) * np.exp(-0.5 * away**2)
    return np.asarray(course)


def with_runs(case: Case, rng: np.random.Generator) -> Case:
    """Runs of 1 to 40 wide, smooth beats out of the ventricles, 100 to 250 a minute, no noise.

    Each run has its own width (120 to 220 ms), shape and, lead by lead, its own height (0.4 to 2.5
    QRS heights) and direction. The signal beneath goes straight on from end to end.
    """
    fs_hz, r = case.fs_hz, case.r_samples
    y, keep = case.x_mv.astype(np.float64), np.ones(case.truth.sample.size, np.bool_)
    added: list[int] = []
    begin = int(rng.uniform(40, 80) * fs_hz)
    while begin < y.shape[1] - 40 * fs_hz:
        every_s, count = 60.0 / rng.uniform(100, 250), int(np.exp(rng.uniform(0, np.log(40))))
        first = int(np.searchsorted(r, begin))
        begin = int(r[min(first, r.size - 1)] + 0.35 * fs_hz)
        last = int(np.searchsorted(r, begin + int((count * every_s + 0.5) * fs_hz)))
        if last >= r.size:
            break
        end = int(r[last] - 0.25 * fs_hz)
        at = begin + np.cumsum(rng.normal(every_s, 0.01 * every_s, count)) * fs_hz
        at = at[at < end - 0.1 * fs_hz]
        shape, peak = _wide(np.arange(begin, end), at, fs_hz, rng)
        for lead in y:
            power = signal_power(lead, r[max(0, first - 20) : first + 1], fs_hz)
            height = np.sqrt(8 * power) * np.exp(rng.uniform(np.log(0.4), np.log(2.5)))
            line = np.linspace(lead[begin - 1], lead[end], end - begin)
            lead[begin:end] = line + rng.choice([-1.0, 1.0]) * height * shape
        keep &= (case.truth.sample < begin) | (case.truth.sample >= end)
        added += (at + peak).astype(np.int64).tolist()
        begin = end + int(rng.uniform(15, 60) * fs_hz)
    truth = _joined(_kept(case.truth, keep), np.array(added, np.int64))
    return replace(case, x_mv=y.astype(np.float32), truth=truth)


def _wide(
    n: NDArray[np.int64], at: NDArray[np.float64], fs_hz: float, rng: np.random.Generator
) -> tuple[NDArray[np.float64], int]:
    """Wide beats with their T waves, of height 1, and how far behind `at` their peaks lie."""
    width = rng.uniform(0.12, 0.22) * fs_hz / 4  # a QRS complex ends two deviations away
    second, turn = rng.uniform(-0.8, 0.4), rng.uniform(1.0, 2.5) * width
    t_wave, t_at = rng.uniform(-0.6, 0.1), rng.uniform(0.2, 0.28) * fs_hz
    away = n[:, None] - at[None, :]
    shape = np.exp(-0.5 * (away / width) ** 2)
    shape += second * np.exp(-0.5 * ((away - turn) / width) ** 2)
    shape += t_wave * np.exp(-0.5 * ((away - t_at) / (0.04 * fs_hz)) ** 2)
    total = shape.sum(axis=1)
    near = total[(n >= at[0] - 2 * width) & (n <= at[0] + 4 * width)] if at.size else total[:1]
    peak = int(np.argmax(np.abs(near)) - 2 * width) if at.size else 0
    return total / max(float(np.abs(near).max(initial=0.0)), 1e-6), peak


def _joined(truth: Annotations, ventricular: NDArray[np.int64]) -> Annotations:
    new = ventricular.size
    sample = np.concatenate([truth.sample, ventricular])
    symbol = truth.symbol + ("V",) * new
    aux = truth.aux + ("",) * new
    subtype = truth.subtype + (0,) * new if truth.subtype else ()
    order = np.argsort(sample, kind="stable")
    return _chosen(Annotations(sample, symbol, aux, subtype), order)


def electrode_noise(n: int, fs_hz: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Two courses of skin that is stretched under an electrode: as those of `dsp.synth`."""
    seconds = n / fs_hz
    noise = (Noise("electrode", rms_mv=1.0),)
    seed = int(rng.integers(1, 10**6))
    made = simulate([Asystole(seconds)], fs_hz=fs_hz, leads=("II", "V1"), noise=noise, seed=seed)
    return made.record.x_mv.astype(np.float64)


def simulated(patient: int, rng: np.random.Generator) -> Case:
    """A patient of fifteen minutes with rhythms in turn, amid noise that comes and goes.

    One in three has tall P waves far ahead of his beats: they look like beats themselves.
    """
    is_far, qrs_mv = rng.random() < FAR_SHARE, float(rng.uniform(0.4, 2.0))
    pr_s = float(rng.uniform(0.22, 0.38)) if is_far else 0.16
    p_mv = float(rng.uniform(0.15, 0.45) * min(qrs_mv, 1.0) if is_far else rng.uniform(0.05, 0.25))
    heart = Patient(
        qrs_mv=qrs_mv,
        qrs_ms=float(rng.uniform(60, 120)),
        p_mv=p_mv,
        t_mv=float(rng.uniform(0.1, 1.2)),
        shape=str(rng.choice(["normal", "lbbb", "rbbb"])),
    )
    segments: list[Segment] = []
    while sum(s.duration_s for s in segments) < 900:
        segments.append(_segment(float(rng.uniform(20, 90)), pr_s, rng))
    noise = [
        Noise("baseline", rms_mv=0.05),
        Noise("muscle", rms_mv=float(rng.uniform(0.004, 0.05))),
    ]
    begin_s, end_s = 30.0, sum(s.duration_s for s in segments)
    while begin_s < end_s:
        length_s = float(rng.uniform(10, 40))
        kind = str(rng.choice(["muscle", "electrode", "powerline", "baseline"]))
        ratio_db = float(rng.uniform(-2, 18))
        noise.append(Noise(kind, snr_db=ratio_db, start_s=begin_s, duration_s=length_s))
        begin_s += length_s + float(rng.uniform(10, 60))
    seed = int(rng.integers(1, 10**6))
    made = simulate(
        segments, fs_hz=360.0, leads=("II", "V1"), seed=seed, noise=noise, patient=heart
    )
    return Case(patient, made.record.x_mv, 360.0, made.truth.atr)


def _segment(length_s: float, pr_s: float, rng: np.random.Generator) -> Segment:
    kinds = (
        lambda: Sinus(length_s, bpm=float(rng.uniform(40, 170)), pr_s=pr_s),
        lambda: Sinus(length_s, bpm=float(rng.uniform(40, 100)), pr_s=pr_s),
        lambda: Sinus(length_s, bpm=70, pattern="NNNV", pr_s=pr_s),
        lambda: Sinus(length_s, bpm=80, pattern="NV", pr_s=pr_s),
        lambda: Sinus(length_s, bpm=float(rng.uniform(18, 50)), pr_s=pr_s),
        lambda: AF(length_s, bpm=float(rng.uniform(70, 160))),
        lambda: SVT(length_s, bpm=float(rng.uniform(150, 240))),
        lambda: VT(length_s / 4, bpm=float(rng.uniform(120, 220))),
        lambda: Asystole(length_s / 4, p_bpm=(None, 70.0)[int(rng.integers(0, 2))]),
        lambda: CompleteBlock(length_s),
        lambda: Paced(length_s),
        lambda: Flutter(length_s),
        lambda: Mobitz2(length_s),
    )
    return kinds[int(rng.integers(0, len(kinds)))]()
