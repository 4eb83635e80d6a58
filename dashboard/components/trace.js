// One bed's trace: a sweep with an erase bar, as bedside monitors draw it, on ECG paper.

import { timeOf } from "./screen.js";

const SPEED_MM_S = 25;
const MARGIN_MM = 6; // left of the paper's first line: the calibration mark
const ERASE_MM = 5;
const STALE_MS = 2500; // longer than any jitter; serve alarms after 5 s
const RECENTRE_MM = 3;
// Beats by WFDB code: a letter and a colour, so that neither alone tells them apart. What most beats
// are is a faint dot: it shows that the beat was seen, and lets the others stand out.
const BEATS = {
  N: ["", "#6f8f80"], S: ["S", "#7cc4ff"], V: ["V", "#ff6b5e"], F: ["F", "#ffb45e"],
  "/": ["P", "#e6edf3"], Q: ["?", "#9aa7b2"],
};
const MARK_PX = 15; // width and height of a letter
const SEAM_PX = 3; // columns that are drawn again, so that no seam shows between two strokes
const COLOUR = { paper: "#06090b", trace: "#3fe07f", minor: "#16211d", major: "#2d4138", mark: "#9aa7b2", clip: "#ffb020" };
// by ecg.codes.QualityCode
const QUALITY = ["", "Noisy signal", "Baseline jumps", "Signal saturated", "Flat line", "Lead off"];

export class Trace {
  constructor(host, screen) {
    this.screen = screen;
    this.host = host;
    this.paper = host.querySelector(".trh-paper");
    this.canvas = host.querySelector(".trh-canvas");
    this.pen = this.canvas.getContext("2d");
    this.note = host.querySelector(".trh-note");
    this.leadButton = host.querySelector(".trh-lead");
    this.leadButton.onclick = () => this.nextLead();
    this.lead = 0;
    this.observer = new ResizeObserver(() => (this.size = null));
    this.observer.observe(host);
    screen.traces.add(this);
  }

  /** `data`: ward, bed, px_per_mm (CSS pixels), mm_per_mv. */
  set(data) {
    const same = this.data && ["bed", "ward", "px_per_mm", "mm_per_mv"].every((k) => this.data[k] === data[k]);
    this.data = data;
    if (!same) this.size = null;
  }

  remove() {
    this.observer.disconnect();
    this.screen.traces.delete(this);
  }

  nextLead() {
    const signal = this.screen.signal(this.data.bed);
    if (!signal.hasSignal) return;
    this.lead = (this.lead + 1) % signal.leads.length;
    this.reset();
  }

  frame(now) {
    if (!this.data) return;
    if (!this.size || this.size.ratio !== devicePixelRatio) this.resize();
    if (!this.size) return;
    const signal = this.screen.signal(this.data.bed);
    this.tell(signal, now);
    const head = signal.hasSignal ? signal.playout.head(now, signal.fs) : null;
    if (head === null) return;
    if (signal !== this.signal || signal.epoch !== this.epoch) {
      this.signal = signal;
      this.epoch = signal.epoch;
      if (this.lead >= signal.leads.length) this.lead = 0;
      this.reset();
    }
    this.advance(signal, head);
    this.screen.counters.latency_ms[this.data.bed] = Date.now() - (signal.zeroMs + (head / signal.fs) * 1000);
  }

  resize() {
    const ratio = devicePixelRatio;
    const { width, height } = this.host.getBoundingClientRect();
    if (width < 40 || height < 20) return;
    const page = getComputedStyle(document.documentElement);
    const scale = parseFloat(page.getPropertyValue("--scale")) || 1; // of the page, and so of the mm
    const px = this.data.px_per_mm * ratio * scale;
    const margin = Math.round(MARGIN_MM * px);
    this.size = {
      ratio, px, margin, dot: ratio * scale,
      w: Math.floor(width * ratio) - margin,
      h: Math.floor(height * ratio),
      gain: px * this.data.mm_per_mv,
      erase: Math.round(ERASE_MM * px),
    };
    for (const canvas of [this.paper, this.canvas]) {
      canvas.width = this.size.w + margin;
      canvas.height = this.size.h;
      canvas.style.width = `${canvas.width / ratio}px`;
      canvas.style.height = `${canvas.height / ratio}px`;
    }
    this.drawPaper();
    this.reset();
  }

