/** @typedef {import("./frames.js").Message} Message */

/**
 * What the browser knows of one room: pure state, without DOM. It contains every change up to `lastSeq` of every
 * message at or above `oldestSeq`.
 */
export class RoomState {
  epoch = "";
  lastSeq = 0; // the last change that was applied
  oldestSeq = Infinity; // every message from this position on is here
  hasOlder = false; // the server has older messages
  readSeq = 0; // my read marker
  unreadCount = 0;
  memberCount = 0;
  isLoaded = false; // the room was joined at least once
  /** My role. @type {import("./frames.js").Role} */
  role = "member";
  /** The state of my membership. @type {import("./frames.js").MembershipState} */
  membership = "joined";
  /** @type {import("./frames.js").RoomInfo | null} */
  info = null;
  /** Users, by id, and whether they are members; others are unknown. @type {Map<number, boolean>} */
  knownMembers = new Map();
  /** The newest version of every message that was received, by id. @type {Map<number, Message>} */
  messages = new Map();
  #countedSeq = 0; // the server's unread count includes the changes up to this one
  /** The positions of other people's messages after that change. @type {number[]} */
  #uncounted = [];

  /**
   * @param {string} slug
   * @param {number} me my user id
   * @param {number} limit the number of messages to request with a join; 0 for a room of which only the counts are shown
   */
  constructor(slug, me, limit) {
    this.slug = slug;
    this.me = me;
    this.limit = limit;
  }

  /** Return the last change to resume from, or undefined to start from the newest messages. */
  since() {
    return this.isLoaded && this.limit > 0 ? { epoch: this.epoch, seq: this.lastSeq } : undefined;
  }

  /**
   * Apply the answer to a join.
   * @param {import("./frames.js").Joined} frame
   * @returns {Message[]} the messages that other people sent since the last join
   */
  applyJoined(frame) {
    const isSameEpoch = frame.epoch === this.epoch;
    const before = isSameEpoch && this.isLoaded ? this.lastSeq : Infinity;
    if (!isSameEpoch) this.messages.clear(); // the positions of another epoch mean nothing in this one
    /** @type {Message[]} */
    const newMessages = [];
    for (const { message } of frame.events) {
      if (message && this.#isNew(message, before)) newMessages.push(message);
      if (message) this.storeMessage(message);
    }
    if (!frame.recovered) {
      this.hasOlder = frame.more;
      this.oldestSeq = frame.more ? (frame.events[0]?.message?.seq ?? frame.head + 1) : 0;
    }
    for (const [id, message] of this.messages) if (message.seq <= frame.floor) this.messages.delete(id);
    this.isLoaded = true;
    this.epoch = frame.epoch;
    this.lastSeq = frame.head;
    this.readSeq = frame.read;
    this.unreadCount = frame.unread;
    this.#countedSeq = frame.head;
    this.#uncounted = [];
    this.memberCount = frame.members;
    this.role = frame.role;
    this.membership = "joined";
    this.knownMembers.clear();
    this.info = frame.info;
    return newMessages;
  }

  /**
   * Apply one change. Nothing is applied after a gap: the caller then has to join again.
   * @param {import("./frames.js").Event} event
   * @returns {Message | "gap" | null} the message, if it is a new one of another person
   */
  applyEvent(event) {
    if (event.seq <= this.lastSeq) return null;
    if (event.seq > this.lastSeq + 1) return "gap";
    const before = this.lastSeq;
    this.lastSeq = event.seq;
    if (event.member) this.#applyMember(event.member);
    if (event.info) this.info = event.info;
    const message = event.message;
    if (!message) return null;
    const isNew = this.#isNew(message, before);
    const isOthers = message.author.id !== this.me;
    if (isNew) {
      this.unreadCount += 1;
      this.#uncounted.push(message.seq);
    } else if (message.deleted && isOthers && message.seq > this.readSeq) {
      this.unreadCount = Math.max(0, this.unreadCount - 1);
      this.#uncounted = this.#uncounted.filter((seq) => seq !== message.seq);
    }
    if (this.limit > 0) this.storeMessage(message);
    return isNew ? message : null;
  }

  /**
   * Move my read marker forward, after I have read here or on another device.
   * @param {number} seq
   * @param {number} unreadCount as the server counted it, which may be before or after the events that have arrived here
   */
  moveReadMarker(seq, unreadCount) {
    if (seq < this.readSeq) return;
    this.readSeq = seq;
    this.#uncounted = this.#uncounted.filter((position) => position > seq);
    this.unreadCount = seq < this.#countedSeq ? unreadCount : this.#uncounted.length;
  }

  /**
   * An event does not contain the state before it. A member with another role than "member" was a member already: a
   * role is only given to members.
   * @param {import("./frames.js").Member} member
   */
  #applyMember({ user, role, state }) {
    const isMember = state === "joined";
    const wasMember = this.knownMembers.get(user.id) ?? (isMember ? role !== "member" : true);
    this.memberCount += Number(isMember) - Number(wasMember);
    this.knownMembers.set(user.id, isMember);
    if (user.id === this.me) Object.assign(this, { role, membership: state });
  }

  /**
   * Add a page of history. A page that does not end just before the oldest message shown is ignored: a join or a trim has
   * moved that since the page was requested, and the page would leave a gap.
   * @param {import("./frames.js").Event[]} events
   * @param {boolean} hasOlder
   * @param {number} before the position that the page was requested for
   */
  prependHistory(events, hasOlder, before) {
    if (before !== this.oldestSeq) return;
    for (const { message } of events) if (message) this.storeMessage(message);
    this.hasOlder = hasOlder;
    this.oldestSeq = hasOlder ? (events[0]?.message?.seq ?? this.oldestSeq) : 0;
  }

  /** Store a message, unless a later version of it is here. @param {Message} message */
  storeMessage(message) {
    const stored = this.messages.get(message.id);
    if (!stored || stored.rev < message.rev) this.messages.set(message.id, message);
  }

  /** Return the messages to show, in order. */
  listMessages() {
    return [...this.messages.values()].filter((message) => message.seq >= this.oldestSeq).sort((a, b) => a.seq - b.seq);
  }

  /** Show only the newest `count` messages. Older ones are loaded again as history. @param {number} count */
  trimTo(count) {
    const shown = this.listMessages();
    if (shown.length <= count) return;
    this.oldestSeq = shown[shown.length - count].seq;
    this.hasOlder = true;
  }

  /** @param {Message} message @param {number} before the last change before it */
  #isNew(message, before) {
    return message.author.id !== this.me && !message.deleted && message.seq > before;
  }
}
