import { gettext } from "./gettext.js";

const RESEND_MS = 3000; // the shortest time between two signals that I am typing
const EXPIRE_MS = 6000; // a person without a new signal for this time has stopped typing

/** Shows who is typing, and signals to the others that I am typing. */
export class TypingIndicator {
  /** @type {Map<number, {name: string, timer: number}>} */
  #others = new Map();
  #sentAt = -Infinity;

  /** @param {HTMLElement} dots @param {HTMLElement} names @param {(on: boolean) => void} send tells the server that I am typing or have stopped */
  constructor(dots, names, send) {
    this.dots = dots;
    this.names = names;
    this.send = send;
  }

  /** Signal that I am typing or have stopped, unless the others know it. @param {boolean} on */
  setOwn(on) {
    const now = performance.now();
    if (on ? now - this.#sentAt < RESEND_MS : now - this.#sentAt > EXPIRE_MS) return;
    this.#sentAt = on ? now : -Infinity;
    this.send(on);
  }

  /** Show that another person is typing or has stopped. @param {import("./frames.js").Person} person @param {boolean} on */
  setOther(person, on) {
    clearTimeout(this.#others.get(person.id)?.timer);
    if (on) {
      const timer = setTimeout(() => this.setOther(person, false), EXPIRE_MS);
      this.#others.set(person.id, { name: person.name, timer });
    } else this.#others.delete(person.id);
    const names = [...this.#others.values()].map(({ name }) => name);
    this.dots.hidden = names.length === 0;
    this.names.textContent = describe(names);
  }
}

/** @param {string[]} names */
function describe(names) {
  if (names.length === 0) return "";
  if (names.length === 1) return gettext("{name} is typing", { name: names[0] ?? "" });
  if (names.length === 2) return gettext("{name} and {other} are typing", { name: names[0] ?? "", other: names[1] ?? "" });
  return gettext("Several people are typing");
}
