"""Heart rate variability of 5-minute windows: ESC/NASPE Task Force, Circulation 1996; 93: 1043.

The indices are those of NeuroKit2; what counts as an NN interval is decided here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecg import BadSetting, Findings
from ecg.codes import BeatFlag, EpisodeKind

WINDOW_S = 300.0  # Task Force 1996: short-term recordings of 5 minutes
LEAST_SHARE = 0.8  # of the window that NN intervals must cover
SHORTEST_S, LONGEST_S = 0.3, 2.0
SPECTRUM_HZ = 4  # the tachogram is interpolated at this rate, as the Task Force has it
_DISTURBED = BeatFlag.POOR_SIGNAL | BeatFlag.PACED


@dataclass(frozen=True, slots=True)
class HrvWindow:
    """Variability of one window; NaN in every index, and the reason, where it cannot be told.

    Attributes
    ----------
    start_s : float
    n_nn : int
        NN intervals: both beats normal, well seen and not paced.
    nn_share : float
        Share of the window that they cover.
    mean_nn_ms, sdnn_ms, rmssd_ms, pnn50 : float
        Time domain; pnn50 in percent.
    lf_ms2, hf_ms2, lf_hf : float
        Power at 0.04 to 0.15 and 0.15 to 0.4 Hz, and their ratio.
    reason : str
    """

    start_s: float
    n_nn: int
    nn_share: float
    mean_nn_ms: float = np.nan
    sdnn_ms: float = np.nan
    rmssd_ms: float = np.nan
    pnn50: float = np.nan
    lf_ms2: float = np.nan
    hf_ms2: float = np.nan
    lf_hf: float = np.nan
    reason: str = ""


def hrv(findings: Findings, fs_hz: float, window_s: float = WINDOW_S) -> list[HrvWindow]:
    """Heart rate variability of each whole window of a record.

    Parameters
    ----------
    findings : Findings
        Of the whole record.
    fs_hz : float
        Rate at which their samples count.
    window_s : float
        60 or more; other values than 300 are not comparable with the Task Force's.

    Raises
    ------
    BadSetting
        For a window shorter than 60 s.
    """
    if not window_s >= 60.0:
        raise BadSetting(f"window_s is {window_s}: LF power needs at least 60 s")
    end_s, rr_s = nn_intervals(findings, fs_hz)
    last_s = findings.through_sample / fs_hz
    windows = []
    for start_s in np.arange(0.0, last_s - window_s + 1e-6, window_s).tolist():
        inside = (end_s - rr_s >= start_s) & (end_s <= start_s + window_s)
        share = float(rr_s[inside].sum() / window_s)
        reason = _reason(findings, fs_hz, (start_s, start_s + window_s), share)
        windows.append(_window(start_s, end_s[inside], rr_s[inside], share, reason))
    return windows


def nn_intervals(
    findings: Findings, fs_hz: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Where NN intervals end and how long they are, s."""
    beats = np.sort(findings.beats, order="sample")
    normal = (beats["aami"] == ord("N")) & (beats["flags"] & int(_DISTURBED) == 0)
    at_s = beats["sample"] / fs_hz
    rr_s = np.diff(at_s)
    kept = normal[1:] & normal[:-1] & (rr_s >= SHORTEST_S) & (rr_s <= LONGEST_S)
    return at_s[1:][kept], rr_s[kept]


def _reason(findings: Findings, fs_hz: float, span_s: tuple[float, float], share: float) -> str:
    """Why the window tells nothing about the sinus node; empty when it does."""
    first, last = span_s[0] * fs_hz, span_s[1] * fs_hz
    af = findings.episodes[findings.episodes["kind"] == EpisodeKind.AF]
    ends = np.where(af["end"] < 0, last, af["end"])
    if np.any((af["onset"] < last) & (ends > first)):
        return "atrial fibrillation"
    if share < LEAST_SHARE:
        return f"normal intervals cover {100 * share:.0f} %, {100 * LEAST_SHARE:.0f} % are needed"
    return ""


def _window(
    start_s: float, end_s: NDArray[Any], rr_s: NDArray[Any], share: float, reason: str
) -> HrvWindow:
    if reason:
        return HrvWindow(start_s, rr_s.size, share, reason=reason)
    # slow to import, and only few ask for variability
    import neurokit2

    intervals = {"RRI": 1e3 * rr_s, "RRI_Time": end_s - start_s}
    time = neurokit2.hrv_time(intervals).iloc[0]
    power = neurokit2.hrv_frequency(
        intervals, normalize=False, interpolation_rate=SPECTRUM_HZ, silent=True
    ).iloc[0]
    return HrvWindow(
        start_s,
        rr_s.size,
        share,
        float(time["HRV_MeanNN"]),
        float(time["HRV_SDNN"]),
        float(time["HRV_RMSSD"]),
        float(time["HRV_pNN50"]),
        float(power["HRV_LF"]),
        float(power["HRV_HF"]),
        float(power["HRV_LFHF"]),
    )
