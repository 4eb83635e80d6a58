// The list of active alarms. It keeps still while somebody is about to press a button in it: what
// stood under the pointer stays there, and what is new is counted until the hand is gone.

const HELD_MS = 15000; // a pointer that was left lying there does not hold the list for ever
const GONE = "over";
// A press may be lost while the page is drawn again: it is repeated until the page shows that it was
// heard. To acknowledge twice is to acknowledge once.
const REPEAT_MS = 3000;
const MOST_TIMES = 3;

/** How entries stand while the list is held: none moves, those that are gone stay, new ones follow. */
export function heldOrder(shown, wanted) {
  return [...shown, ...wanted.filter((key) => !shown.includes(key))];
}

export class AlarmList {
  /** `act(entry)` is called with what was pressed: `{ bed, id, action }`. */
  constructor(host, act) {
    this.title = host.querySelector(".trh-dock-title");
    this.news = host.querySelector(".trh-news");
    this.log = host.querySelector(".trh-log");
    this.box = host.querySelector(".trh-alarms");
    this.act = act;
    this.shown = new Map(); // key: element, in the order of the page
    this.entries = new Map(); // key: entry
    this.movedAt = -Infinity;
    this.isInside = false;
    this.pressed = null;
    this.sent = new Map(); // key: { action, times, at }, of presses that the page does not show yet
    const on = (kind, what) => this.box.addEventListener(kind, what);
    on("pointerenter", () => this.moved(true));
    on("pointermove", () => this.moved(true));
    on("pointerleave", () => this.moved(false));
    on("pointerdown", (event) => {
      this.moved(true);
      this.pressed = this.keyAt(event.target);
    });
    on("click", (event) => this.click(event));
    on("focusout", () => setTimeout(() => this.settle()));
    window.addEventListener("pointerup", () => setTimeout(() => (this.pressed = null)));
    setInterval(() => {
      this.settle();
      this.repeat();
    }, 500);
  }

  /** `entries`: `{ key, id, bed, html, action, look, short }`, urgent first. */
  update({ title, look, log, entries }) {
    this.wanted = entries.map((entry) => entry.key);
    this.entries = new Map(entries.map((entry) => [entry.key, entry]));
    write(this.title, title);
    this.log.href = log;
    this.title.className = `trh-dock-title ${look}`;
    this.settle();
  }

  isHeld() {
    const pointed = this.isInside && performance.now() - this.movedAt < HELD_MS;
    return pointed || this.pressed !== null || !!this.box.querySelector(":focus-visible");
  }

  settle() {
    if (!this.wanted) return;
    const isHeld = this.isHeld();
    if (!isHeld) this.known = new Set(this.wanted);
    const order = isHeld ? heldOrder([...this.shown.keys()], this.wanted) : this.wanted;
    const shown = new Map(order.map((key) => [key, this.shown.get(key) ?? this.make(key)]));
    for (const [key, element] of this.shown) if (!shown.has(key)) element.remove();
    let at = this.box.firstChild;
    for (const [key, element] of shown) {
      this.fill(element, key);
      if (element === at) at = at.nextSibling;
      else this.box.insertBefore(element, at);
    }
    this.shown = shown;
    this.tellNews();
  }

  make(key) {
    const element = document.createElement("div");
    element.className = "trh-entry";
    element.dataset.key = key;
    element.innerHTML = "<div class='trh-card'></div><button type='button'></button>";
    return element;
  }

  fill(element, key) {
    const entry = this.entries.get(key);
    const button = element.lastChild;
    element.classList.toggle("gone", !entry);
    button.disabled = !entry;
    if (!entry) return write(button, GONE);
    if (element.html !== entry.html) element.firstChild.innerHTML = element.html = entry.html;
    button.hidden = !entry.action;
    write(button, entry.action ?? "");
  }

  /** What has come since the list was held, and would stand elsewhere. */
  tellNews() {
    const fresh = this.wanted.filter((key) => !this.known.has(key)).map((key) => this.entries.get(key));
    const first = fresh[0];
    this.news.className = `trh-news ${first ? first.look : ""}`;
    write(this.news, first ? `${fresh.length} new: ${first.short}` : "");
  }

  moved(isInside) {
    this.isInside = isInside;
    this.movedAt = performance.now();
    if (!isInside) this.settle();
  }

  keyAt(element) {
    return element.closest("button") ? element.closest(".trh-entry").dataset.key : null;
  }

  click(event) {
    // that of the moment at which the finger went down, whatever came since
    const key = this.pressed ?? this.keyAt(event.target);
    this.pressed = null;
    const entry = key && this.keyAt(event.target) === key && this.entries.get(key);
    if (entry?.action) this.press(entry, 1);
  }

  press({ key, bed, id, action }, times) {
    this.sent.set(key, { action, times, at: performance.now() });
    this.act({ bed, id, action });
  }

  /** Presses that have had no effect for a while are sent again. */
  repeat() {
    for (const [key, { action, times, at }] of this.sent) {
      const entry = this.entries.get(key);
      if (entry?.action !== action || times === MOST_TIMES) this.sent.delete(key);
      else if (performance.now() - at > REPEAT_MS) this.press(entry, times + 1);
    }
  }
}

function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export default function ({ parentElement, data, setTriggerValue }) {
  const host = parentElement.querySelector(".trh-list");
  host.act = (pressed) => setTriggerValue("pressed", pressed);
  host.list ??= new AlarmList(host, (pressed) => host.act(pressed));
  host.list.update(data);
}
