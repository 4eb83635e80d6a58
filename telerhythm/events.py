"""From the findings of one stream to what the alarm engine is told: the same wherever it runs."""

from __future__ import annotations

import numpy as np

from alerts.engine import Analysed
from ecg import Findings
from ecg.clock import Timeline


class EcgStream:
    """One unbroken stretch of a device's ECG: gives findings their times and tells them.

    Parameters
    ----------
    timeline : Timeline
        To be anchored by whoever knows the time of a sample, before findings of it are told.
    leads : tuple of str
        Names of the leads that are analysed.
    """

    def __init__(self, timeline: Timeline, leads: tuple[str, ...]) -> None:
        self.timeline = timeline
        self.leads = leads
        self._is_fresh = True  # nothing has been told yet
        self._told_ns: dict[int, int] = {}  # beats whose class is not known yet

    def tell(self, findings: Findings) -> Analysed:
        """The event of a push; the tables of its findings get their times, too."""
        times = self.timeline.times
        for table in (findings.beats, findings.vitals, findings.quality, findings.classified):
            table["t_ns"] = times(table["sample"])
        self._remember(findings)
        episodes = findings.episodes
        episodes["onset_ns"] = times(episodes["onset"])
        episodes["end_ns"] = np.where(episodes["end"] >= 0, times(episodes["end"]), -1)
        is_fresh, self._is_fresh = self._is_fresh, False
        return Analysed(
            self.timeline.at(findings.through_sample),
            # a beat comes at once, and once more when its class is known
            np.concatenate([findings.beats, findings.classified]),
            findings.vitals,
            findings.quality,
            self.leads,
            episodes,
            is_fresh,
            self.timeline.at(findings.quiet_sample),
        )

    def _remember(self, findings: Findings) -> None:
        """A beat keeps the time that it was first told with, whatever moves the others since."""
        self._told_ns.update(
            zip(findings.beats["sample"].tolist(), findings.beats["t_ns"].tolist(), strict=True)
        )
        for row in findings.classified:
            row["t_ns"] = self._told_ns.pop(int(row["sample"]), int(row["t_ns"]))
