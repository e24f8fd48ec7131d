import { computeBackoffSeconds } from "./backoff.js";

/**
 * @typedef {import("./frames.js").Reply} Reply
 * @typedef {{phase: "connecting" | "connected"} | {phase: "waiting", until: number}
 *   | {phase: "ended", code: number, reason: string}} Status  until: ms, as Date.now() counts; code: the close code
 * @typedef {{slug: string, lastSeq: number, limit: number, since: () => import("./frames.js").Since | undefined}} FollowedRoom
 *   limit: the number of messages to request with a join
 * @typedef {{onStatus: (status: Status) => void, onWelcome: (user: import("./frames.js").Person) => void, onJoined: (frame: import("./frames.js").Joined) => void,
 *   onFrame: (frame: import("./frames.js").Events | import("./frames.js").Ephemeral | import("./frames.js").Left) => void,
 *   onJoinRefused: (slug: string, refusal: Refused) => void}} Handlers
 * @typedef {{resolve: (reply: Reply) => void, reject: (error: Error) => void, timer: number}} PendingCommand
 */

const SUBPROTOCOL = "parley.v1";
const REPLY_TIMEOUT_MS = 15_000; // for a handshake or a reply; after it the connection counts as lost
const PING_TIMEOUT_INTERVALS = 2.2; // ping intervals without a ping after which the connection counts as lost
const STABLE_MS = 10_000; // after a connection of this length the backoff starts again from its first step
const RENEWAL_SECONDS = 1; // time for another tab to set the cookie of a new session
const ABNORMAL_CLOSURE = 1006; // RFC 6455, section 7.4.1
const SESSION_ENDED = 4401;

/** The server refused a command. */
export class Refused extends Error {
  /** @param {import("./frames.js").Refusal} frame */
  constructor(frame) {
    super(frame.text);
    this.code = frame.code;
    this.retryAfter = frame.retry_after; // seconds
  }
}

/** The connection was lost before the reply arrived. It is unknown whether the server ran the command. */
export class Disconnected extends Error {}

/** One WebSocket for all rooms. It reconnects by itself, joins the rooms again and resumes from their last change. No DOM. */
export class Connection {
  /** @type {Status} */
  status = { phase: "connecting" };
  /** @type {WebSocket | null} */
  #socket = null;
  /** Commands without a reply, by their id. @type {Map<number, PendingCommand>} */
  #pending = new Map();
  /** Rooms to be in, by slug. @type {Map<string, FollowedRoom>} */
  #rooms = new Map();
  /** Rooms that were behind at the last ping, with the head that the server named. @type {Map<string, number>} */
  #behind = new Map();
  /** Rooms that were joined on this socket. @type {Set<string>} */
  #joined = new Set();
  /** Rooms whose join has no reply yet. @type {Set<string>} */
  #joining = new Set();
  #lastId = 0;
  #attempt = 0;
  #connectedAt = 0; // ms, as Date.now() counts
  #isRenewing = false; // the server has closed one socket because the session is over
  #pingSeconds = 25;
  #reconnectTimer = 0;
  #silenceTimer = 0; // fires when nothing arrives in time
  #silenceDeadline = 0; // the same moment by the clock, because timers stop while a machine sleeps
  /** @type {import("./frames.js").Bye | null} */
  #bye = null;

  /** @param {string} url @param {Handlers} handlers */
  constructor(url, handlers) {
    this.url = url;
    this.handlers = handlers;
  }

  /** Connect, and keep connecting until the server refuses it for good. */
  start() {
    this.#open();
  }

  /** Join a room now, and again after each reconnect. @param {FollowedRoom} room */
  follow(room) {
    this.#rooms.set(room.slug, room);
    if (this.status.phase === "connected") void this.join(room.slug);
  }

  /** Stop joining a room. @param {string} slug */
  unfollow(slug) {
    this.#rooms.delete(slug);
    this.#joined.delete(slug);
  }

  /** Whether a room is joined on the current socket. @param {string} slug */
  hasJoined(slug) {
    return this.#joined.has(slug);
  }

  /** Reconnect at once unless connected. Call it when the network or the reader is back. */
  wake() {
    const socket = this.#socket;
    if (socket && this.status.phase === "connected" && Date.now() > this.#silenceDeadline) this.#handleLoss(socket, ABNORMAL_CLOSURE);
    if (this.status.phase === "waiting") this.#open();
  }

  /** Give up the socket and reconnect later. Call it when the browser reports that the network is gone. */
  drop() {
    if (this.#socket) this.#handleLoss(this.#socket, ABNORMAL_CLOSURE);
  }

  /**
   * Send a command and wait for its reply. Rejects with Refused or Disconnected.
   * @param {import("./frames.js").Command} command
   * @returns {Promise<Reply>}
   */
  ask(command) {
    const socket = this.#socket;
    if (!socket || socket.readyState !== WebSocket.OPEN) return Promise.reject(new Disconnected());
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#handleLoss(socket, ABNORMAL_CLOSURE), REPLY_TIMEOUT_MS);
      this.#pending.set(id, { resolve, reject, timer });
      socket.send(JSON.stringify({ ...command, id }));
    });
  }

