// @ts-check
/** Shows the state in the page: each view renders one part of it, when that part has changed. */

import * as store from "./store.js";
import { drawPad, drawSeen } from "./drawing.js";

/** @typedef {import("./store.js").State} State */

/**
 * @template {HTMLElement} T
 * @param {string} id
 * @param {new () => T} type
 * @returns {T}
 */
export function element(id, type) {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new Error(`index.html: expected ${type.name} #${id}`);
  return found;
}

/** A share in words, never calling what is not quite certain certain. @param {number} share */
function percent(share) {
  return share >= 0.9995 ? "> 99.9 %" : `${(100 * share).toFixed(1)} %`;
}

/** An answer in words. @param {import("./store.js").Answer} answer */
function verdict({ digit, probabilities, refused }) {
  if (refused) return `Does not look like a digit; best guess ${digit}`;
  return `${percent(probabilities[digit] ?? 0)} sure`;
}

/** The canvas: drawn in the next frame, however often the ink changes before. */
function viewPad() {
  const pad = element("pad", HTMLCanvasElement);
  let asked = false;
  const draw = () => {
    asked = false;
    drawPad(pad, store.get().strokes, store.get().pen);
  };
  const drawSoon = () => {
    if (!asked) requestAnimationFrame(draw);
    asked = true;
  };
  store.subscribe((now, before) => {
    if (now.strokes !== before.strokes || now.pen !== before.pen) drawSoon();
  });
  new ResizeObserver(drawSoon).observe(pad);
  for (const query of ["(prefers-color-scheme: dark)", "(forced-colors: active)"]) {
    matchMedia(query).addEventListener("change", drawSoon);
  }
  window.addEventListener("resize", drawSoon); // a zoom changes devicePixelRatio and no size
  drawSoon();
}

/** The buttons below the pad, and the hint on it. */
function viewTools() {
  const pad = element("pad", HTMLCanvasElement);
  const undo = element("undo", HTMLButtonElement);
  const clear = element("clear", HTMLButtonElement);
  const hint = element("pad-hint", HTMLElement);
  /** @param {State} state */
  const render = ({ strokes, pen }) => {
    const none = strokes.length === 0;
    // A button that is disabled loses the focus, to nothing at all.
    if (none && [undo, clear].some((button) => button === document.activeElement)) pad.focus({ preventScroll: true });
    undo.disabled = clear.disabled = none;
    hint.hidden = strokes.length > 0 || pen.shown;
  };
  store.subscribe((now, before) => {
    if (now.strokes !== before.strokes || now.pen !== before.pen) render(now);
  });
  render(store.get());
}

/** The digit, its confidence, and the picture that the network saw. */
function viewAnswer() {
  const digit = element("prediction", HTMLElement);
  const confidence = element("confidence", HTMLElement);
  const seen = element("seen", HTMLCanvasElement);
  /** @param {State} state */
  const render = ({ answer }) => {
    digit.dataset.digit = answer ? String(answer.digit) : "";
    digit.dataset.refused = String(answer?.refused ?? false);
    digit.textContent = answer ? String(answer.digit) : "";
    confidence.textContent = answer ? verdict(answer) : "";
  };
  store.subscribe((now, before) => {
    if (now.answer === before.answer) return;
    render(now);
    drawSeen(seen, now.answer?.pixels ?? null); // until the first answer the style sheet makes it black
  });
  render(store.get());
}

/** Ten bars, one for each digit. */
function viewBars() {
  const list = element("bars", HTMLElement);
  const bars = Array.from({ length: 10 }, (_, digit) => {
    const row = document.createElement("li");
    row.className = "bar";
    row.dataset.testid = "probability";
    row.dataset.digit = String(digit);
    const track = document.createElement("span");
    track.className = "bar-track";
    const fill = document.createElement("span");
    fill.className = "bar-fill";
    const name = document.createElement("span");
    name.className = "bar-digit";
    name.textContent = String(digit);
    const share = document.createElement("span");
    share.className = "hidden";
    track.append(fill);
    row.append(track, name, share);
    return { row, fill, share };
  });
  list.replaceChildren(...bars.map(({ row }) => row));
  /** @param {State} state */
  const render = ({ answer }) => {
    bars.forEach(({ row, fill, share }, digit) => {
      const probability = answer?.probabilities[digit] ?? 0;
      row.dataset.probability = String(probability);
      row.classList.toggle("bar-best", answer?.digit === digit && !answer.refused);
      fill.style.setProperty("--share", String(probability));
      share.textContent = answer ? `: ${percent(probability)}` : "";
    });
  };
  store.subscribe((now, before) => {
    if (now.answer !== before.answer) render(now);
  });
  render(store.get());
}

/** Loading, ready or failed, in words and in <html data-state>; how Python started in data-boot. */
function viewStatus() {
  const status = element("status", HTMLElement);
  const progress = element("progress", HTMLProgressElement);
  const retry = element("retry", HTMLButtonElement);
  /** @param {State} state */
  const render = ({ phase, message, progress: share, boot }) => {
    document.documentElement.dataset.state = phase;
    if (boot) document.documentElement.dataset.boot = boot;
    if (status.textContent !== message) status.textContent = message; // each change is read out
    progress.value = share;
    progress.hidden = phase !== "loading";
    retry.hidden = phase !== "error";
  };
  store.subscribe(render);
  render(store.get());
}

/** The choice of networks. */
function viewModels() {
  const select = element("model", HTMLSelectElement);
  store.subscribe((now, before) => {
    if (now.networks !== before.networks) {
      const options = now.networks.map(({ name, accuracy }) => {
        const known = accuracy !== undefined;
        const text = known ? `${name}: ${(100 * accuracy).toFixed(2)} %` : name;
        return new Option(text, name);
      });
      select.replaceChildren(...options);
      select.disabled = false;
    }
    if (now.model !== before.model) select.value = now.model;
  });
}

/** Whether the site is kept on the device, in a line that always has its place. */
function viewOffline() {
  const words = {
    no: "",
    keeping: "Being kept for offline use …",
    ready: "Ready for offline use",
    insecure: "Offline use needs https or localhost",
    never: "Not kept for offline use here",
    update: "A new version is ready:",
  };
  const text = element("offline", HTMLElement);
  const link = element("reload", HTMLAnchorElement);
  store.subscribe(({ offline }, before) => {
    if (offline === before.offline) return;
    text.textContent = words[offline];
    link.hidden = offline !== "update";
  });
}

/** How long the ink must rest before an answer is read out, in milliseconds. */
const REST = 700;

/** For screen readers: the answer when the ink has come to rest, and the keyboard's pen. */
function viewAnnouncer() {
  const announcer = element("announcer", HTMLElement);
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  store.subscribe((now, before) => {
    if (now.pen.down !== before.pen.down) announcer.textContent = now.pen.down ? "Pen down" : "Pen up";
    if (now.answer === before.answer) return;
    clearTimeout(timer);
    const { answer } = now;
    if (!answer) return;
    const text = answer.refused ? verdict(answer) : `Looks like ${answer.digit}, ${verdict(answer)}`;
    timer = setTimeout(() => (announcer.textContent = text), REST);
  });
}

/** Show the whole page and keep it up to date. */
export function start() {
  viewPad();
  viewTools();
  viewAnswer();
  viewBars();
  viewStatus();
  viewModels();
  viewOffline();
  viewAnnouncer();
}
