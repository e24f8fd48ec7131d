import { Refused } from "./connection.js";
import { describeError, gettext } from "./gettext.js";

/**
 * @typedef {{cid: string, user: number, room: string, body: string, reply_to: number | null, at: string,
 *   failed: string | null, note?: string}} UnsentMessage
 *   at: ISO 8601; failed: why the server refused it for good; note: why it has to wait
 * @typedef {{all: () => Promise<UnsentMessage[]>, put: (message: UnsentMessage) => Promise<void>,
 *   remove: (cid: string) => Promise<void>}} Store
 */

const RETRIED_CODES = new Set(["rate_limited", "unavailable"]); // the same message may be accepted later
const MIN_RETRY_SECONDS = 0.2;
const DEFAULT_RETRY_SECONDS = 2;

/**
 * The messages that I wrote and the server has not acknowledged. They survive a reload, and are sent in the order in
 * which they were written. Two tabs may send the same message: its cid makes it one message.
 */
export class Outbox {
  /** @type {Map<string, UnsentMessage>} */
  #messages = new Map();
  #isFlushing = false;

  /** @param {Store} store @param {number} user my user id @param {() => void} onChange */
  constructor(store, user, onChange) {
    this.store = store;
    this.user = user;
    this.onChange = onChange;
  }

  /** Load the messages that an earlier page of this user stored. */
  async load() {
    const stored = await this.store.all();
    stored.sort((a, b) => a.at.localeCompare(b.at));
    const added = [...this.#messages.values()]; // while the store was read
    this.#messages = new Map();
    const mine = stored.filter(({ user }) => user === this.user).map((message) => ({ ...message, note: undefined }));
    for (const message of [...mine, ...added]) this.#messages.set(message.cid, message);
    this.onChange();
  }

  /** Return the unsent messages of a room, in order. @param {string} room its slug */
  listFor(room) {
    return [...this.#messages.values()].filter((message) => message.room === room);
  }

  /** @param {string} room its slug @param {string} body @param {number | null} reply_to a message id */
  async add(room, body, reply_to) {
    const at = new Date().toISOString();
    await this.#put({ cid: crypto.randomUUID(), user: this.user, room, body, reply_to, at, failed: null });
  }

  /** Remove a message that was sent or discarded. @param {string} cid */
  async remove(cid) {
    if (!this.#messages.delete(cid)) return;
    this.onChange();
    await this.store.remove(cid);
  }

  /** Let the next flush send a refused message again. @param {string} cid */
  async retry(cid) {
    const message = this.#messages.get(cid);
    if (message) await this.#put({ ...message, failed: null });
  }

  /**
   * Send the messages that can be sent, one after the other.
   * @param {(room: string) => boolean} isOpen whether messages can be sent to this room now
   * @param {(message: UnsentMessage) => Promise<void>} send rejects as Connection.ask does
   */
  async flush(isOpen, send) {
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    try {
      let message = this.#findNext(isOpen);
      while (message && (await this.#trySend(message, send))) message = this.#findNext(isOpen);
    } finally {
      this.#isFlushing = false;
    }
  }

  /** @param {(room: string) => boolean} isOpen */
  #findNext(isOpen) {
    return [...this.#messages.values()].find((message) => message.failed === null && isOpen(message.room));
  }

  /**
   * @param {UnsentMessage} message
   * @param {(message: UnsentMessage) => Promise<void>} send
   * @returns {Promise<boolean>} false when the connection was lost
   */
  async #trySend(message, send) {
    try {
      await send(message);
      void this.remove(message.cid); // the next message does not wait for the disk
    } catch (error) {
      if (!(error instanceof Refused)) return false;
      if (!this.#messages.has(message.cid)) return true; // it was discarded meanwhile
      const why = describeError(error);
      if (!RETRIED_CODES.has(error.code)) {
        await this.#put({ ...message, failed: why });
        return true;
      }
      const seconds = Math.max(MIN_RETRY_SECONDS, error.retryAfter ?? DEFAULT_RETRY_SECONDS);
      await this.#put({ ...message, note: gettext("{why} Trying again in {seconds} s.", { why, seconds: Math.ceil(seconds) }) });
      await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    }
    return true;
  }

  /** @param {UnsentMessage} message */
  async #put(message) {
    this.#messages.set(message.cid, message);
    this.onChange();
    await this.store.put(message);
  }
}
