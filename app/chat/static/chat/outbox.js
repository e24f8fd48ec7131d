import { Refused } from "./connection.js";
import { gettext, refusalOf } from "./gettext.js";

/**
 * @typedef {{cid: string, user: number, room: string, body: string, reply_to: number | null, at: string,
 *   failed: string | null, note?: string}} Item
 * failed: why the server refused it for good; note: why it has to wait.
 */

const LATER = new Set(["rate_limited", "unavailable"]); // the same words may pass in a moment

/**
 * What I wrote and the server has not acknowledged. It survives a reload, and goes out in the order it was written.
 * Two tabs may send the same item: the cid makes that one message.
 */
export class Outbox {
  /** @type {Map<string, Item>} */
  #items = new Map();
  #busy = false;

  /** @param {Store} store @param {number} user @param {() => void} onChange */
  constructor(store, user, onChange) {
    this.store = store;
    this.user = user;
    this.onChange = onChange;
  }

  /** Read what an earlier page of this user left behind. */
  async load() {
    const items = await this.store.all();
    items.sort((a, b) => a.at.localeCompare(b.at));
    const added = [...this.#items.values()];
    this.#items = new Map();
    const mine = items.filter((item) => item.user === this.user).map((item) => ({ ...item, note: undefined }));
    for (const item of [...mine, ...added]) this.#items.set(item.cid, item);
    this.onChange();
  }

  /** @param {string} room */
  of(room) {
    return [...this.#items.values()].filter((item) => item.room === room);
  }

  /** @param {string} room @param {string} body @param {number | null} reply_to */
  async add(room, body, reply_to) {
    const at = new Date().toISOString();
    await this.#put({ cid: crypto.randomUUID(), user: this.user, room, body, reply_to, at, failed: null });
  }

  /** It has arrived, or is not wanted any more. @param {string} cid */
  async remove(cid) {
    if (!this.#items.delete(cid)) return;
    this.onChange();
    await this.store.remove(cid);
  }

  /** @param {string} cid */
  async retry(cid) {
    const item = this.#items.get(cid);
    if (item) await this.#put({ ...item, failed: null });
  }

  /**
   * Send what can be sent, one after the other.
   * @param {(room: string) => boolean} isOpen whether this room can be written to now
   * @param {(item: Item) => Promise<void>} send rejects as Connection.ask does
   */
  async flush(isOpen, send) {
    if (this.#busy) return;
    this.#busy = true;
    try {
      for (let item = this.#next(isOpen); item && (await this.#try(item, send)); item = this.#next(isOpen));
    } finally {
      this.#busy = false;
    }
  }

  /** @param {(room: string) => boolean} isOpen */
  #next(isOpen) {
    return [...this.#items.values()].find((item) => item.failed === null && isOpen(item.room));
  }

  /**
   * @param {Item} item
   * @param {(item: Item) => Promise<void>} send
   * @returns {Promise<boolean>} whether there is a line to go on with
   */
  async #try(item, send) {
    try {
      await send(item);
      void this.remove(item.cid); // the next need not wait for the disk
    } catch (error) {
      if (!(error instanceof Refused)) return false;
      if (!this.#items.has(item.cid)) return true;
      if (!LATER.has(error.code)) {
        await this.#put({ ...item, failed: refusalOf(error) });
        return true;
      }
      const seconds = Math.max(0.2, error.retryAfter ?? 2);
      await this.#put({ ...item, note: gettext("{why} Sending again in {seconds} s.", { why: refusalOf(error), seconds: Math.ceil(seconds) }) });
      await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    }
    return true;
  }

  /** @param {Item} item */
  async #put(item) {
    this.#items.set(item.cid, item);
    this.onChange();
    await this.store.put(item);
  }
}

/** Where items lie: IndexedDB, or nowhere when the browser refuses it (then a reload loses them). */
export class Store {
  /** @type {Promise<IDBDatabase | null>} */
  #database = new Promise((resolve) => {
    try {
      const opening = indexedDB.open("parley", 1);
      opening.onupgradeneeded = () => opening.result.createObjectStore("outbox", { keyPath: "cid" });
      opening.onsuccess = () => resolve(opening.result);
      opening.onerror = () => resolve(null);
    } catch {
      resolve(null);
    }
  });

  /** @returns {Promise<Item[]>} */
  async all() {
    return (await this.#run("readonly", (items) => items.getAll())) ?? [];
  }

  /** @param {Item} item */
  async put(item) {
    await this.#run("readwrite", (items) => items.put(item));
  }

  /** @param {string} cid */
  async remove(cid) {
    await this.#run("readwrite", (items) => items.delete(cid));
  }

  /**
   * @template T
   * @param {IDBTransactionMode} mode
   * @param {(items: IDBObjectStore) => IDBRequest<T>} step
   * @returns {Promise<T | null>}
   */
  async #run(mode, step) {
    const database = await this.#database;
    if (!database) return null;
    return new Promise((resolve) => {
      const transaction = database.transaction("outbox", mode);
      const request = step(transaction.objectStore("outbox"));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = () => resolve(null); // the disk is full, say
    });
  }
}