  drawPaper() {
    const { px, margin, w, h, gain, dot } = this.size;
    const pen = this.paper.getContext("2d");
    const line = Math.max(1, Math.round(dot));
    const middle = Math.round(h / 2);
    for (const [step, colour] of [[1, COLOUR.minor], [5, COLOUR.major]]) {
      pen.fillStyle = colour;
      for (let i = 0; i * step * px < w; i++) pen.fillRect(margin + Math.round(i * step * px), 0, line, h);
      for (let y = middle % (step * px) - step * px; y < h; y += step * px) pen.fillRect(margin, Math.round(y), w, line);
    }
    // 1 mV: from its foot to its top, with feet, in the margin
    const x = Math.round(margin * 0.45), foot = Math.round(middle + gain / 2), top = Math.round(foot - gain);
    pen.strokeStyle = pen.fillStyle = COLOUR.mark;
    pen.lineWidth = 1.5 * dot;
    pen.beginPath();
    pen.moveTo(x - 4 * dot, foot);
    pen.lineTo(x, foot);
    pen.lineTo(x, top);
    pen.lineTo(x + 4 * dot, top);
    pen.stroke();
    pen.font = `${9 * dot}px "Source Sans", sans-serif`;
    pen.textAlign = "center";
    pen.fillText("1 mV", margin / 2, Math.min(h - 3 * dot, foot + 11 * dot));
  }

  /** Draw all that is known anew with the next frame. */
  reset() {
    this.pen.clearRect(0, 0, this.canvas.width, this.canvas.height);
    this.drawn = -Infinity; // sample up to which it is drawn
    this.erased = null; // column, counted from the start of the epoch, up to which it is erased
    this.middles = new Map(); // of each sweep: mV in the middle of the tile
    this.waiting = []; // beats that are not marked yet
    this.beatsSeen = 0;
  }

  advance(signal, head) {
    const { w, px, erase } = this.size;
    const perSample = (SPEED_MM_S * px) / signal.fs;
    const column = Math.floor(head * perSample);
    if (signal.rewritten < this.drawn) {
      this.drawn = signal.rewritten;
      this.beatsSeen = 0; // their marks may go with what is drawn anew
      this.waiting = [];
    }
    signal.rewritten = Infinity;
    const oldest = column - w + erase;
    if (this.erased !== null && column + erase > this.erased) this.clear(Math.max(this.erased, oldest), column + erase);
    this.erased = column + erase;
    const from = Math.max(Math.floor(this.drawn * perSample) - SEAM_PX, oldest, Math.ceil(signal.first * perSample));
    const last = Math.min(head, signal.end - 1);
    const to = Math.floor(last * perSample) + 1;
    if (to > from && last > this.drawn) {
      this.clear(from, to);
      for (let a = from; a < to; ) {
        const b = Math.min(to, (Math.floor(a / w) + 1) * w);
        this.draw(signal, a, b, perSample);
        a = b;
      }
      this.drawn = last;
    }
    this.markBeats(signal, Math.min(column, from), oldest, perSample);
  }

  /**
   * Mark beats above the line where they are, as soon as their classes are known and the line has
   * passed them: what is right of `end` is still drawn over.
   */
  markBeats(signal, end, oldest, perSample) {
    if (signal.beatsTold > this.beatsSeen) this.waiting.push(...signal.beatsAfter(this.beatsSeen));
    this.beatsSeen = signal.beatsTold;
    if (!this.waiting.length) return;
    const half = (MARK_PX / 2) * this.size.dot;
    const later = [];
    for (const beat of this.waiting) {
      const at = beat[0] * perSample;
      if (at + half > end) later.push(beat);
      else if (at - half > oldest) this.mark(at, beat[1]);
    }
    this.waiting = later;
  }

  mark(at, code) {
    const { w, margin, dot } = this.size;
    const half = (MARK_PX / 2) * dot;
    const x = margin + Math.max(half, Math.min(mod(at, w), w - half)); // a letter at the edge is not cut
    const [letter, colour] = BEATS[code] ?? BEATS.Q;
    const pen = this.pen;
    pen.fillStyle = colour;
    if (!letter) {
      pen.fillRect(Math.round(x - 1.5 * dot), Math.round(6 * dot), Math.round(3 * dot), Math.round(3 * dot));
      return;
    }
    pen.font = `700 ${MARK_PX * dot}px "Source Sans", sans-serif`;
    pen.textAlign = "center";
    pen.lineWidth = 2.5 * dot;
    pen.strokeStyle = COLOUR.paper;
    pen.strokeText(letter, x, MARK_PX * dot);
    pen.fillText(letter, x, MARK_PX * dot);
  }

