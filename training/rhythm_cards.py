"""Cards of the rhythm models: from what they were trained, how judged, what they cannot do."""

from __future__ import annotations

from collections.abc import Sequence

from detectors.trees import MODELS


def write(name: str, title: str, data: str, figures: Sequence[str], limits: str) -> None:
    """Write `detectors/models/NAME.md`."""
    text = f"""# {title} (`{name}.npz`)

Written by `make train`; do not edit.

## Data

{data}

## Figures

Cross-validated: each figure is of patients (records of Challenge 2017) that were not trained on.

{chr(10).join(figures)}

## Limits

{limits}
"""
    (MODELS / f"{name}.md").write_text(text, encoding="utf-8")
