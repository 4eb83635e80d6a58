"""The facts of beats out of the streaming analysis: the very kernel, one push of a whole record."""

from __future__ import annotations

import numpy as np

from detectors import Analyzer, kernel
from detectors.analyzer import FINISH_S, tables
from detectors.facts import N_FACTS
from detectors.fibrillation import N_MEASURES
from detectors.judge import FIRST
from detectors.trees import Forest, from_nested
from detectors.weights import Judges, Models, models
from training.disturb import Floats, Ints

NOTHING: Forest = from_nested([{"leaf_value": 0.0}])  # adds nothing
_NEVER: Forest = from_nested([{"leaf_value": -1.0}])
_NO_VF = np.array([0.0] * N_MEASURES + [-9.0], np.float32)


def only(networks: Floats, doubt: Forest) -> Models:
    """Models that find beats, and tell nothing about them; networks : [3, N_WEIGHTS]."""
    return Models(Judges(networks, doubt), _NO_VF, _NEVER, _NEVER, _NEVER)


def with_first(later: Floats, doubt: Forest) -> Models:
    """The same; later : networks of later peaks, [2, N_WEIGHTS]; that of first ones is shipped."""
    return only(np.vstack([later, models().judges.networks[FIRST:]]), doubt)


def capture(x_mv: Floats, fs_hz: float) -> tuple[Ints, Floats]:
    """Beats of a record as the detector finds them, and what is known of each.

    Parameters
    ----------
    x_mv : float32 [n_leads, n_samples]
    fs_hz : float

    Returns
    -------
    int64 [n_beats], float32 [n_beats, N_FACTS]
        Samples, and facts in the order of `detectors.facts.F`. Of the shipped models only the judge
        of peaks is used.
    """
    analyzer = Analyzer(fs_hz, tuple("ECG" for _ in x_mv))
    end = np.full((len(x_mv), int((FINISH_S + 1.0) * fs_hz)), np.nan, np.float32)
    x = np.ascontiguousarray(np.hstack([x_mv, end]), np.float32)
    rows = tuple(t[0] for t in tables(x.shape[1], fs_hz, len(x), 1))
    told, counts = rows[-1], np.zeros(len(rows), np.int64)
    facts = np.zeros((told.size, N_FACTS), np.float32)
    shipped = only(*models().judges)
    heads, leads = analyzer.state["head"], analyzer.state["leads"]
    kernel.advance_one(heads, leads, x, analyzer._work, shipped, (*rows, facts), counts)
    n = int(counts[-1])
    return told["sample"][:n].copy(), facts[:n].copy()
