import { ngettext } from "./gettext.js";

const DELAY_MS = 400; // messages that arrive within this time are announced together
const MAX_MESSAGE_CHARS = 240; // characters of one message that are read out
const MAX_MESSAGES = 3; // above this number only a count and the authors are read out
const MAX_NAMES = 3; // authors that are named with the count

/** Announces new messages of other people to screen readers, through an aria-live region. */
export class Announcer {
  /** @type {import("./frames.js").Message[]} */
  #pending = [];

  /** @param {HTMLElement} region the aria-live element */
  constructor(region) {
    this.region = region;
  }

  /** @param {import("./frames.js").Message} message */
  announce(message) {
    this.#pending.push(message);
    if (this.#pending.length === 1) setTimeout(() => this.#announcePending(), DELAY_MS);
  }

  #announcePending() {
    const messages = this.#pending.splice(0);
    const authors = [...new Set(messages.map(({ author }) => author.name))];
    const names = authors.slice(0, MAX_NAMES).join(", ") + (authors.length > MAX_NAMES ? "…" : "");
    this.region.textContent =
      messages.length > MAX_MESSAGES
        ? ngettext("{count} new message, from {names}", "{count} new messages, from {names}", messages.length, { names })
        : messages.map(({ author, body }) => `${author.name}: ${body.slice(0, MAX_MESSAGE_CHARS)}`).join("\n");
  }
}
