/** @typedef {import("./frames.js").Message} Message */

/**
 * What I know of one room: pure state, no DOM. It is exact up to change `seq` for every message at or above `low`.
 */
export class RoomState {
  epoch = "";
  seq = 0; // the last change I have
  low = Infinity; // messages from this place on are here without a hole
  more = false; // there are older ones
  read = 0; // my read marker
  unread = 0;
  members = 0;
  /** Of whom I know whether they are in the room. @type {Map<number, boolean>} */
  present = new Map();
  /** @type {import("./frames.js").Role} */
  role = "member"; // mine
  /** @type {import("./frames.js").Member["state"]} */
  standing = "joined"; // mine
  entered = false;
  /** @type {import("./frames.js").RoomInfo | null} */
  info = null;
  #counted = 0; // the change up to which the server counted what is unread
  /** The places of what others said after that. @type {number[]} */
  #news = [];
  /** Every message that was ever received, by id; none is replaced by an older version. @type {Map<number, Message>} */
  messages = new Map();

  /**
   * @param {string} slug
   * @param {number} me my user id
   * @param {number} limit messages to ask for on entering; 0 for a room of which only the counts are shown
   */
  constructor(slug, me, limit) {
    this.slug = slug;
    this.me = me;
    this.limit = limit;
  }

  /** What to ask for when I come back. */
  since() {
    return this.entered && this.limit > 0 ? { epoch: this.epoch, seq: this.seq } : undefined;
  }

  /**
   * Take the answer to a join.
   * @param {import("./frames.js").Joined} frame
   * @returns {Message[]} what others said since I was here
   */
  enter(frame) {
    const before = this.entered ? this.seq : Infinity;
    if (frame.epoch !== this.epoch) this.messages.clear(); // another history: its numbers mean nothing here
    const same = frame.epoch === this.epoch;
    /** @type {Message[]} */
    const fresh = [];
    for (const { message } of frame.events) {
      if (message && this.#isNew(message, same ? before : Infinity)) fresh.push(message);
      if (message) this.keep(message);
    }
    if (!frame.recovered) {
      this.more = frame.more;
      this.low = frame.more ? (frame.events[0]?.message?.seq ?? frame.head + 1) : 0;
    }
    for (const [id, message] of this.messages) if (message.seq <= frame.floor) this.messages.delete(id);
    this.entered = true;
    this.epoch = frame.epoch;
    this.seq = frame.head;
    this.read = frame.read;
    this.unread = frame.unread;
    this.#counted = frame.head;
    this.#news = [];
    this.members = frame.members;
    this.role = frame.role;
    this.standing = "joined";
    this.present.clear();
    this.info = frame.info;
    return fresh;
  }

  /**
   * Take one change. "gap": one before it is missing, so nothing was taken; join again.
   * @param {import("./frames.js").Event} event
   * @returns {Message | "gap" | null} what somebody else has just said, if it is that
   */
  apply(event) {
    if (event.seq <= this.seq) return null;
    if (event.seq > this.seq + 1) return "gap";
    const before = this.seq;
    this.seq = event.seq;
    if (event.member) this.#standing(event.member);
    if (event.info) this.info = event.info;
    const message = event.message;
    if (!message) return null;
    const fresh = this.#isNew(message, before);
    const theirs = message.author.id !== this.me;
    if (fresh) {
      this.unread += 1;
      this.#news.push(message.seq);
    } else if (message.deleted && theirs && message.seq > this.read) {
      this.unread = Math.max(0, this.unread - 1);
      this.#news = this.#news.filter((seq) => seq !== message.seq);
    }
    if (this.limit > 0) this.keep(message);
    return fresh ? message : null;
  }

  /**
   * My marker has moved, here or on another device.
   * @param {number} seq
   * @param {number} unread as the server counted: it may know more than has come, or less
   */
  mark(seq, unread) {
    if (seq < this.read) return;
    this.read = seq;
    this.#news = this.#news.filter((place) => place > seq);
    this.unread = seq < this.#counted ? unread : this.#news.length;
  }

  /** An event does not say what somebody was before; a role comes to who is here already. @param {import("./frames.js").Member} member */
  #standing({ user, role, state }) {
    const here = state === "joined";
    const before = this.present.get(user.id) ?? (here ? role !== "member" : true);
    this.members += Number(here) - Number(before);
    this.present.set(user.id, here);
    if (user.id === this.me) Object.assign(this, { role, standing: state });
  }

  /**
   * Take a page of history that ends where my messages begin.
   * @param {import("./frames.js").Event[]} events
   * @param {boolean} more
   */
  prepend(events, more) {
    for (const { message } of events) if (message) this.keep(message);
    this.more = more;
    this.low = more ? (events[0]?.message?.seq ?? this.low) : 0;
  }

  /** Keep a message unless I have a later version of it. @param {Message} message */
  keep(message) {
    const known = this.messages.get(message.id);
    if (!known || known.rev < message.rev) this.messages.set(message.id, message);
  }

  /** What to show, in order. */
  list() {
    return [...this.messages.values()].filter((message) => message.seq >= this.low).sort((a, b) => a.seq - b.seq);
  }

  /** Show no more than the newest `count`; older ones come back as history. @param {number} count */
  trim(count) {
    const shown = this.list();
    if (shown.length <= count) return;
    this.low = shown[shown.length - count].seq;
    this.more = true;
  }

  /** @param {Message} message @param {number} before the last change I had */
  #isNew(message, before) {
    return message.author.id !== this.me && !message.deleted && message.seq > before;
  }
}