  /** Join a room, and request the changes since the last one that is here. @param {string} slug */
  async join(slug) {
    const room = this.#rooms.get(slug);
    if (!room || this.#joining.has(slug)) return;
    this.#joining.add(slug);
    let retrySeconds = 0;
    try {
      await this.ask({ type: "join", room: slug, limit: room.limit, since: room.since() });
    } catch (error) {
      if (!(error instanceof Refused)) return; // the next connection joins again
      if (error.retryAfter === undefined) return this.handlers.onJoinRefused(slug, error);
      retrySeconds = error.retryAfter;
    } finally {
      this.#joining.delete(slug);
    }
    if (!retrySeconds) return;
    await new Promise((resolve) => setTimeout(resolve, retrySeconds * 1000));
    await this.join(slug);
  }

  #open() {
    clearTimeout(this.#reconnectTimer);
    this.#bye = null;
    this.#setStatus({ phase: "connecting" });
    const socket = new WebSocket(this.url, SUBPROTOCOL);
    this.#socket = socket;
    this.#restartSilenceTimer(socket, REPLY_TIMEOUT_MS);
    socket.onopen = () => void this.#sayHello(socket);
    socket.onmessage = ({ data }) => {
      if (socket === this.#socket) this.#receive(socket, JSON.parse(data));
    };
    socket.onclose = ({ code }) => this.#handleLoss(socket, code);
  }

  /** Send the first command, then join the rooms. @param {WebSocket} socket */
  async #sayHello(socket) {
    try {
      const welcome = await this.ask({ type: "hello", client: "parley-web" });
      if (welcome.type !== "welcome") return;
      this.#pingSeconds = welcome.ping;
      this.#isRenewing = false;
      this.handlers.onWelcome(welcome.user);
    } catch {
      return; // the server closes the socket
    }
    this.#connectedAt = Date.now();
    this.#restartSilenceTimer(socket, PING_TIMEOUT_INTERVALS * this.#pingSeconds * 1000);
    this.#setStatus({ phase: "connected" });
    for (const slug of [...this.#rooms.keys()]) {
      if (socket !== this.#socket) return;
      await this.join(slug);
    }
  }

  /** Treat the connection as lost when nothing arrives within this time. @param {WebSocket} socket @param {number} ms */
  #restartSilenceTimer(socket, ms) {
    clearTimeout(this.#silenceTimer);
    this.#silenceDeadline = Date.now() + ms;
    this.#silenceTimer = setTimeout(() => this.#handleLoss(socket, ABNORMAL_CLOSURE), ms);
  }

  /** @param {WebSocket} socket @param {import("./frames.js").Frame} frame */
  #receive(socket, frame) {
    switch (frame.type) {
      case "ok":
      case "welcome":
        return this.#settle(frame.id, (command) => command.resolve(frame));
      case "joined":
        this.#joined.add(frame.room);
        this.#behind.delete(frame.room);
        this.handlers.onJoined(frame);
        return this.#settle(frame.id, (command) => command.resolve(frame));
      case "error":
        return this.#settle(frame.id ?? 0, (command) => command.reject(new Refused(frame)));
      case "ping":
        this.#restartSilenceTimer(socket, PING_TIMEOUT_INTERVALS * this.#pingSeconds * 1000);
        socket.send(JSON.stringify({ type: "pong", n: frame.n }));
        return this.#rejoinIfBehind(frame.heads);
      case "bye":
        this.#bye = frame;
        return;
      case "left":
        this.#joined.delete(frame.room);
        return this.handlers.onFrame(frame);
      case "events":
      case "ephemeral":
        return this.handlers.onFrame(frame);
    }
  }

  /** End the wait for a reply. @param {number} id @param {(command: PendingCommand) => void} settle resolves or rejects it */
  #settle(id, settle) {
    const command = this.#pending.get(id);
    if (!command) return;
    this.#pending.delete(id);
    clearTimeout(command.timer);
    settle(command);
  }

  /**
   * Join a room again when an event was lost: it still lacks the head that the ping before this one named.
   * @param {Record<string, number>} heads by slug
   */
  #rejoinIfBehind(heads) {
    for (const [slug, head] of Object.entries(heads)) {
      const room = this.#rooms.get(slug);
      if (!room) continue;
      const previousHead = this.#behind.get(slug);
      if (previousHead !== undefined && room.lastSeq < previousHead) void this.join(slug);
      if (room.lastSeq < head) this.#behind.set(slug, head);
      else this.#behind.delete(slug);
    }
  }

  /** Reject all commands, and reconnect later unless the server refuses this client. @param {WebSocket} socket @param {number} code the close code */
  #handleLoss(socket, code) {
    if (socket !== this.#socket) return;
    this.#socket = null;
    socket.close();
    clearTimeout(this.#silenceTimer);
    this.#joined.clear();
    this.#behind.clear();
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const { timer, reject } of pending) {
      clearTimeout(timer);
      reject(new Disconnected());
    }
    const bye = this.#bye;
    const closeCode = bye?.code ?? code;
    // A new password that is set in another tab ends this session and starts the next one: try once more.
    const renews = closeCode === SESSION_ENDED && !this.#isRenewing;
    this.#isRenewing ||= renews;
    if (closeCode >= 4400 && closeCode < 4500 && !renews) return this.#setStatus({ phase: "ended", code: closeCode, reason: bye?.reason ?? "" });
    if (Date.now() - this.#connectedAt > STABLE_MS) this.#attempt = 0;
    // A server that restarts names the time itself, and spreads its clients.
    const seconds = renews ? RENEWAL_SECONDS : (bye?.reconnect_in ?? computeBackoffSeconds(this.#attempt));
    this.#attempt += 1;
    this.#reconnectTimer = setTimeout(() => this.#open(), seconds * 1000);
    this.#setStatus({ phase: "waiting", until: Date.now() + seconds * 1000 });
  }

  /** @param {Status} status */
  #setStatus(status) {
    this.status = status;
    this.handlers.onStatus(status);
  }
}
