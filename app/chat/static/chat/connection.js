import { backoff } from "./backoff.js";

/**
 * @typedef {import("./frames.js").Reply} Reply
 * @typedef {{phase: "connecting" | "connected"} | {phase: "waiting", until: number}
 *   | {phase: "ended", code: number, reason: string}} Status  until: ms, as of Date.now()
 * @typedef {{slug: string, seq: number, limit: number, since: () => import("./frames.js").Since | undefined}} Followed
 * @typedef {{onStatus: (status: Status) => void, onWelcome: (user: import("./frames.js").Person) => void, onJoined: (frame: import("./frames.js").Joined) => void,
 *   onFrame: (frame: import("./frames.js").Events | import("./frames.js").Ephemeral | import("./frames.js").Left) => void,
 *   onShut: (room: string, why: Refused) => void}} Handlers
 */

const SUBPROTOCOL = "parley.v1";
const PATIENCE = 15_000; // ms for a handshake or an answer; then the line is taken for dead
const SILENCE = 2.2; // pings that may be missing before it is
const STABLE = 10_000; // ms a connection lasts before the next loss counts as the first
const RENEWAL = 1; // seconds in which a new cookie of mine may come, when the session I had is over

/** The server's own refusal. */
export class Refused extends Error {
  /** @param {import("./frames.js").Refusal} frame */
  constructor(frame) {
    super(frame.text);
    this.code = frame.code;
    this.retryAfter = frame.retry_after;
  }
}

/** The line was lost before the answer came; whether the command was done is not known. */
export class Disconnected extends Error {}

/**
 * One socket for all rooms, which comes back by itself and then asks for what was missed. No DOM.
 */
export class Connection {
  /** @type {WebSocket | null} */
  #socket = null;
  /** @type {Map<number, {resolve: (reply: Reply) => void, reject: (error: Error) => void, timer: number}>} */
  #asked = new Map();
  /** @type {Map<string, Followed>} */
  #rooms = new Map();
  /** Rooms that lagged at the last ping, and the head they lagged behind. @type {Map<string, number>} */
  #behind = new Map();
  /** Rooms I am in on this socket. @type {Set<string>} */
  #joined = new Set();
  /** Rooms I have asked for. @type {Set<string>} */
  #joining = new Set();
  #lastId = 0;
  #attempt = 0;
  #connectedAt = 0;
  #renewing = false; // I have been told once that my session is over
  #pingSeconds = 25;
  #timer = 0; // the next try
  #watch = 0; // the end of patience, by timer
  #deadline = 0; // and by the clock
  /** @type {import("./frames.js").Bye | null} */
  #bye = null;
  /** @type {Status} */
  status = { phase: "connecting" };

  /** @param {string} url @param {Handlers} handlers */
  constructor(url, handlers) {
    this.url = url;
    this.handlers = handlers;
  }

  /** Be in a room whenever the line is up. @param {Followed} room */
  follow(room) {
    this.#rooms.set(room.slug, room);
    if (this.status.phase === "connected") void this.rejoin(room.slug);
  }

  /** @param {string} slug */
  forget(slug) {
    this.#rooms.delete(slug);
    this.#joined.delete(slug);
  }

  /** @param {string} slug */
  isIn(slug) {
    return this.#joined.has(slug);
  }

  /** Connect now, unless it is connected. Call it when the network or the reader is back. */
  wake() {
    // Timers stand still while a machine sleeps, the clock does not.
    const socket = this.#socket;
    if (socket && this.status.phase === "connected" && Date.now() > this.#deadline) this.#lost(socket, 1006);
    if (this.status.phase === "waiting") this.#open();
  }

  /** Take the line for dead and try again. Call it when the network says that it is gone. */
  drop() {
    if (this.#socket) this.#lost(this.#socket, 1006);
  }

  /**
   * Send a command. Rejects with Refused or Disconnected.
   * @param {{type: string, [field: string]: unknown}} command
   * @returns {Promise<Reply>}
   */
  ask(command) {
    const socket = this.#socket;
    if (!socket || socket.readyState !== WebSocket.OPEN) return Promise.reject(new Disconnected());
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#lost(socket, 1006), PATIENCE);
      this.#asked.set(id, { resolve, reject, timer });
      socket.send(JSON.stringify({ ...command, id }));
    });
  }

