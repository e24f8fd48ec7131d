/** @typedef {import("./outbox.js").UnsentMessage} UnsentMessage */

const DATABASE = "parley";
const TABLE = "outbox";

/** Stores unsent messages in IndexedDB. Where the browser refuses that, nothing is stored and a reload loses them. */
export class OutboxStore {
  /** @type {Promise<IDBDatabase | null>} */
  #database = new Promise((resolve) => {
    try {
      const opening = indexedDB.open(DATABASE, 1);
      opening.onupgradeneeded = () => opening.result.createObjectStore(TABLE, { keyPath: "cid" });
      opening.onsuccess = () => resolve(opening.result);
      opening.onerror = () => resolve(null);
    } catch {
      resolve(null);
    }
  });

  /** Return all messages, also those of other users of this browser. @returns {Promise<UnsentMessage[]>} */
  async all() {
    return (await this.#run("readonly", (messages) => messages.getAll())) ?? [];
  }

  /** Insert or replace a message. @param {UnsentMessage} message */
  async put(message) {
    await this.#run("readwrite", (messages) => messages.put(message));
  }

  /** @param {string} cid */
  async remove(cid) {
    await this.#run("readwrite", (messages) => messages.delete(cid));
  }

  /**
   * Run one request in a transaction of its own.
   * @template T
   * @param {IDBTransactionMode} mode
   * @param {(messages: IDBObjectStore) => IDBRequest<T>} createRequest
   * @returns {Promise<T | null>} null when it failed
   */
  async #run(mode, createRequest) {
    const database = await this.#database;
    if (!database) return null;
    return new Promise((resolve) => {
      const transaction = database.transaction(TABLE, mode);
      const request = createRequest(transaction.objectStore(TABLE));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = () => resolve(null); // for example because the disk is full
    });
  }
}
