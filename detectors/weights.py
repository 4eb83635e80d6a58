"""The trained weights of the rhythm stages, as the kernel takes them."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.trees import MODELS, Forest, load
from ecg import BadSetting


class Models(NamedTuple):
    """What the kernel takes: weights of fibrillation, forest of atrial fibrillation."""

    vf: NDArray[np.float32]
    af: Forest


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
    return Models(weights, load("af")["af"])
