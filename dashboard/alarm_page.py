"""The page that tells of alarms: all of a ward, and each from the sample to the acknowledgement."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import streamlit as st

from dashboard import alarm_markup, launch, markup
from dashboard.alarm_story import Story, log_of, story_of
from dashboard.live import hub
from ecg.clock import NS, now_ns
from ecg.errors import StoreError
from store.base import TransitionRow
from store.sqlite import SqliteReader

T = TypeVar("T")

REFRESH_S = 2.0
HOURS = (1, 8, 24)
STYLE = Path(__file__).with_name("alarm.css").read_text()


def page() -> None:
    """What the address asks for: `?log=WARD`, with `&bed=BED`, with `&alarm=ID`."""
    st.set_page_config("Alarms · telerhythm", "🫀", "wide", "collapsed")
    st.html(f"<style>{STYLE}</style>")
    asked = {name: st.query_params.get(name, "") for name in ("log", "bed", "alarm")}
    if asked["alarm"]:
        one(asked["log"], asked["bed"], asked["alarm"])
    else:
        hours = st.segmented_control(
            "Alarms of the last", HOURS, default=1, format_func=lambda h: f"{h} h", key="hours"
        )
        every(asked["log"], asked["bed"] or None, hours or 1)


@st.fragment(run_every=REFRESH_S)
def every(ward: str, bed: str | None, hours: int) -> None:
    """The log of a ward, or of one bed."""

    def read(reader: SqliteReader) -> list[tuple[TransitionRow, ...]]:
        now = now_ns()
        return log_of(reader, ward, bed, now - hours * 3600 * NS, now + NS)

    found = _read(read)
    if found is not None:
        st.html(alarm_markup.log(ward, bed, found))


@st.fragment(run_every=REFRESH_S)
def one(ward: str, bed: str, alarm_id: str) -> None:
    """One alarm; anew every two seconds, for it may go on."""

    def read(reader: SqliteReader) -> Story | None:
        return story_of(reader, ward, bed, alarm_id, now_ns())

    found = _read(read)
    if found is not None:
        views = {view.bed: view for view in hub().state.beds(ward, time.monotonic())}
        label = markup.label(views[bed].alarms) if bed in views else ""
        st.html(alarm_markup.story(found, label, now_ns()))


def _read(read: Callable[[SqliteReader], T]) -> T | None:
    """Read from the store, or say why that cannot be."""
    path = launch.store_path()
    if path is None:
        st.warning(f"Nobody has told where the store is: set {launch.STORE_PATH}.")
        return None
    try:
        with SqliteReader(path) as reader:
            found = read(reader)
    except StoreError as error:
        st.warning(f"The store cannot be read: {error}")
        return None
    if not found:
        st.info("The store knows no such alarm (yet).")
        return None
    return found
