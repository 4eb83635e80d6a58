"""The ward page: a tile a bed, and the active alarms. A Streamlit script, run from the top.

With `?log=WARD` in its address it is the page that tells of alarms: `dashboard.alarm_page`.
"""

from __future__ import annotations

import math
import time
from functools import partial
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator as Slot

from alerts.words import SYSTEM_BED, PauseAudio, Phase, ResumeAudio
from dashboard import alarm_page, markup
from dashboard.components.alarms import Entry, Head, Pressed, alarms
from dashboard.components.trace import screen, trace
from dashboard.live import hub
from dashboard.ward_state import BedView
from ecg.clock import now_ns

REFRESH_S = 0.5
NOBODY = "Ward screen"
ACTIONS = {Phase.RAISED: "Acknowledge", Phase.LATCHED: "Reset"}
GAINS_MM_MV = (5, 10, 20)
COLUMNS = ((1200, 4), (900, 3), (620, 2), (0, 1))  # from this width of the page, CSS px
STYLE = Path(__file__).with_name("ward.css").read_text()


def page() -> None:
    """Lay out what changes rarely; `refresh` does the rest."""
    st.set_page_config("Ward · telerhythm", "🫀", "wide", "collapsed")
    wards = hub().state.wards()
    ward, paused = top_bar(wards)
    beds = beds_of(ward)
    st.html(f"<style>{STYLE}{rows(len(beds))}</style>")
    screen(ward)
    heads = {}
    with st.container(key="ward-grid"):
        for view in beds:
            with st.container(key=f"tile-{view.bed}", gap=None):
                heads[view.bed] = st.html(markup.tile(view))  # not empty until `refresh` comes
                trace(ward, view.bed, mm_per_mv=st.session_state.get("gain") or 10)
    if not beds:
        st.html(
            "<div class='trh-empty'><h3>No beds yet</h3><p>The page shows a bed as soon as "
            "<code>telerhythm serve</code> tells of it. Start it with the same broker, and check "
            "that its settings name beds; or see the demo: <code>telerhythm demo</code>.</p></div>"
        )
    refresh(wards, ward, [view.bed for view in beds], heads, paused)


def top_bar(wards: list[str]) -> tuple[str, bool]:
    """Title, ward, who watches, gain, sound, clock.

    Returns the ward that is shown, and whether its sound was paused when the button was made.
    """
    with st.container(key="top-bar", horizontal=True, vertical_alignment="center"):
        st.html("<div class='trh-title'>telerhythm <span>ward</span></div>", width="content")
        if len(wards) > 1:
            chosen = st.selectbox(
                "Ward", wards, key="ward", label_visibility="collapsed", width=180
            )
            ward = str(chosen)
        else:
            ward = wards[0] if wards else "none"
            st.html(f"<div class='trh-ward'>{ward if wards else ''}</div>", width="content")
        st.html("<div class='trh-space'></div>")
        st.segmented_control(
            "Gain, mm/mV",
            GAINS_MM_MV,
            default=10,
            key="gain",
            format_func=lambda gain: f"{gain} mm/mV",
            label_visibility="collapsed",
            width="content",
        )
        st.text_input(
            "Who acknowledges",
            key="by",
            max_chars=64,
            placeholder="Your name, for acknowledgements",
            label_visibility="collapsed",
            width=260,
        )
        paused = is_paused(ward)
        # two buttons, not one that turns: whatever another console does meanwhile, a press does
        # what was written on it; no help, a tooltip would cover the tiles below
        if paused:
            st.button("End pause", key="sound-end", on_click=end_pauses, args=(ward,))
        else:
            st.button("Pause sound", key="sound-pause", on_click=pause_sound, args=(ward,))
        # what it says, and does, is the browser's own affair: components/sound.js
        st.html("<button type='button' class='trh-sound'></button>", width="content")
        st.html("<div class='trh-clock'></div>", width="content")
    return ward, paused


