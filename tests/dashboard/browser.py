"""A Chromium, and the trace alone on a page, its clock in the hand of the test."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Browser, Page, Route

from dashboard.components import trace
from ecg import LiveChunk, encode_live

COMPONENTS = Path(trace.__file__).parent
PX_PER_MM = 96 / 25.4  # CSS: an inch is 96 px
FRAME_MS = 1000 / 60

_PAGE = f"""<!doctype html><style>{(COMPONENTS / "trace.css").read_text()}
body {{ margin: 0 }} .trh-trace {{ --font: sans-serif }}</style>{trace._HTML}
<script type="module">
import {{ Trace }} from "./trace.js";
import * as signal from "./signal.js";
window.Playout = signal.Playout;
window.Signal = signal.Signal;
window.take = (text, now, age) => {{
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const chunk = signal.parseChunk(bytes.buffer);
  screenStub.signal(chunk.bed).take(chunk, now, age);
}};
window.parse = (text) => {{
  const chunk = signal.parseChunk(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
  return {{ ...chunk, x: [...chunk.x] }};
}};
window.screenStub = {{
  signals: new Map(), traces: new Set(), counters: {{ latency_ms: {{}} }},
  signal(bed) {{
    if (!this.signals.has(bed)) this.signals.set(bed, new signal.Signal());
    return this.signals.get(bed);
  }},
}};
window.make = (width, height, gain, pxPerMm) => {{
  window.theTrace?.remove();
  screenStub.signals.clear();
  const host = document.querySelector(".trh-trace");
  Object.assign(host.style, {{ width: width + "px", height: height + "px" }});
  host.hidden = false;
  window.theTrace = new Trace(host, screenStub);
  theTrace.set({{ ward: "a", bed: "1", px_per_mm: pxPerMm, mm_per_mv: gain }});
  // the trace is told the size of its tile with the page's next frame, and then begins anew
  return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done())));
}};
// opacity of the drawing, row after row, right of the margin
window.ink = () => {{
  const {{ margin, w, h }} = theTrace.size;
  const rgba = theTrace.pen.getImageData(margin, 0, w, h).data;
  let text = "";
  for (let i = 3; i < rgba.length; i += 4) text += String.fromCharCode(rgba[i]);
  return [w, h, btoa(text)];
}};
window.isReady = true;
</script>"""


def open_modules(browser: Browser, ratio: float = 1.0) -> Page:
    """A page with the modules of the trace, served by nobody but the test."""
    page = browser.new_page(device_scale_factor=ratio, viewport={"width": 1000, "height": 700})

    def answer(route: Route) -> None:
        name = route.request.url.rsplit("/", 1)[-1]
        if name == "":
            route.fulfill(content_type="text/html", body=_PAGE)
        elif name.endswith(".js"):
            body = (COMPONENTS / name).read_text()
            route.fulfill(content_type="text/javascript", body=body)
        else:
            route.fulfill(status=404)

    page.route("http://trace.test/**", answer)
    page.goto("http://trace.test/")
    page.wait_for_function("() => window.isReady")
    return page


def encoded(chunk: LiveChunk) -> str:
    """A chunk as the page's `take` and `parse` have it."""
    return base64.b64encode(encode_live(chunk)).decode()


class Drawn:
    """One trace, fed and drawn frame by frame at times that the test says, in ms."""

    def __init__(
        self,
        page: Page,
        *,
        fs_hz: float = 250.0,
        gain: float = 10.0,
        size: tuple[int, int] = (600, 200),
    ) -> None:
        self.page = page
        ratio = page.evaluate("devicePixelRatio")
        self.fs_hz = fs_hz
        self.px_per_mm = PX_PER_MM * ratio
        self.page.evaluate(f"make({size[0]}, {size[1]}, {gain}, {PX_PER_MM})")

    def take(
        self, mv: Sequence[float] | NDArray[np.float64], sample: int, now: float, **words: Any
    ) -> None:
        """A chunk of lead II arrives; NaN is a missing sample."""
        values = np.asarray(mv, np.float64)
        x = np.where(np.isnan(values), -32768, np.nan_to_num(values) * 200).astype(np.int16)
        fields = {"epoch": 1, "leads": ("II",), "lsb_uv": (5.0,), "quality": (0,)} | words
        n_leads = len(fields["leads"])
        chunk = LiveChunk(
            ward="a",
            bed="1",
            sample=sample,
            t_ns=0,
            fs_hz=self.fs_hz,
            x=np.stack([x] * n_leads),
            **fields,
        )
        self.page.evaluate(f"take({json.dumps(encoded(chunk))}, {now}, 0)")

    def frame(self, now: float) -> None:
        self.page.evaluate(f"theTrace.frame({now})")

    def play(self, mv: NDArray[np.float64], *, chunk_n: int = 50) -> float:
        """Chunks on time, then frames until all is drawn; returns when that was."""
        for at in range(0, len(mv), chunk_n):
            self.take(mv[at : at + chunk_n], at, (at + chunk_n) / self.fs_hz * 1000)
        end = len(mv) / self.fs_hz * 1000 + 400
        self.page.evaluate(
            f"for (let now = 0; now < {end}; now += 4 * {FRAME_MS}) theTrace.frame(now)"
        )
        self.frame(end)
        return end

    def ink(self) -> NDArray[np.float64]:
        """Opacity 0 to 1 of the drawing, [rows, columns], paper and margin left out."""
        w, h, text = self.page.evaluate("ink()")
        # the page wrote each byte as one character
        raw = np.frombuffer(base64.b64decode(text), np.uint8)
        return raw.reshape(h, w) / 255.0

    def value(self, expression: str) -> Any:
        return self.page.evaluate(expression)


def levels(ink: NDArray[np.float64]) -> NDArray[np.float64]:
    """Middle of the line in each column, px from the top; NaN where there is none."""
    rows = np.arange(ink.shape[0])[:, None] + 0.5
    weight = ink.sum(0)
    with np.errstate(invalid="ignore"):
        return np.where(weight > 0.3, (ink * rows).sum(0) / weight, np.nan)


def heights(ink: NDArray[np.float64]) -> NDArray[np.float64]:
    """How much line there is in each column, px: its width where it is flat."""
    return np.asarray(ink.sum(0))


def uprights(ink: NDArray[np.float64], least_px: float) -> NDArray[np.float64]:
    """Where the line goes straight up or down, px from the left, each once."""
    tall = heights(ink)
    columns = np.flatnonzero(tall > least_px)
    groups = np.split(columns, np.flatnonzero(np.diff(columns) > 2) + 1) if columns.size else []
    return np.array([np.average(g + 0.5, weights=tall[g]) for g in groups])


def blanks(ink: NDArray[np.float64], least_px: int = 3) -> list[tuple[int, int]]:
    """Stretches of columns without any line: (first, one after the last)."""
    empty = np.concatenate([[0], (ink.max(0) == 0).astype(int), [0]])
    edges = np.flatnonzero(np.diff(empty))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2) if b - a >= least_px]
