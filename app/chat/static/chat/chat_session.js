import { Connection } from "./connection.js";
import { describeError, gettext } from "./gettext.js";
import { Outbox } from "./outbox.js";
import { RoomState } from "./room_state.js";

/**
 * @typedef {import("./frames.js").Command} Command
 * @typedef {import("./frames.js").Message} Message
 * @typedef {import("./frames.js").Person} Person
 * @typedef {{
 *   onStatus: (status: import("./connection.js").Status) => void,
 *   onChange: () => void,
 *   onOtherUser: () => void,
 *   onRoomInfo: (state: RoomState) => void,
 *   onJoined: (frame: import("./frames.js").Joined, newMessages: Message[], isFirst: boolean) => void,
 *   onNewMessages: (messages: Message[]) => void,
 *   onMember: (member: import("./frames.js").Member) => void,
 *   onPresence: (state: RoomState, presence: import("./frames.js").Presence) => void,
 *   onTyping: (person: Person, on: boolean) => void,
 *   onMarkerMoved: () => void,
 *   onRemoved: (slug: string, reason: string) => void}} Handlers
 *   onChange: something that is shown may have changed; onOtherUser: another user has signed in in this browser;
 *   onJoined, onNewMessages, onMember, onTyping, onMarkerMoved: of the current room; newMessages: those of other people
 */

const FIRST_PAGE_SIZE = 50; // messages to request with the first join of the current room

/**
 * All that the page knows and does without DOM: the state of each of my rooms, kept up to date over one connection, and
 * the outbox. The current room is the one whose messages are shown; of the others only the unread counts are kept.
 */
export class ChatSession {
  /** The state of each room that I am a member of, by slug. @type {Map<string, RoomState>} */
  rooms = new Map();

  /**
   * @param {{url: string, me: Person, slug: string, unread: [slug: string, count: number][], store: import("./outbox.js").Store}} options
   *   slug: of the current room; unread: all my rooms as the server rendered them
   * @param {Handlers} handlers
   */
  constructor({ url, me, slug, unread, store }, handlers) {
    this.me = me;
    this.handlers = handlers;
    this.current = new RoomState(slug, me.id, FIRST_PAGE_SIZE);
    for (const [other, count] of unread) {
      const state = other === slug ? this.current : new RoomState(other, me.id, 0);
      state.unreadCount = count;
      this.rooms.set(other, state);
    }
    this.outbox = new Outbox(store, me.id, handlers.onChange);
    this.connection = new Connection(url, {
      onStatus: handlers.onStatus,
      onWelcome: (user) => user.id !== me.id && handlers.onOtherUser(),
      onJoined: (frame) => this.#applyJoined(frame),
      onFrame: (frame) => this.#applyFrame(frame),
      onJoinRefused: (room, refusal) => {
        // Another refusal, such as too many rooms for one socket, only leaves a room without its unread count.
        if (room === slug || refusal.code === "not_found") this.#removeRoom(room, describeError(refusal));
      },
    });
  }

  /** Connect, join the current room first, and send what an earlier page left in the outbox. */
  start() {
    void this.outbox.load();
    for (const state of [this.current, ...this.rooms.values()]) this.connection.follow(state);
    this.connection.start();
  }

  get isConnected() {
    return this.connection.status.phase === "connected";
  }

  /** The current room is joined on the current connection. */
  get hasJoinedCurrent() {
    return this.connection.hasJoined(this.current.slug);
  }

  /** Send a message to the current room, or keep it until that is possible. @param {string} body @param {number | null} replyTo a message id */
  async send(body, replyTo) {
    await this.outbox.add(this.current.slug, body, replyTo);
    void this.#flushOutbox();
  }

  /** Send a refused message again. @param {string} cid */
  async retry(cid) {
    await this.outbox.retry(cid);
    void this.#flushOutbox();
  }

  /** Edit or delete a message. Rejects with Refused or Disconnected. @param {Extract<Command, {type: "edit" | "delete"}>} command */
  async changeMessage(command) {
    const reply = await this.connection.ask(command);
    if (reply.type === "ok" && reply.message) this.current.storeMessage(reply.message);
    this.handlers.onChange();
  }

  /** Move my read marker in the current room on the server. @param {number} seq @returns {Promise<number>} the unread count after it */
  async sendReadMarker(seq) {
    const reply = await this.connection.ask({ type: "read", room: this.current.slug, seq });
    return reply.type === "ok" ? (reply.unread ?? 0) : 0;
  }

