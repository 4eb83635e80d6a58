"""Cross-validate by patient what it does that no beat within AF is told supraventricular.

    python -m training.in_af            # about 6 minutes on one core

Neither the classes nor the episodes of AF are of models that have learnt from the patient.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from detectors.trees import Forest
from training.af import Course, held_out, play, prepare_all
from training.beat_rows import STREAMS
from training.beats import Classes, rows_of, sample, tables_of, tell_held_out
from training.options import parser_of, records


def main() -> None:
    """Classes as they are, then with those within AF that were S made N."""
    parser = parser_of(__doc__)
    parser.add_argument("--rows", type=Path, help="keep the gathered rows there, and take them")
    options = parser.parse_args()
    folder = records(parser, options, "mitdb", "nstdb", "cinc2017")
    rows, both = rows_of(folder, options.rows), [STREAMS.index("both leads")]
    told, _ = tell_held_out(rows, sample(rows), both)
    tables_of(rows, told, both, folder / "mitdb")
    for course, forest in held_out(prepare_all(folder)):
        here = (rows.stream == both[0]) & (rows.patient == int(course.record.name))
        told[here] = within_af(course, forest, rows.sample[here], told[here])
    print("no beat within AF is S:")
    tables_of(rows, told, both, folder / "mitdb")


def within_af(course: Course, forest: Forest, sample: NDArray[np.int64], told: Classes) -> Classes:
    """Classes of the beats at `sample`, as the rhythm stages leave them."""
    beats = course.beats.copy()
    known, of_row = np.intersect1d(beats["sample"], sample, return_indices=True)[1:]
    beats["aami"][known] = [ord(klass) for klass in told[of_row]]
    left = told.copy()
    left[of_row] = [
        chr(klass) for klass in play(replace(course, beats=beats), forest).beats["aami"][known]
    ]
    return left


if __name__ == "__main__":
    main()
