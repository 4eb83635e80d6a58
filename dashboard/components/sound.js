// The sound of alarms, after IEC 60601-1-8:2006+A1:2012, tables 3 and 4. It is made here: no file is
// played. What sounds, the alarm engine decides; this only plays it.

const [C4, E4, G4, C5] = [261.6, 329.6, 392.0, 523.3]; // Hz; table 4: 150 to 1000
// Table 4: at least 4 components from 300 to 4000 Hz, within 15 dB of the first
const HARMONICS = [0, 1, 0.8, 0.7, 0.6, 0.5, 0.4];
const RISE_S = 0.03, FALL_S = 0.03; // table 4: rise 10 to 40 % of a pulse
const GAP_S = 0.1; // table 3: x, 50 to 125 ms
const LEVEL = 0.5;
const LEAST_PAUSE_S = 2.5; // table 3: between two bursts, whatever their priorities
const WAKE_MS = 1000; // the browser has let it sound before: it will soon, or not any more
const AHEAD_S = 0.05; // a burst begins so much later, so that its first pulse is not cut
const KEPT = 200;
const CHOICE = "telerhythm-sound"; // key of localStorage
const DISCONNECTED = "disconnected"; // stands for an alarm id

const twice = 2 * GAP_S + 0.15;
/**
 * Table 3. `gap_s`: from the end of a pulse to the begin of the next; `pause_s`: from the last pulse of
 * a burst to the first of the next. The melodies are those of annex F for a cardiovascular cause.
 */
export const BURSTS = {
  high: {
    pulse_s: 0.15, pause_s: 4,
    gap_s: [GAP_S, GAP_S, twice, GAP_S, 0.6, GAP_S, GAP_S, twice, GAP_S],
    hz: [C4, E4, G4, G4, C5, C4, E4, G4, G4, C5],
  },
  medium: { pulse_s: 0.2, pause_s: 7.5, gap_s: [0.2, 0.2], hz: [C4, E4, G4] },
  low: { pulse_s: 0.2, pause_s: 20, gap_s: [0.2], hz: [E4, C4] },
};
const URGENT_FIRST = ["high", "medium", "low"];

/** The pulses of a burst that begins at `at`, in s: `{ at, end, hz }`. */
export function pulsesOf(priority, at) {
  const { pulse_s, gap_s, hz } = BURSTS[priority];
  return hz.map((each, i) => {
    const pulse = { at, end: at + pulse_s, hz: each, priority };
    at = pulse.end + (gap_s[i] ?? 0);
    return pulse;
  });
}

/**
 * Plays the most urgent of what is audible, burst after burst, and shows whether it can.
 *
 * A browser makes no sound before somebody has clicked or typed on the page: until then, and when
 * somebody has switched it off on this screen, that is marked.
 */
export class Sound {
  static bursts = BURSTS;
  static pulsesOf = pulsesOf;

  constructor() {
    this.audible = new Map(); // id: priority
    this.pulses = []; // those played and those to come, the latest last
    this.burst = null; // { priority, end, gain }
    this.due = 0; // when the next burst begins, at the earliest
    this.isAllowed = false; // the browser has let it sound
    this.isWanted = localStorage.getItem(CHOICE) !== "off";
    for (const kind of ["pointerdown", "keydown"]) {
      document.addEventListener(kind, (event) => this.touched(event), { capture: true });
    }
    document.addEventListener("click", (event) => {
      if (event.target.closest?.(".trh-sound")) this.choose(this.wasSilent);
    });
    if (this.isWanted) this.open(); // some browsers allow it when they know the page
    setInterval(() => this.step(), 50);
  }

  isOn() {
    return this.isWanted && this.isAllowed;
  }

  /** What is audible now: `[priority, id]` of each, as the engine tells. */
  tell(audible) {
    const before = this.audible;
    this.audible = new Map(audible.map(([priority, id]) => [id, priority]));
    if (before.has(DISCONNECTED)) this.audible.set(DISCONNECTED, "medium");
    this.heed(before);
  }

  /** Nothing is heard of the ward any more: that the page must notice by itself. */
  disconnected(isSo) {
    const before = this.audible;
    this.audible = new Map(before);
    if (isSo) this.audible.set(DISCONNECTED, "medium");
    else this.audible.delete(DISCONNECTED);
    this.heed(before);
  }

  heed(before) {
    const priority = this.mostUrgent();
    const isNew = [...this.audible].some(([id, p]) => p === priority && !before.has(id));
    if (this.burst && this.burst.priority !== priority) this.cut();
    // a new condition does not wait for the repetition of an old one
    if (isNew) this.due = Math.min(this.due, (this.burst?.end ?? this.ended ?? -Infinity) + LEAST_PAUSE_S);
    this.step();
  }