  /** Signal that I am typing or have stopped. A lost signal does no harm. @param {boolean} on */
  sendTyping(on) {
    this.connection.ask({ type: "typing", room: this.current.slug, on }).catch(() => {});
  }

  /** End my membership of the current room. Rejects with Refused or Disconnected. */
  async leaveCurrent() {
    const { slug } = this.current;
    this.rooms.delete(slug); // the server's "left" frame then changes nothing
    this.connection.unfollow(slug);
    await this.connection.ask({ type: "leave", room: slug });
  }

  /** @param {import("./frames.js").Joined} frame */
  #applyJoined(frame) {
    const state = this.rooms.get(frame.room);
    if (!state) return;
    const isFirst = !state.isLoaded;
    const newMessages = state.applyJoined(frame);
    for (const { message } of frame.events) if (message) this.#handleArrival(message);
    this.handlers.onRoomInfo(state);
    if (state === this.current) this.handlers.onJoined(frame, newMessages, isFirst);
    this.handlers.onChange();
    void this.#flushOutbox();
  }

  /** @param {import("./frames.js").Events | import("./frames.js").Ephemeral | import("./frames.js").Left} frame */
  #applyFrame(frame) {
    if (frame.type === "events") this.#applyEvents(frame.events);
    else if (frame.type === "left") this.#removeRoom(frame.room, describeRemoval(this.rooms.get(frame.room)?.membership ?? "left"));
    else if (frame.kind === "presence") this.#applyPresence(frame.room, frame);
    else if (frame.kind === "read") this.#moveReadMarker(frame.room, frame);
    else if (frame.room === this.current.slug && frame.user.id !== this.me.id) this.handlers.onTyping(frame.user, frame.on);
  }

  /** @param {import("./frames.js").Event[]} events */
  #applyEvents(events) {
    for (const event of events) {
      const state = this.rooms.get(event.room);
      const result = state?.applyEvent(event);
      if (result === "gap") void this.connection.join(event.room);
      else if (result && state === this.current) this.handlers.onNewMessages([result]);
      if (event.message) this.#handleArrival(event.message);
      if (state === this.current && event.member) this.handlers.onMember(event.member);
      if (state && event.kind !== "message") this.handlers.onRoomInfo(state);
    }
    this.handlers.onChange();
  }

  /** My own message need not be sent again, and the author of another one has stopped typing. @param {Message} message */
  #handleArrival(message) {
    if (message.author.id === this.me.id) void this.outbox.remove(message.cid);
    else if (this.current.messages.has(message.id)) this.handlers.onTyping(message.author, false);
  }

  /** @param {string} slug @param {import("./frames.js").Presence} presence */
  #applyPresence(slug, presence) {
    const state = this.rooms.get(slug);
    if (state) this.handlers.onPresence(state, presence);
  }

  /** @param {string} slug @param {import("./frames.js").ReadMarkerMoved} marker */
  #moveReadMarker(slug, { seq, unread }) {
    this.rooms.get(slug)?.moveReadMarker(seq, unread);
    if (slug === this.current.slug) this.handlers.onMarkerMoved();
    this.handlers.onChange();
  }

  /** Forget a room that I am not a member of any more, or may not join. @param {string} slug @param {string} reason */
  #removeRoom(slug, reason) {
    if (!this.rooms.delete(slug)) return;
    this.connection.unfollow(slug);
    this.handlers.onRemoved(slug, reason);
    this.handlers.onChange();
  }

  #flushOutbox() {
    return this.outbox.flush(
      (room) => this.connection.hasJoined(room),
      async ({ cid, room, body, reply_to }) => {
        const reply = await this.connection.ask({ type: "send", room, cid, body, ...(reply_to === null ? {} : { reply_to }) });
        if (reply.type === "ok" && reply.message && room === this.current.slug) this.current.storeMessage(reply.message);
      },
    );
  }
}

/** Say why I am not a member of a room any more. @param {import("./frames.js").MembershipState} membership */
function describeRemoval(membership) {
  if (membership === "kicked") return gettext("You have been removed from this room.");
  if (membership === "banned") return gettext("You have been banned from this room.");
  return gettext("You are no longer a member of this room.");
}
