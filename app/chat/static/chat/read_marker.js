/**
 * What I have read of a room: the position of the "New messages" line, the number of messages that arrived below the
 * view, and my read marker on the server. Pure state, without DOM.
 */
export class ReadMarker {
  lineSeq = Infinity; // the "New messages" line is drawn after this position
  unseenCount = 0; // messages that arrived while the reader was further up or away
  #wasAllRead = true; // everything was read since the line was drawn, so the next unseen message moves the line
  #isSending = false;

  /**
   * @param {import("./room_state.js").RoomState} state
   * @param {{isWatching: () => boolean, send: (seq: number) => Promise<number>}} wiring
   *   isWatching: the newest message is in view; send: moves my marker on the server and returns the unread count
   */
  constructor(state, wiring) {
    this.state = state;
    this.wiring = wiring;
  }

  /** Start from the state of a room that was joined for the first time. */
  start() {
    this.lineSeq = this.state.unreadCount ? this.state.readSeq : Infinity;
    this.unseenCount = this.state.unreadCount;
    this.#wasAllRead = this.state.unreadCount === 0;
  }

  /** Remove the line: the author of a message has seen the messages before it. */
  handleOwnMessage() {
    this.lineSeq = Infinity;
  }

  /** Count a new message of another person, if the reader does not see it. @param {import("./frames.js").Message} message */
  handleNewMessage(message) {
    if (this.wiring.isWatching()) return;
    if (this.#wasAllRead) this.lineSeq = message.seq - 1;
    this.#wasAllRead = false;
    this.unseenCount += 1;
  }

  /** Follow my marker, which moved, perhaps on another device: what I read there is not new here. */
  handleMarkerMoved() {
    const { readSeq, unreadCount } = this.state;
    if (this.#isSending || this.wiring.isWatching()) return; // this page moved it
    this.unseenCount = Math.min(this.unseenCount, unreadCount);
    if (readSeq > this.lineSeq) this.lineSeq = unreadCount ? readSeq : Infinity;
    this.#wasAllRead ||= unreadCount === 0;
  }

  /** Move my marker to the newest message, if the reader sees it. @returns {Promise<boolean>} whether it moved */
  async sendIfMoved() {
    const last = this.state.listMessages().at(-1);
    if (!last || this.#isSending || last.seq <= this.state.readSeq || !this.wiring.isWatching()) return false;
    this.#isSending = true;
    try {
      this.state.moveReadMarker(last.seq, await this.wiring.send(last.seq));
      this.#wasAllRead = true;
      return true;
    } catch {
      return false; // the next message or the next connection tries again
    } finally {
      this.#isSending = false;
    }
  }
}