def is_paused(ward: str) -> bool:
    """Whether the sound of a bed is paused."""
    return any(v.alarms.audio_pause for v in hub().state.beds(ward, time.monotonic()))


def pause_sound(ward: str) -> None:
    """Pause the sound of every bed that has alarms."""
    beds = [v.bed for v in hub().state.beds(ward, time.monotonic()) if v.alarms.alarms]
    if not beds:
        st.toast("There is no alarm that could sound.")
    _command(ward, beds, PauseAudio(who(), now_ns()))


def end_pauses(ward: str) -> None:
    """End the pauses of all beds."""
    beds = [v.bed for v in hub().state.beds(ward, time.monotonic()) if v.alarms.audio_pause]
    _command(ward, beds, ResumeAudio(who(), now_ns()))


def _command(ward: str, beds: list[str], command: PauseAudio | ResumeAudio) -> None:
    if not all(hub().command(ward, bed, command) for bed in beds):
        st.toast("Nothing is changed: the message broker does not answer.", icon="⚠️")


def who() -> str:
    """Who commands, as far as somebody has said."""
    return st.session_state.get("by", "").strip() or NOBODY


def beds_of(ward: str) -> list[BedView]:
    """The beds that have tiles."""
    views = hub().state.beds(ward, time.monotonic())
    return [view for view in views if view.bed != SYSTEM_BED]


def rows(n_beds: int) -> str:
    """How many columns and rows the tiles make, for each width of the page."""
    rules = []
    for width, columns in reversed(COLUMNS):
        counts = f"--columns:{columns};--rows:{math.ceil(n_beds / columns) or 1}"
        rules.append(f"@media(min-width:{width}px){{:root{{{counts}}}}}")
    return "".join(rules)


@st.fragment(run_every=REFRESH_S)
def refresh(
    wards: list[str],
    ward: str,
    shown: list[str],
    heads: dict[str, Slot],
    paused: bool,
) -> None:
    """Numbers and alarms. The traces are not touched."""
    state, now_s = hub().state, time.monotonic()
    views = state.beds(ward, now_s)
    if state.wards() != wards or [v.bed for v in views if v.bed != SYSTEM_BED] != shown:
        st.rerun()
    if any(view.alarms.audio_pause for view in views) is not paused:
        st.rerun()  # the button says what it would do
    for view in views:
        if view.bed in heads:
            heads[view.bed].html(markup.tile(view))
    with st.container(key="dock", gap=None):
        alarm_list(ward, views, is_unattended=state.is_unattended(ward, now_s))


def alarm_list(ward: str, views: list[BedView], *, is_unattended: bool) -> None:
    """The active alarms, each with what can be done about it."""
    active = markup.urgent_first(views)
    unseen = sum(alarm.phase is not Phase.ACKNOWLEDGED for _, alarm in active)
    plural = "" if len(active) == 1 else "s"
    title = f"{len(active) or 'No'} active alarm{plural}"
    title += f", {unseen} not acknowledged" if unseen else ""
    look = "calm"
    if is_unattended:
        title = "!! The analysis does not answer: no signals and no alarms. Check telerhythm serve."
        look = "medium unseen"
    entries = [
        Entry(
            f"{view.bed}/{alarm.id}",
            alarm.id,
            view.bed,
            markup.card(view, alarm),
            ACTIONS.get(alarm.phase),
            markup.look_of(alarm),
            markup.short(view, alarm),
        )
        for view, alarm in active
    ]
    alarms(Head(title, look, markup.address(ward)), entries, partial(acknowledge, ward))


def acknowledge(ward: str, pressed: Pressed) -> None:
    """Tell `serve`; the tile changes when serve says so."""
    if not hub().acknowledge(ward, pressed.bed, pressed.alarm_id, who()):
        st.toast("Not acknowledged: the message broker does not answer.", icon="⚠️")


if "log" in st.query_params:
    alarm_page.page()
else:
    page()
