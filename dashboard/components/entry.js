// What Streamlit calls: at the first mount, and again at every run of the page.

import { theScreen } from "./screen.js";
import { Trace } from "./trace.js";

export default function ({ parentElement, data }) {
  const screen = theScreen();
  screen.show(data.ward);
  const host = parentElement.querySelector(".trh-trace");
  if (!data.bed) return;
  host.hidden = false;
  host.dataset.bed = data.bed;
  host.trace ??= new Trace(host, screen);
  host.trace.set(data);
  return () => {
    // a rerun may take the function down and up again around the same element
    setTimeout(() => {
      if (host.isConnected) return;
      host.trace?.remove();
      host.trace = undefined;
    });
  };
}
