"""The trained weights, as the kernel takes them."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.trees import MODELS, Forest, load
from ecg import BadSetting


class Models(NamedTuple):
    """Weights of fibrillation, and forests of atrial fibrillation and of classes of beats."""

    vf: NDArray[np.float32]
    af: Forest
    ventricular: Forest
    supraventricular: Forest


@cache
def models() -> Models:
    """The shipped models.

    Raises
    ------
    BadSetting
        If one of them cannot be read.
    """
    path = MODELS / "fibrillation.npz"
    try:
        with np.load(path, allow_pickle=False) as file:
            weights = np.asarray(file["weights"], np.float32)
    except (OSError, KeyError, ValueError) as error:
        raise BadSetting(f"{path}: no readable model; `make train` writes it") from error
    beats = load("beats")
    return Models(weights, load("af")["af"], beats["ventricular"], beats["supraventricular"])
