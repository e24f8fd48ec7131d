import { gettext } from "./gettext.js";

const TELL = 3000; // ms between two signals that I am typing
const FORGET = 6000; // ms after which somebody's silence means that they stopped

/** Who is typing: the line that says it, and the signals that I send. */
export class Typing {
  /** @type {Map<number, {name: string, timer: number}>} */
  #others = new Map();
  #told = -Infinity;

  /** @param {HTMLElement} dots @param {HTMLElement} names @param {(on: boolean) => void} tell */
  constructor(dots, names, tell) {
    this.dots = dots;
    this.names = names;
    this.tell = tell;
  }

  /** @param {boolean} on */
  mine(on) {
    const now = performance.now();
    if (on ? now - this.#told < TELL : now - this.#told > FORGET) return;
    this.#told = on ? now : -Infinity;
    this.tell(on);
  }

  /** @param {import("./frames.js").Person} person @param {boolean} on */
  theirs(person, on) {
    clearTimeout(this.#others.get(person.id)?.timer);
    if (on) {
      const timer = setTimeout(() => this.theirs(person, false), FORGET);
      this.#others.set(person.id, { name: person.name, timer });
    } else this.#others.delete(person.id);
    const names = [...this.#others.values()].map(({ name }) => name);
    this.dots.hidden = names.length === 0;
    this.names.textContent = sentence(names);
  }
}

/** @param {string[]} names */
function sentence(names) {
  if (names.length === 0) return "";
  if (names.length === 1) return gettext("{name} is typing", { name: names[0] ?? "" });
  if (names.length === 2) return gettext("{name} and {other} are typing", { name: names[0] ?? "", other: names[1] ?? "" });
  return gettext("Several people are typing");
}
