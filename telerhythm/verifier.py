"""Alarms that devices raise, checked against the waveforms in the store, in a thread of its own.

`alerts.verify` decides on what single channels show of the 20 s before an alarm; looking at them
takes as long as a few dozen frames, and nobody who watches waits for that.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from alerts.device import Claim, Verdict
from alerts.verify import verify
from alerts.words import AlarmKind
from detectors.lookback import look_back
from detectors.pulse import find_pulses
from ecg.clock import NS
from ecg.errors import TelerhythmError
from ecg.evidence import LeadView, PulseView
from ecg.frame import MISSING
from store.base import Reader, WaveformChunk
from telerhythm.pulses import split

KINDS = {
    AlarmKind.ASYSTOLE: "Asystole",
    AlarmKind.EXTREME_BRADYCARDIA: "Bradycardia",
    AlarmKind.EXTREME_TACHYCARDIA: "Tachycardia",
    AlarmKind.VENTRICULAR_TACHYCARDIA: "Ventricular_Tachycardia",
    AlarmKind.VENTRICULAR_FIBRILLATION: "Ventricular_Flutter_Fib",
}
"""Kinds that the waveforms are looked at for, as the Challenge spells them."""
SPAN_S = 20.0  # that is judged
LEARN_S = 110.0  # with what the usual beat is learned from
LEAST_S = 16.0
WAIT_S = 6.0  # for what of the signal is still on its way; the verdict is due after 10 s
AGAIN_S = 0.25
NEAR_NS = NS // 2
GAP_NS = NS


class Request(NamedTuple):
    """A claim to be looked at, and whose it is."""

    key: str  # of the desk
    patient: str
    claim: Claim


class Answer(NamedTuple):
    """The verdict on a request."""

    key: str
    claim: Claim
    verdict: Verdict


class Verifier:
    """Takes claims, gives verdicts; at least one of the two threads is never here."""

    def __init__(self, store: Reader, log: Any) -> None:
        self._store = store
        self._log = log
        self._requests: queue.SimpleQueue[Request | None] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="verifier", daemon=True)

    def start(self) -> None:
        """Begin to look at claims."""
        self._thread.start()

    def stop(self) -> None:
        """End after the claim under way; those that wait stay without a verdict."""
        self._requests.put(None)

    def ask(self, request: Request) -> None:
        """Look at a claim as soon as its signal has come."""
        self._requests.put(request)

    def answers(self) -> list[Answer]:
        """Verdicts since the last call."""
        return [self._answers.get() for _ in range(self._answers.qsize())]

    def _run(self) -> None:
        while (request := self._requests.get()) is not None:
            try:
                verdict = self._look(request)
            except TelerhythmError as error:
                verdict = Verdict("undecided", f"the signal cannot be looked at: {error}")
            except Exception as error:  # a fault of ours must not leave the claims that follow
                self._log.exception("fault", desk=request.key)
                verdict = Verdict("undecided", f"the check has failed: {error!r}.")
            self._answers.put(Answer(request.key, request.claim, verdict))

    def _look(self, request: Request) -> Verdict:
        t_ns = request.claim.t_ns
        deadline_s = time.monotonic() + WAIT_S
        while True:
            chunks = self._store.waveform(request.patient, t_ns - round(LEARN_S * NS), t_ns)
            has_come = chunks and chunks[-1].end_ns >= t_ns - NEAR_NS
            if has_come or time.monotonic() > deadline_s:
                break
            time.sleep(AGAIN_S)
        if not has_come:
            return Verdict("undecided", "the signal of that time has not come.")
        return judge(unbroken(chunks), request.claim)


def unbroken(chunks: Sequence[WaveformChunk]) -> list[WaveformChunk]:
    """The last stretch of one rate and one set of leads, without a long gap."""
    found: list[WaveformChunk] = []
    for chunk in reversed(chunks):
        if found:
            after = found[-1]
            same = (chunk.fs_hz, chunk.leads) == (after.fs_hz, after.leads)
            if not same or after.t_ns - chunk.end_ns > GAP_NS:
                break
        found.append(chunk)
    return found[::-1]


def judge(chunks: Sequence[WaveformChunk], claim: Claim) -> Verdict:
    """What the waveforms say of a claim.

    Parameters
    ----------
    chunks : sequence of WaveformChunk
        At least one; of one rate and one set of leads, in order.
    claim : Claim
        Of one of `KINDS`.
    """
    first, fs_hz = chunks[0], chunks[0].fs_hz
    x = samples(chunks, claim.t_ns)
    if x.shape[1] < LEAST_S * fs_hz:
        seconds = x.shape[1] / fs_hz
        return Verdict("undecided", f"only {seconds:.0f} s of signal; {LEAST_S:.0f} s are needed.")
    ecg, pulse = split(first.leads)
    names = [first.leads[i] for i in ecg]
    leads: list[LeadView] = look_back(x[list(ecg)], fs_hz, names, SPAN_S, first.t_ns)
    pulses: list[PulseView] = []
    if pulse:
        found, seconds_ = find_pulses(x[list(pulse)], fs_hz, first.t_ns)
        recent = seconds_[seconds_["t_ns"] >= claim.t_ns - round(SPAN_S * NS)]
        pulses = [
            PulseView(
                first.leads[lead],
                np.sort(found[found["channel"] == i], order="sample"),
                recent[recent["lead"] == i],
                # the wire has no units but voltage: heights in mmHg cannot be told
                is_pressure=False,
            )
            for i, lead in enumerate(pulse)
        ]
    found_ = verify(KINDS[claim.kind], leads, pulses, claim.t_ns)
    return Verdict(found_.verdict.value, found_.reason)


def samples(chunks: Sequence[WaveformChunk], to_ns: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Millivolts [n_leads, n_samples] up to a time; NaN where there is none."""
    first = chunks[0]
    fs_hz = first.fs_hz
    n = max(0, round((min(chunks[-1].end_ns, to_ns) - first.t_ns) * fs_hz / NS))
    x = np.full((len(first.leads), n), np.nan, np.float32)
    for chunk in chunks:
        at = round((chunk.t_ns - first.t_ns) * fs_hz / NS)
        values = (chunk.x * chunk.lsb_uv[:, None] / np.float32(1e3)).astype(np.float32)
        values[chunk.x == MISSING] = np.nan
        room = max(0, min(values.shape[1], n - at))
        x[:, at : at + room] = values[:, :room]
    return x
