import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { Connection, Disconnected, Refused } from "../../app/chat/static/chat/connection.js";
import { stopClock } from "./clock.js";

/** A server's end of the socket: the test reads what was sent and answers. */
class Line {
  static OPEN = 1;
  static all = [];
  readyState = 0;
  sent = [];

  constructor(url, subprotocol) {
    Object.assign(this, { url, subprotocol });
    Line.all.push(this);
  }

  send(text) {
    this.sent.push(JSON.parse(text));
  }

  close() {
    this.readyState = 3;
  }

  open() {
    this.readyState = 1;
    this.onopen();
  }

  say(frame) {
    this.onmessage({ data: JSON.stringify(frame) });
  }

  end(code) {
    this.readyState = 3;
    this.onclose({ code });
  }

  async welcome() {
    this.open();
    this.say({ type: "welcome", id: this.sent[0].id, user: {}, ping: 25, limits: {} });
    await settled();
  }
}

const settled = () => new Promise((resolve) => setImmediate(resolve));
const newest = () => Line.all.at(-1);
const room = (slug, seq) => ({ slug, seq, limit: 50, since: () => (seq ? { epoch: "e", seq } : undefined) });
let connection, phases, pass;

beforeEach((t) => {
  pass = stopClock(t);
  const random = Math.random;
  Math.random = () => 1;
  t.after(() => (Math.random = random));
  globalThis.WebSocket = Line;
  Line.all = [];
  phases = [];
  connection = new Connection("wss://parley.example/ws/", {
    onStatus: ({ phase }) => phases.push(phase),
    onWelcome: () => {},
    onJoined: () => {},
    onFrame: () => {},
    onShut: () => {},
  });
});

test("says hello first, then joins its rooms from where they are", async () => {
  connection.follow(room("harbour", 7));
  connection.start();
  await newest().welcome();
  assert.equal(newest().subprotocol, "parley.v1");
  assert.deepEqual(newest().sent.map(({ type, since }) => [type, since]), [["hello", undefined], ["join", { epoch: "e", seq: 7 }]]);
  assert.deepEqual(phases, ["connecting", "connected"]);
});

test("comes back by itself, each time a little later, and tells what was asked that it is not known", async () => {
  connection.start();
  await newest().welcome();
  const asked = assert.rejects(connection.ask({ type: "send" }), Disconnected);
  newest().end(1006);
  await asked;
  for (const [wait, lines] of [[499, 1], [1, 2], [999, 2], [1, 3]]) {
    pass(wait);
    assert.equal(Line.all.length, lines);
    if (newest().readyState === 0 && wait === 1) newest().end(1006);
  }
});

test("a connection that lasted begins the waits anew", async () => {
  connection.start();
  for (let loss = 0; loss < 4; loss += 1) {
    newest().end(1006);
    pass(30_000);
  }
  await newest().welcome();
  pass(11_000);
  const before = Line.all.length;
  newest().end(1006);
  pass(500);
  assert.equal(Line.all.length, before + 1);
});

test("keeps to the moment that the server names", async () => {
  connection.start();
  await newest().welcome();
  newest().say({ type: "bye", code: 1012, reason: "The server restarts.", reconnect_in: 7 });
  newest().end(1012);
  pass(6999);
  assert.equal(Line.all.length, 1);
  pass(1);
  assert.equal(Line.all.length, 2);
});

test("does not come back after 44xx", async () => {
  connection.start();
  await newest().welcome();
  newest().end(4403);
  pass(600_000);
  assert.equal(Line.all.length, 1);
  assert.deepEqual(connection.status, { phase: "ended", code: 4403, reason: "" });
});

test("tries once more when its session is over: another tab may have begun the next one", async () => {
  connection.start();
  await newest().welcome();
  for (const again of [2, 3]) {
    newest().end(4401);
    pass(1000);
    assert.equal(Line.all.length, again);
    await newest().welcome(); // a session that goes on may end again
  }
  newest().end(4401);
  pass(1000);
  newest().open();
  newest().end(4401);
  pass(600_000);
  assert.equal(Line.all.length, 4);
  assert.deepEqual(connection.status, { phase: "ended", code: 4401, reason: "" });
});

test("does not wait when the reader is back", async () => {
  connection.start();
  newest().end(1006);
  connection.wake();
  assert.equal(Line.all.length, 2);
});

test("takes a line without pings for dead", async () => {
  connection.start();
  await newest().welcome();
  pass(54_999);
  newest().say({ type: "ping", n: 1, heads: {} });
  assert.deepEqual(newest().sent.at(-1), { type: "pong", n: 1 });
  pass(54_999);
  assert.equal(connection.status.phase, "connected");
  pass(1);
  assert.equal(connection.status.phase, "waiting");
});

test("does not trust a line that slept", async () => {
  connection.start();
  await newest().welcome();
  const now = Date.now();
  Date.now = () => now + 3_600_000;
  connection.wake();
  assert.equal(Line.all.length, 2);
});

test("joins again when it still lacks what the ping before told of", async () => {
  connection.follow(room("harbour", 7));
  connection.start();
  await newest().welcome();
  newest().say({ type: "joined", id: newest().sent.at(-1).id, room: "harbour", events: [] });
  await settled();
  const joins = () => newest().sent.filter(({ type }) => type === "join").length;
  newest().say({ type: "ping", n: 1, heads: { harbour: 8 } });
  assert.equal(joins(), 1);
  newest().say({ type: "ping", n: 2, heads: { harbour: 9 } });
  assert.equal(joins(), 2);
});

test("a refusal reaches who asked", async () => {
  connection.start();
  await newest().welcome();
  const asked = connection.ask({ type: "edit" });
  newest().say({ type: "error", id: newest().sent.at(-1).id, code: "conflict", text: "It has changed." });
  await assert.rejects(asked, (error) => error instanceof Refused && error.code === "conflict");
});

test("no answer at all is a dead line", async () => {
  connection.start();
  await newest().welcome();
  const asked = assert.rejects(connection.ask({ type: "send" }), Disconnected);
  pass(15_000);
  await asked;
  assert.equal(connection.status.phase, "waiting");
});
