"""What is particular about a patient: how high, how wide, how long."""

from __future__ import annotations

from dataclasses import dataclass, fields

from dsp.synth.dipole import SHAPES
from ecg import BadSetting


@dataclass(frozen=True, slots=True)
class Patient:
    """A heart to simulate.

    Attributes
    ----------
    qrs_mv : float
        R wave of a conducted beat in lead II; ventricular beats grow with it.
    qrs_ms : float
        Width of a conducted beat's QRS complex (see `dipole.THRESHOLD`).
    ventricular_ms : float
        Width of a ventricular or paced beat's.
    p_mv, t_mv : float
        Greatest deflection of P wave and T wave in lead II.
    qtc_ms : float
        QT at 60/min; QT = QTc · RR^(1/3) (Fridericia 1920).
    shape : str
        Of conducted beats, one of `dipole.SHAPES`: `normal`, `lbbb`, `rbbb`.
    variation : float
        By how much breathing changes heights, as a share: 0.04 is ± 4 %.
    breaths_per_min : float

    Raises
    ------
    BadSetting
        If a value lies outside what a heart (or a test of a monitor) may have.
    """

    qrs_mv: float = 1.1
    qrs_ms: float = 92.0
    ventricular_ms: float = 150.0
    p_mv: float = 0.14
    t_mv: float = 0.30
    qtc_ms: float = 400.0
    shape: str = "normal"
    variation: float = 0.04
    breaths_per_min: float = 15.0

    def __post_init__(self) -> None:
        for field in fields(self):
            if field.name in _ALLOWED:
                low, high = _ALLOWED[field.name]
                value = getattr(self, field.name)
                if not low <= value <= high:
                    raise BadSetting(f"{field.name} {value}: must be within {low} to {high}")
        if self.shape not in SHAPES:
            raise BadSetting(f"shape {self.shape!r}: must be one of {', '.join(SHAPES)}")


_ALLOWED = {
    "qrs_mv": (0.01, 20.0),
    "qrs_ms": (10.0, 250.0),
    "ventricular_ms": (10.0, 300.0),
    "p_mv": (0.0, 5.0),
    "t_mv": (0.0, 10.0),
    "qtc_ms": (200.0, 700.0),
    "variation": (0.0, 0.5),
    "breaths_per_min": (4.0, 60.0),
}