  /** Ask for a room anew, from where I am. @param {string} slug */
  async rejoin(slug) {
    const room = this.#rooms.get(slug);
    if (!room || this.#joining.has(slug)) return;
    this.#joining.add(slug);
    let pause = 0;
    try {
      await this.ask({ type: "join", room: slug, limit: room.limit, since: room.since() });
    } catch (error) {
      if (!(error instanceof Refused)) return; // the next connection joins again
      if (error.retryAfter === undefined) return this.handlers.onShut(slug, error);
      pause = error.retryAfter;
    } finally {
      this.#joining.delete(slug);
    }
    if (!pause) return;
    await new Promise((resolve) => setTimeout(resolve, pause * 1000));
    await this.rejoin(slug);
  }

  start() {
    this.#open();
  }

  #open() {
    clearTimeout(this.#timer);
    this.#bye = null;
    this.#say({ phase: "connecting" });
    const socket = new WebSocket(this.url, SUBPROTOCOL);
    this.#socket = socket;
    this.#expect(socket, PATIENCE);
    socket.onopen = () => void this.#greet(socket);
    socket.onmessage = ({ data }) => {
      if (socket === this.#socket) this.#receive(socket, JSON.parse(data));
    };
    socket.onclose = ({ code }) => this.#lost(socket, code);
  }

  /** @param {WebSocket} socket */
  async #greet(socket) {
    try {
      const welcome = await this.ask({ type: "hello", client: "parley-web" });
      if (welcome.type !== "welcome") return;
      this.#pingSeconds = welcome.ping;
      this.#renewing = false;
      this.handlers.onWelcome(welcome.user);
    } catch {
      return; // a close follows
    }
    this.#connectedAt = Date.now();
    this.#expect(socket, SILENCE * this.#pingSeconds * 1000);
    this.#say({ phase: "connected" });
    for (const slug of [...this.#rooms.keys()]) {
      if (socket !== this.#socket) return;
      await this.rejoin(slug);
    }
  }

  /** Something has to come within so many ms. @param {WebSocket} socket @param {number} patience */
  #expect(socket, patience) {
    clearTimeout(this.#watch);
    this.#deadline = Date.now() + patience;
    this.#watch = setTimeout(() => this.#lost(socket, 1006), patience);
  }

  /** @param {WebSocket} socket @param {import("./frames.js").Frame} frame */
  #receive(socket, frame) {
    switch (frame.type) {
      case "ok":
      case "welcome":
        return this.#answer(frame.id, (asked) => asked.resolve(frame));
      case "joined":
        this.#joined.add(frame.room);
        this.#behind.delete(frame.room);
        this.handlers.onJoined(frame);
        return this.#answer(frame.id, (asked) => asked.resolve(frame));
      case "error":
        return this.#answer(frame.id ?? 0, (asked) => asked.reject(new Refused(frame)));
      case "ping":
        this.#expect(socket, SILENCE * this.#pingSeconds * 1000);
        socket.send(JSON.stringify({ type: "pong", n: frame.n }));
        return this.#compare(frame.heads);
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

  /**
   * @param {number} id
   * @param {(asked: {resolve: (reply: Reply) => void, reject: (error: Error) => void}) => void} settle
   */
  #answer(id, settle) {
    const asked = this.#asked.get(id);
    if (!asked) return;
    this.#asked.delete(id);
    clearTimeout(asked.timer);
    settle(asked);
  }

  /** Something got lost on the way when I still lack what the ping before this one told of. @param {Record<string, number>} heads */
  #compare(heads) {
    for (const [slug, head] of Object.entries(heads)) {
      const room = this.#rooms.get(slug);
      if (!room) continue;
      const told = this.#behind.get(slug);
      if (told !== undefined && room.seq < told) void this.rejoin(slug);
      if (room.seq < head) this.#behind.set(slug, head);
      else this.#behind.delete(slug);
    }
  }

  /** @param {WebSocket} socket @param {number} code */
  #lost(socket, code) {
    if (socket !== this.#socket) return;
    this.#socket = null;
    socket.close();
    clearTimeout(this.#watch);
    this.#joined.clear();
    this.#behind.clear();
    const asked = [...this.#asked.values()];
    this.#asked.clear();
    for (const { timer, reject } of asked) {
      clearTimeout(timer);
      reject(new Disconnected());
    }
    const bye = this.#bye;
    const last = bye?.code ?? code;
    // A new password, set in another tab, ends the session: the next one's cookie is here or on its way.
    const renew = last === 4401 && !this.#renewing;
    this.#renewing ||= renew;
    if (last >= 4400 && last < 4500 && !renew) return this.#say({ phase: "ended", code: last, reason: bye?.reason ?? "" });
    if (Date.now() - this.#connectedAt > STABLE) this.#attempt = 0;
    // A server that names a moment has spread its clients already.
    const seconds = renew ? RENEWAL : (bye?.reconnect_in ?? backoff(this.#attempt));
    this.#attempt += 1;
    this.#timer = setTimeout(() => this.#open(), seconds * 1000);
    this.#say({ phase: "waiting", until: Date.now() + seconds * 1000 });
  }

  /** @param {Status} status */
  #say(status) {
    this.status = status;
    this.handlers.onStatus(status);
  }
}
