"""A script becomes a record and the truth about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from dsp.synth.continuous import add_continuous
from dsp.synth.dipole import lead_matrix
from dsp.synth.noise import Noise, Stretch, add_noise
from dsp.synth.patient import Patient
from dsp.synth.render import Heart
from dsp.synth.rhythm import Segment
from dsp.synth.stage import Stage
from dsp.synth.truth import Truth, tell
from ecg import BadSetting, BadSignal, Record

LSB_MV = 0.0025
LOWEST_FS_HZ, HIGHEST_FS_HZ = 100.0, 1000.0


@dataclass(frozen=True, slots=True)
class Script:
    """A case: rhythms in turn, the patient, the noise, and what it shows in one line."""

    segments: tuple[Segment, ...]
    patient: Patient = field(default_factory=Patient)
    noise: tuple[Noise, ...] = ()
    about: str = ""
    leads: tuple[str, ...] = ("II", "V1")

    @property
    def duration_s(self) -> float:
        """How long all segments last."""
        return sum(s.duration_s for s in self.segments)


@dataclass(frozen=True, slots=True, eq=False)
class Simulated:
    """A simulated record with its truth."""

    record: Record
    truth: Truth


def simulate(
    script: Script | Sequence[Segment],
    *,
    fs_hz: float = 250.0,
    leads: Sequence[str] | None = None,
    seed: int = 0,
    noise: Sequence[Noise] | None = None,
    patient: Patient | None = None,
    name: str = "simulated",
) -> Simulated:
    """Simulate an ECG.

    Parameters
    ----------
    script : Script or sequence of Segment
        For instance `[Sinus(30, bpm=60), VT(10, bpm=180), Asystole(6)]`.
    fs_hz : float
        100 to 1000 Hz. Beats lie at the same times whatever the rate.
    leads : sequence of str, optional
        Of I, II, III, aVR, aVL, aVF, V1 to V6, MLII, ECG; those of the script, else II and V1.
    seed : int
        The same seed gives the same record to the bit.
    noise, patient : optional
        In place of the script's.
    name : str
        Of the record.

    Raises
    ------
    BadSignal
        If the rate or a lead cannot be simulated.
    BadSetting
        If the script is empty or the seed negative.

    Examples
    --------
    >>> from dsp.synth import VT, Sinus, simulate
    >>> simulated = simulate([Sinus(10, bpm=60), VT(4, bpm=180)], leads=["II"], seed=1)
    >>> simulated.record.x_mv.shape
    (1, 3500)
    >>> simulated.truth.codes
    'NNNNNNNNNNVVVVVVVVVVVV'
    """
    script = script if isinstance(script, Script) else Script(tuple(script))
    leads = script.leads if leads is None else tuple(leads)
    noise = script.noise if noise is None else noise
    if not LOWEST_FS_HZ <= fs_hz <= HIGHEST_FS_HZ:
        raise BadSignal(f"fs_hz {fs_hz}: must be within {LOWEST_FS_HZ:g} to {HIGHEST_FS_HZ:g}")
    n_samples = round(script.duration_s * fs_hz)
    if n_samples < 1:
        raise BadSetting("the script lasts less than a sample: give at least one segment")
    if seed < 0:
        raise BadSetting(f"seed {seed}: must be 0 or more")
    matrix = lead_matrix(leads)
    heart = Heart(patient or script.patient)
    stage = _play(script.segments, patient or script.patient, heart, seed)
    dipole, waves = heart.draw(stage, fs_hz, n_samples)
    for i, wave in enumerate(stage.continuous):
        add_continuous(dipole, wave, fs_hz, np.random.default_rng([seed, 1, i]))
    truth = tell(stage, waves, fs_hz, n_samples)
    clean_mv = matrix @ dipole.T
    x_mv = clean_mv.copy()
    where = Stretch(fs_hz, leads, truth.r_samples)
    for i, disturbance in enumerate(noise):
        add_noise(x_mv, clean_mv, disturbance, where, np.random.default_rng([seed, 2, i]))
    about = (script.about,) if script.about else ()
    record = Record(name, fs_hz, leads, x_mv.astype(np.float32), LSB_MV, 0, about)
    return Simulated(record, truth)


def _play(segments: Sequence[Segment], patient: Patient, heart: Heart, seed: int) -> Stage:
    stage = Stage(
        np.random.default_rng([seed, 0]),
        patient.breaths_per_min,
        patient.shape,
        heart.lead_s(patient.shape),
        heart.lead_s("apex"),
    )
    for segment in segments:
        stage.start_s, stage.end_s = stage.end_s, stage.end_s + segment.duration_s
        stage.rhythms.append((stage.start_s, segment.kind))
        segment.play(stage)
    return stage
