// One for the whole page: the connection to the server, the signals, the clock of all traces.

import { Signal, parseChunk } from "./signal.js";
import { Sound } from "./sound.js";

const SILENT_MS = 6000; // the server says something every 2 s
const RETRY_MS = [250, 4000];

/** Lives at `window.__telerhythm`, and so through every rerun of the page. */
export class Screen {
  constructor() {
    this.counters = { frames: 0, chunks: 0, connections: 0, oldest_ms: 0, latency_ms: {} };
    this.signals = new Map();
    this.sound = new Sound();
    this.traces = new Set();
    this.ward = null;
    this.retry = RETRY_MS[0];
    this.trouble = null;
    this.frame = this.frame.bind(this);
    requestAnimationFrame(this.frame);
    setInterval(() => this.watch(), 500);
  }

  signal(bed) {
    if (!this.signals.has(bed)) this.signals.set(bed, new Signal());
    return this.signals.get(bed);
  }

  /** Show this ward; nothing happens when it is shown already. */
  show(ward) {
    if (ward === this.ward) return;
    this.ward = ward;
    this.signals.clear();
    this.connect();
  }

  connect() {
    clearTimeout(this.timer);
    this.drop();
    const address = new URL("live", location.href);
    address.protocol = address.protocol.replace("http", "ws");
    address.search = new URLSearchParams({ ward: this.ward });
    const socket = new WebSocket(address);
    socket.binaryType = "arraybuffer";
    socket.onmessage = (event) => this.take(event.data);
    socket.onclose = () => this.lost();
    this.socket = socket;
    this.heard = performance.now();
    this.counters.connections++;
  }

  drop() {
    if (!this.socket) return;
    this.socket.onmessage = this.socket.onclose = null;
    this.socket.close();
    this.socket = null;
  }

  lost() {
    this.drop();
    this.alert("the dashboard's server does not answer");
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.connect(), this.retry * (0.75 + Math.random() / 2));
    this.retry = Math.min(this.retry * 2, RETRY_MS[1]);
  }

  take(data) {
    const now = performance.now();
    this.heard = now;
    if (typeof data === "string") {
      const told = JSON.parse(data);
      if (told.kind === "history") {
        this.age = told.age_s * 1000;
        this.counters.oldest_ms = Math.max(this.counters.oldest_ms, this.age);
      } else {
        this.retry = RETRY_MS[0];
        this.sound.tell(told.audible);
        this.alert(told.broker ? null : "the message broker does not answer");
      }
      return;
    }
    const chunk = parseChunk(data);
    this.signal(chunk.bed).take(chunk, now, this.age);
    this.age = 0;
    this.counters.chunks++;
  }

  watch() {
    if (this.socket && performance.now() - this.heard > SILENT_MS) this.lost();
    const clock = document.querySelector(".trh-clock");
    if (clock) clock.textContent = timeOf(Date.now());
    this.sound.show();
  }

  frame(now) {
    requestAnimationFrame(this.frame);
    this.counters.frames++;
    for (const trace of this.traces) trace.frame(now);
  }

  /** Say over everything that what is seen is not live; null when it is again. */
  alert(trouble) {
    if (trouble === this.trouble) return;
    let banner = document.getElementById("trh-banner");
    if (!banner) {
      banner = document.body.appendChild(document.createElement("div"));
      banner.id = "trh-banner";
      banner.setAttribute("role", "alert");
    }
    if (!this.trouble) this.since = timeOf(Date.now());
    this.trouble = trouble;
    this.sound.disconnected(!!trouble);
    document.documentElement.classList.toggle("trh-disconnected", !!trouble);
    banner.hidden = !trouble;
    banner.textContent = trouble
      ? `✕ Disconnected from server since ${this.since}: ${trouble}. Nothing here is live: watch the patients.`
      : "";
  }
}

export function timeOf(ms) {
  return new Date(ms).toTimeString().slice(0, 8);
}

export function theScreen() {
  window.__telerhythm ??= new Screen();
  return window.__telerhythm;
}
