/**
 * What I have read of a room: the line above what is new, the count of what came below the view, and my marker on
 * the server. Pure state, no DOM.
 */
export class Reading {
  line = Infinity; // the place after which the new-messages line stands
  missed = 0; // messages that came while the reader was further up
  #seen = true; // all was read once since the line was drawn: what comes unseen moves it
  #telling = false;

  /**
   * @param {import("./state.js").RoomState} state
   * @param {{isWatching: () => boolean, tell: (seq: number) => Promise<number>}} wiring
   *   isWatching: is somebody looking at the newest message? tell: moves my marker; resolves to what is still unread
   */
  constructor(state, wiring) {
    this.state = state;
    this.wiring = wiring;
  }

  /** The room is here for the first time. */
  begin() {
    this.line = this.state.unread ? this.state.read : Infinity;
    this.missed = this.state.unread;
    this.#seen = this.state.unread === 0;
  }

  /** I said something, so I have seen what was there. */
  spoke() {
    this.line = Infinity;
  }

  /** @param {import("./frames.js").Message} message what somebody else has just said */
  hear(message) {
    if (this.wiring.isWatching()) return;
    if (this.#seen) this.line = message.seq - 1;
    this.#seen = false;
    this.missed += 1;
  }

  /** My marker moved, perhaps on another device: what I read there is not new here. */
  elsewhere() {
    const { read, unread } = this.state;
    if (this.#telling || this.wiring.isWatching()) return; // it is my own word that comes back
    this.missed = Math.min(this.missed, unread);
    if (read > this.line) this.line = unread ? read : Infinity;
    this.#seen ||= unread === 0;
  }

  /** Tell the server, when there is something to tell. @returns {Promise<boolean>} whether my marker moved */
  async tell() {
    const last = this.state.list().at(-1);
    if (!last || this.#telling || last.seq <= this.state.read || !this.wiring.isWatching()) return false;
    this.#telling = true;
    try {
      this.state.mark(last.seq, await this.wiring.tell(last.seq));
      this.#seen = true;
      return true;
    } catch {
      return false; // the next message, or the next connection, tries again
    } finally {
      this.#telling = false;
    }
  }
}
