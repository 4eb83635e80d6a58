"""The list of active alarms: a component, because its buttons must not move under a hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import streamlit as st

_KEY = "alarm-list"
_HTML = """
<div class="trh-list">
  <div class="trh-list-head">
    <div class="trh-dock-title"></div><div class="trh-news" role="status"></div>
    <a class="trh-log" target="_blank">Alarm log</a>
  </div>
  <div class="trh-alarms"></div>
</div>
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """One alarm of the list.

    Attributes
    ----------
    key : str
        Of the entry on the page: alarms of two beds may have the same id.
    id, bed : str
    html : str
        What is told of it.
    action : str or None
        What can be done about it: the word on its button.
    look : str
        CSS classes.
    short : str
        In a few words, for when it is new.
    """

    key: str
    id: str
    bed: str
    html: str
    action: str | None
    look: str
    short: str


@dataclass(frozen=True, slots=True)
class Pressed:
    """What somebody has pressed."""

    bed: str
    alarm_id: str
    action: str


_component = st.components.v2.component(
    "telerhythm_alarms",
    html=_HTML,
    js=(Path(__file__).parent / "alarms.js").read_text(),
    isolate_styles=False,
)


@dataclass(frozen=True, slots=True)
class Head:
    """What stands above the list: a title with its CSS classes, and where the log is."""

    title: str
    look: str
    log: str


def alarms(head: Head, entries: Sequence[Entry], on_press: Callable[[Pressed], None]) -> None:
    """Show the list, the most urgent first; `on_press` is called once for each press."""

    def pressed() -> None:
        what = st.session_state[_KEY].pressed
        if what:
            on_press(Pressed(str(what["bed"]), str(what["id"]), str(what["action"])))

    data = {**asdict(head), "entries": [asdict(entry) for entry in entries]}
    _component(key=_KEY, data=data, on_pressed_change=pressed)
