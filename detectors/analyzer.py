"""`Analyzer`: samples of one patient in, findings out, however the stream is cut."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from detectors import kernel
from detectors.facts import N_FACTS
from detectors.front import workspace
from detectors.state import HEAD, MAGIC, VERSION, state_dtype
from detectors.weights import models
from dsp.resample import MAX_HZ, MIN_HZ, half_width
from ecg import BEAT, EPISODE, QUALITY, VITALS, BadSetting, BadSignal, Findings

MAX_LEADS = 32
FINISH_S = 2.5  # by then what is pending at the end of a record is known
EPISODES_A_SECOND = 24  # more than 6 beats and the end of a second can open and end
BEATS_A_SECOND = 12  # more than the waiting time of 200 ms and search-back let through


class Analyzer:
    """Streaming analysis of one patient.

    Parameters
    ----------
    fs_hz : float
        Sampling rate of the device, 100 to 1,000 Hz.
    leads : sequence of str
        Names, `ecg.codes.STANDARD_LEADS` where they apply.
    start_ns : int
        Time of the first sample, ns since the Unix epoch (UTC).
    only : "qrs", optional
        Find beats and judge quality, and nothing else: no classes (beats stay `?`), no widths,
        no pacing, no episodes, NaN for what vitals say of them. The beats are the same ones.

    Raises
    ------
    BadSignal
        For a rate or a set of leads that cannot be analysed.
    BadSetting
        For another `only`.

    Examples
    --------
    >>> import numpy as np
    >>> analyzer = Analyzer(fs_hz=250, leads=("II",))
    >>> analyzer.push(np.zeros((1, 2500), np.float32)).beats.size
    0
    """

    def __init__(
        self,
        fs_hz: float,
        leads: Sequence[str] = ("ECG",),
        start_ns: int = 0,
        only: Literal["qrs"] | None = None,
    ) -> None:
        if not MIN_HZ <= fs_hz <= MAX_HZ:
            raise BadSignal(
                f"sampling rate is {fs_hz} Hz; resample to {MIN_HZ:g} to {MAX_HZ:g} Hz first"
            )
        if isinstance(leads, str) or not 1 <= len(leads) <= MAX_LEADS:
            raise BadSignal(f"leads are {leads!r}; give 1 to {MAX_LEADS} names, as ('II', 'V5')")
        if only not in (None, "qrs"):
            raise BadSetting(f"only is {only!r}; allowed are 'qrs' and None, for all there is")
        state = np.zeros(1, state_dtype(len(leads)))
        head = state["head"]
        head["magic"], head["version"], head["n_leads"] = MAGIC, VERSION, len(leads)
        head["fs_hz"], head["start_ns"], head["only_qrs"] = fs_hz, start_ns, only == "qrs"
        state["names"][0] = [name.encode()[:16] for name in leads]
        kernel.begin(state["head"], state["leads"])
        self._use(state)

    def _use(self, state: NDArray[Any]) -> None:
        self.state = state
        self._head, self._n_leads = state["head"][0], state["leads"].shape[1]
        self.fs_hz = float(self._head["fs_hz"])
        self._work = workspace(self.fs_hz)

    @property
    def leads(self) -> tuple[str, ...]:
        """Names of the leads."""
        return tuple(name.decode(errors="ignore") for name in self.state["names"][0])

    @classmethod
    def restore(cls, blob: bytes) -> Analyzer:
        """The analyzer whose `state.tobytes()` is `blob`.

        Raises
        ------
        BadSignal
            If the blob is not a state, or that of another version.
        """
        if len(blob) < HEAD.itemsize:
            raise BadSignal(f"saved state has {len(blob)} bytes: too short; begin a new analysis")
        head = np.frombuffer(blob, HEAD, 1)[0]
        if head["magic"] != MAGIC or head["version"] != VERSION:
            raise BadSignal("saved state is of another version; begin a new analysis")
        dtype = state_dtype(int(head["n_leads"]))
        if len(blob) != dtype.itemsize:
            raise BadSignal(
                f"saved state has {len(blob)} bytes instead of {dtype.itemsize}; "
                "begin a new analysis"
            )
        analyzer = cls.__new__(cls)
        analyzer._use(np.frombuffer(bytearray(blob), dtype))
        return analyzer

    def push(self, x_mv: ArrayLike) -> Findings:
        """Take the next samples.

        Parameters
        ----------
        x_mv : float32 [n_leads, n_samples >= 0]
            Millivolts; NaN where a sample is missing or a lead is off.

        Returns
        -------
        Findings
            What has become known.

        Raises
        ------
        BadSignal
            For another shape or for what is not a number. The stream is as it was before.
        """
        return self._advance(self._checked(x_mv))

    def finish(self) -> Findings:
        """What is still pending at the end of a record; no push may follow."""
        if self._head["finished"]:
            last = int(self._head["through"])
            return Findings(through_sample=last, quiet_sample=last)
        last = int(self._head["n_in"])
        # as if the leads had been taken off: what is pending comes out, nothing is made up
        pad = int(FINISH_S * self.fs_hz) + 4 * half_width(self.fs_hz)
        found = self._advance(np.full((self._n_leads, pad), np.nan, np.float32))
        self._head["finished"] = 1
        self._head["through"] = self._head["quiet"] = last
        return Findings(
            beats=found.beats[found.beats["sample"] < last],
            vitals=found.vitals[found.vitals["sample"] <= last],
            quality=found.quality[found.quality["sample"] + self.fs_hz <= last + 0.5],
            episodes=found.episodes[found.episodes["onset"] < last],
            classified=found.classified[found.classified["sample"] < last],
            through_sample=last,
            quiet_sample=last,
        )

    def _checked(self, x_mv: ArrayLike) -> NDArray[np.float32]:
        if self._head["finished"]:
            raise BadSignal("the analysis was finished; begin a new one for more samples")
        try:
            x = np.ascontiguousarray(x_mv, np.float32)
        except (TypeError, ValueError) as error:
            raise BadSignal("samples are not numbers; give millivolts as float32") from error
        if x.ndim != 2 or x.shape[0] != self._n_leads:
            raise BadSignal(
                f"samples have the shape {x.shape}; give [{self._n_leads} leads, n_samples]"
            )
        return x

    def _advance(self, x: NDArray[np.float32]) -> Findings:
        rows = [table[0] for table in tables(x.shape[1], self.fs_hz, self._n_leads, 1)]
        counts = np.zeros(len(rows), np.int64)
        heads, leads = self.state["head"], self.state["leads"]
        kernel.advance_one(heads, leads, x, self._work, models(), (*rows, _NO_FACTS), counts)
        found = [t[:n] for t, n in zip(rows, counts.tolist(), strict=True)]
        beats, vitals, quality, episodes, told = found
        through, quiet = int(self._head["through"]), int(self._head["quiet"])
        return Findings(beats, vitals, quality, episodes, told, through, quiet)


_NO_FACTS = np.empty((0, N_FACTS), np.float32)


def tables(n_samples: int, fs_hz: float, n_leads: int, n_patients: int) -> tuple[NDArray[Any], ...]:
    """Room for all that a push can find: the tables of `Findings`; `[n_patients, n_rows]` each."""
    seconds = int(n_samples / fs_hz) + 2
    return (
        np.zeros((n_patients, BEATS_A_SECOND * seconds), BEAT),
        np.zeros((n_patients, seconds), VITALS),
        np.zeros((n_patients, seconds * n_leads), QUALITY),
        np.zeros((n_patients, EPISODES_A_SECOND * seconds), EPISODE),
        np.zeros((n_patients, BEATS_A_SECOND * seconds), BEAT),
    )
