"""The dashboard's web server: the ward page, and the live signal beside it.

Run by `telerhythm dashboard`; see `dashboard.launch`.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import streamlit as st
from starlette.routing import WebSocketRoute

from dashboard.live import hub
from dashboard.route import live


@asynccontextmanager
async def listening(app: st.App) -> AsyncGenerator[None]:
    """Be connected to the broker for as long as the server runs, before the first browser comes."""
    hub().start()
    yield
    hub().stop()


# Streamlit keeps /_stcore, /media, /component and /static to itself.
app = st.App(
    Path(__file__).with_name("ward.py"),
    lifespan=listening,
    routes=[WebSocketRoute("/live", live)],
)
