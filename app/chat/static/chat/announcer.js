import { ngettext } from "./gettext.js";

const PAUSE = 400; // ms in which messages are gathered, so that a burst is told in one sentence
const LONG = 240; // characters read out of one message

/** Tells a screen reader what others have just said; nothing else. */
export class Announcer {
  /** @type {import("./frames.js").Message[]} */
  #waiting = [];

  /** @param {HTMLElement} region */
  constructor(region) {
    this.region = region;
  }

  /** @param {import("./frames.js").Message} message */
  tell(message) {
    this.#waiting.push(message);
    if (this.#waiting.length === 1) setTimeout(() => this.#speak(), PAUSE);
  }

  #speak() {
    const messages = this.#waiting.splice(0);
    const all = [...new Set(messages.map(({ author }) => author.name))];
    const names = all.slice(0, 3).join(", ") + (all.length > 3 ? "…" : "");
    this.region.textContent =
      messages.length > 3
        ? ngettext("{count} new message, from {names}", "{count} new messages, from {names}", messages.length, { names })
        : messages.map(({ author, body }) => `${author.name}: ${body.slice(0, LONG)}`).join("\n");
  }
}