  clear(from, to) {
    const { w, h, margin } = this.size;
    for (let a = from; a < to; ) {
      const b = Math.min(to, (Math.floor(a / w) + 1) * w);
      this.pen.clearRect(margin + mod(a, w), 0, b - a, h);
      a = b;
    }
  }

  /** Columns `from` to `to` of one sweep. */
  draw(signal, from, to, perSample) {
    const { w, h, margin, gain, dot } = this.size;
    const sweep = Math.floor(from / w);
    const left = margin - sweep * w;
    const middle = this.middle(signal, sweep, perSample);
    const pen = this.pen;
    pen.save();
    pen.beginPath();
    pen.rect(left + from, 0, to - from, h);
    pen.clip();
    pen.strokeStyle = COLOUR.trace;
    pen.lineWidth = 1.6 * dot;
    pen.lineJoin = pen.lineCap = "round";
    pen.beginPath();
    const first = Math.floor((from - SEAM_PX) / perSample), end = Math.ceil((to + 1) / perSample) + 1;
    const outside = [];
    let down = false;
    const point = (i, mv) => {
      const x = left + i * perSample, y = h / 2 - (mv - middle) * gain;
      if (y < 0 || y > h) outside.push([x, y < 0]);
      if (down) pen.lineTo(x, y);
      else pen.moveTo(x, y), pen.lineTo(x, y);
      down = true;
    };
    this.eachPoint(signal, first, end, perSample, point, () => (down = false));
    pen.stroke();
    pen.fillStyle = COLOUR.clip; // what does not fit is not hidden
    for (const [x, above] of outside) pen.fillRect(x - 1.5 * dot, above ? 0 : h - 4 * dot, 3 * dot, 4 * dot);
    pen.restore();
  }

  /**
   * The samples of a stretch that shape the line: of those in one column the first, the lowest,
   * the highest and the last, so that no peak is lost however many there are.
   */
  eachPoint(signal, first, end, perSample, point, gap) {
    const column = (i) => Math.floor(i * perSample);
    for (let i = first; i < end; ) {
      let mv = signal.at(this.lead, i);
      if (mv !== mv) { gap(); i++; continue; }
      let low = i, high = i, last = i, lowMv = mv, highMv = mv, lastMv = mv;
      const firstMv = mv, start = i;
      for (i++; i < end && column(i) === column(start); i++) {
        mv = signal.at(this.lead, i);
        if (mv !== mv) break;
        if (mv < lowMv) (lowMv = mv), (low = i);
        if (mv > highMv) (highMv = mv), (high = i);
        (last = i), (lastMv = mv);
      }
      point(start, firstMv);
      const extremes = low < high ? [[low, lowMv], [high, highMv]] : [[high, highMv], [low, lowMv]];
      for (const [at, value] of extremes) if (at > start && at < last) point(at, value);
      if (last > start) point(last, lastMv);
    }
  }

  /**
   * What stands in the middle of the tile during a sweep: it moves only between two sweeps, at the
   * erase bar, so that within a sweep a step of the line is a step of the signal.
   */
  middle(signal, sweep, perSample) {
    if (!this.middles.has(sweep)) {
      const { w, px } = this.size;
      const start = Math.floor((sweep * w) / perSample), length = Math.ceil(w / perSample);
      const before = this.middles.get(sweep - 1);
      const now = signal.middle(this.lead, start - length, start + length);
      const limit = (RECENTRE_MM * px) / this.size.gain;
      const stays = before !== undefined && (now === null || Math.abs(now - before) < limit);
      this.middles.set(sweep, stays ? before : (now ?? 0));
      this.middles.delete(sweep - 3);
    }
    return this.middles.get(sweep);
  }

  /** What stands on the trace in words. */
  tell(signal, now) {
    const stale = signal.hasSignal && now - signal.heard > STALE_MS;
    const quality = (signal.hasSignal && QUALITY[signal.quality[this.lead]]) || "";
    const text = !signal.hasSignal ? "Waiting for signal"
      : stale ? `No signal since ${timeOf(signal.heardAt)}` : quality;
    const lead = signal.hasSignal ? signal.leads[this.lead] ?? "" : "";
    write(this.note, text);
    this.note.classList.toggle("trh-small", signal.hasSignal && !stale);
    this.host.classList.toggle("trh-stale", stale);
    write(this.leadButton, lead);
    write(this.host.querySelector(".trh-scale"), `${SPEED_MM_S} mm/s  ${this.data.mm_per_mv} mm/mV`);
  }
}

function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function mod(a, n) {
  return ((a % n) + n) % n;
}
