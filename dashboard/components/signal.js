// A bed's signal as it arrives, and the clock by which it is shown.

export const KEPT_S = 30;

/** A chunk of `ecg.live`: its header, with `x`, int16, lead after lead. */
export function parseChunk(buffer) {
  const size = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, size)));
  header.x = new Int16Array(buffer, 4 + size);
  return header;
}

/**
 * When which sample is to be shown.
 *
 * Samples come in chunks, each a little early or late. The lateness of a chunk is when it came,
 * less the time of its first sample in the stream. Showing everything as late as the latest chunk
 * of the last while, and a little more, no chunk is missed; the sweep then moves evenly.
 * Times are milliseconds of `performance.now()`.
 */
export class Playout {
  static WINDOW_MS = 20000; // jitter older than that is forgotten
  static MARGIN_MS = 60; // a few frames of the screen
  static MOST_JITTER_MS = 700; // a chunk that is later is drawn late; the others do not wait
  static CATCH_UP = 0.1; // share by which the sweep runs faster or slower to get there
  static JUMP_MS = 1200; // farther off than that it does not run, it jumps

  constructor() {
    this.lateness = []; // [when it came, lateness]
    this.base = null; // ms at which sample 0 is shown
    this.moved = 0;
  }

  arrived(now, firstSample, fs) {
    this.lateness.push([now, now - (firstSample / fs) * 1000]);
    while (this.lateness[0][0] < now - Playout.WINDOW_MS) this.lateness.shift();
  }

  target() {
    let least = Infinity, most = -Infinity;
    for (const [, late] of this.lateness) {
      if (late < least) least = late;
      if (late > most) most = late;
    }
    return Math.min(most, least + Playout.MOST_JITTER_MS) + Playout.MARGIN_MS;
  }

  /** The sample, a fraction, that is shown now; null before the first chunk. */
  head(now, fs) {
    if (!this.lateness.length) return null;
    const error = this.target() - (this.base ?? 0);
    if (this.base === null || Math.abs(error) > Playout.JUMP_MS) {
      this.base += error;
    } else {
      const step = (now - this.moved) * Playout.CATCH_UP;
      this.base += Math.max(-step, Math.min(step, error));
    }
    this.moved = now;
    return ((now - this.base) / 1000) * fs;
  }
}

/** The last seconds of one bed, in mV; NaN where there is no sample. */
export class Signal {
  constructor() {
    this.epoch = null;
    this.hasSignal = false;
  }

  /**
   * Take a chunk that came `ageMs` ago.
   * A chunk of another epoch begins the signal anew; one whose `sample` jumps leaves a gap.
   */
  take(chunk, now, ageMs = 0) {
    if (chunk.epoch !== this.epoch || chunk.leads.length !== this.leads.length) this.begin(chunk);
    const n = chunk.x.length / chunk.leads.length;
    if (!n) return;
    const first = chunk.sample;
    if (first < this.end) this.rewritten = Math.min(this.rewritten, first);
    for (let i = Math.max(this.end, first - this.capacity); i < first; i++) this.put(i, null, 0);
    for (let i = 0; i < n; i++) this.put(first + i, chunk, i);
    this.end = Math.max(this.end, first + n);
    this.first = Math.max(this.first, this.end - this.capacity);
    this.playout.arrived(now - ageMs, first, this.fs);
    this.quality = chunk.quality;
    this.note(chunk.beats);
    // device time of sample 0, for the latency that is told
    this.zeroMs = Number(BigInt(chunk.t_ns) / 1000000n) - (first / this.fs) * 1000;
    this.heard = now - ageMs;
    this.heardAt = Date.now() - ageMs;
    this.hasSignal = true;
  }

  begin(chunk) {
    this.epoch = chunk.epoch;
    this.leads = chunk.leads;
    this.fs = chunk.fs_hz;
    this.capacity = Math.ceil(KEPT_S * this.fs);
    this.mv = chunk.leads.map(() => new Float32Array(this.capacity).fill(NaN));
    this.first = this.end = chunk.sample;
    this.beats = []; // [sample, code], in the order in which their classes became known
    this.beatsTold = 0; // how many there have been, with those that are no longer kept
    this.rewritten = Infinity; // earliest sample that changed after it may have been drawn
    this.playout = new Playout();
  }

  note(beats) {
    this.beats.push(...beats);
    this.beatsTold += beats.length;
    let old = 0;
    while (old < this.beats.length && this.beats[old][0] < this.first) old++;
    if (old) this.beats.splice(0, old);
  }

  /** Beats told after the first `n` of the stream. */
  beatsAfter(n) {
    return this.beats.slice(Math.max(0, this.beats.length - (this.beatsTold - n)));
  }

  put(sample, chunk, i) {
    const at = sample % this.capacity;
    const n = chunk ? chunk.x.length / chunk.leads.length : 0;
    for (let lead = 0; lead < this.leads.length; lead++) {
      const x = chunk ? chunk.x[lead * n + i] : MISSING;
      this.mv[lead][at] = x === MISSING ? NaN : (x * chunk.lsb_uv[lead]) / 1000;
    }
  }

  at(lead, sample) {
    if (sample < this.first || sample >= this.end) return NaN;
    return this.mv[lead][sample % this.capacity];
  }

  /** The middle between the lowest and highest of a stretch, but for the 0.5 % on either side. */
  middle(lead, from, to) {
    const values = [];
    for (let i = Math.max(from, this.first); i < Math.min(to, this.end); i++) {
      const v = this.at(lead, i);
      if (v === v) values.push(v);
    }
    if (!values.length) return null;
    values.sort((a, b) => a - b);
    const skip = Math.floor(values.length * 0.005);
    return (values[skip] + values[values.length - 1 - skip]) / 2;
  }
}

const MISSING = -32768; // ecg.frame.MISSING