  mostUrgent() {
    const all = new Set(this.audible.values());
    return URGENT_FIRST.find((priority) => all.has(priority)) ?? null;
  }

  step() {
    if (!this.isOn() || !this.isAwake()) return;
    const now = this.context.currentTime;
    if (this.burst && now > this.burst.end) this.finish(this.burst.end);
    const priority = this.mostUrgent();
    if (priority && !this.burst && now >= this.due) this.play(priority, now + AHEAD_S);
  }

  /** Whether it can play now; while nothing is audible it sleeps, which spares the computer. */
  isAwake() {
    const isNeeded = this.burst || this.audible.size;
    if (this.context.state !== "running") {
      if (isNeeded) this.wake();
      return false;
    }
    clearTimeout(this.waking);
    this.waking = null;
    if (!isNeeded && this.context.currentTime > (this.ended ?? 0) + LEAST_PAUSE_S) {
      this.context.suspend();
      this.due = this.ended = -Infinity; // its clock stands still meanwhile
    }
    return true;
  }

  wake() {
    if (this.waking) return;
    this.context.resume();
    this.waking = setTimeout(() => {
      this.waking = null;
      this.isAllowed = this.context.state === "running";
      this.show();
    }, WAKE_MS);
  }

  play(priority, at) {
    const gain = new GainNode(this.context, { gain: LEVEL });
    gain.connect(this.context.destination);
    const pulses = pulsesOf(priority, at);
    for (const pulse of pulses) Sound.tone(this.context, pulse, gain);
    const end = pulses.at(-1).end;
    this.burst = { priority, end, gain };
    this.due = end + BURSTS[priority].pause_s;
    this.pulses.push(...pulses);
    this.pulses.splice(0, this.pulses.length - KEPT);
  }

  /** Have a pulse sound, with its rise and fall. */
  static tone(context, { at, end, hz }, target) {
    const wave = new PeriodicWave(context, { real: HARMONICS.map(() => 0), imag: HARMONICS });
    const tone = new OscillatorNode(context, { frequency: hz, periodicWave: wave });
    const shape = new GainNode(context, { gain: 0 });
    shape.gain.setValueAtTime(0, at - RISE_S);
    shape.gain.linearRampToValueAtTime(1, at);
    shape.gain.setValueAtTime(1, end);
    shape.gain.linearRampToValueAtTime(0, end + FALL_S);
    tone.connect(shape).connect(target);
    tone.start(at - RISE_S);
    tone.stop(end + FALL_S);
  }

  /** End the burst that is sounding: somebody has seen to it, or something worse has come. */
  cut() {
    const now = this.context.currentTime;
    this.burst.gain.gain.setTargetAtTime(0, now, 0.01);
    this.pulses = this.pulses.filter((pulse) => pulse.at <= now);
    this.finish(now);
    this.due = now;
  }

  finish(at) {
    const { gain } = this.burst;
    setTimeout(() => gain.disconnect(), 200);
    this.burst = null;
    this.ended = at;
  }

  // -- whether it may sound ------------------------------------------------------------------------

  open() {
    try {
      this.context ??= new AudioContext();
      this.context.onstatechange = () => this.changed();
      this.context.resume();
      this.changed();
    } catch {
      this.cannot = true; // this browser has no sound, which is shown
    }
  }

  changed() {
    if (this.context.state === "running") this.isAllowed = true;
    this.show();
    this.step();
  }

  touched(event) {
    const mark = event.target.closest?.(".trh-sound");
    // what it said when it was pressed: the press itself may let the browser sound
    if (mark) this.wasSilent = mark.classList.contains("silent");
    else if (this.isWanted && !this.isOn()) this.open();
  }

  choose(isWanted) {
    this.isWanted = isWanted;
    localStorage.setItem(CHOICE, isWanted ? "on" : "off");
    if (isWanted) return this.open();
    if (this.burst) this.cut();
    this.context?.suspend();
    this.show();
  }

  /** Say on the page whether it would sound. */
  show() {
    const mark = document.querySelector(".trh-sound");
    if (!mark) return;
    const isOn = this.isOn();
    const text = isOn ? "Sound on" : this.cannot ? "No sound: this browser has none"
      : this.isWanted ? "Sound is off until you click" : "Sound off on this screen";
    if (mark.textContent !== text) mark.textContent = text;
    mark.classList.toggle("silent", !isOn);
    mark.classList.toggle("asks", !isOn && this.isWanted);
    mark.setAttribute("aria-pressed", String(isOn));
  }
}
