"""The live trace: a Streamlit component that draws on a canvas, fed by `/live`.

What it draws does not come through Streamlit: a rerun of the page neither stops nor redraws it.
"""

from __future__ import annotations

import re
from pathlib import Path

import streamlit as st

CSS_PX_PER_MM = 96 / 25.4  # by definition; a screen may be configured otherwise
MM_PER_MV = 10

_HERE = Path(__file__).parent
# in the order in which one needs the other
_MODULES = ("signal.js", "sound.js", "screen.js", "trace.js", "entry.js")
_HTML = """
<div class="trh-trace" hidden>
  <canvas class="trh-paper"></canvas><canvas class="trh-canvas"></canvas>
  <button class="trh-lead" title="Show the next lead"></button>
  <span class="trh-scale"></span><div class="trh-note"></div>
</div>
"""


def bundle() -> str:
    """The component's modules as the one that Streamlit takes."""
    text = "\n".join((_HERE / name).read_text() for name in _MODULES)
    text = re.sub(r'^import \{.*\} from "\./\w+\.js";$', "", text, flags=re.MULTILINE)
    return re.sub(r"^export (?!default)", "", text, flags=re.MULTILINE)


_component = st.components.v2.component(
    "telerhythm_trace",
    html=_HTML,
    css=(_HERE / "trace.css").read_text(),
    js=bundle(),
    isolate_styles=False,  # the alarm colours of the page reach in
)


def screen(ward: str) -> None:
    """Connect the page to the live signals of a ward, and tell when the connection is gone."""
    _component(key="trace-screen", data={"ward": ward})


def trace(
    ward: str, bed: str, *, px_per_mm: float = CSS_PX_PER_MM, mm_per_mv: float = MM_PER_MV
) -> None:
    """Show the trace of a bed at 25 mm/s, as wide and high as its place.

    Parameters
    ----------
    px_per_mm : float
        CSS pixels.
    mm_per_mv : float
        Gain.
    """
    data = {"ward": ward, "bed": bed, "px_per_mm": px_per_mm, "mm_per_mv": mm_per_mv}
    _component(key=f"trace-{bed}", data=data)
