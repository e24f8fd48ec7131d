import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { Connection, Disconnected, Refused } from "../../app/chat/static/chat/connection.js";
import { stopClock } from "./clock.js";
import { FakeSocket, settled } from "./fake_socket.js";

const lastSocket = () => FakeSocket.all.at(-1);
const room = (slug, seq) => ({ slug, lastSeq: seq, limit: 50, since: () => (seq ? { epoch: "e", seq } : undefined) });
let connection, phases, pass;

beforeEach((t) => {
  pass = stopClock(t);
  const random = Math.random;
  Math.random = () => 1;
  t.after(() => (Math.random = random));
  globalThis.WebSocket = FakeSocket;
  FakeSocket.all = [];
  phases = [];
  connection = new Connection("wss://parley.example/ws/", {
    onStatus: ({ phase }) => phases.push(phase),
    onWelcome: () => {},
    onJoined: () => {},
    onFrame: () => {},
    onJoinRefused: () => {},
  });
});

test("sends hello first, then joins its rooms from their last change", async () => {
  connection.follow(room("harbour", 7));
  connection.start();
  await lastSocket().welcome();
  assert.equal(lastSocket().subprotocol, "parley.v1");
  assert.deepEqual(lastSocket().sent.map(({ type, since }) => [type, since]), [["hello", undefined], ["join", { epoch: "e", seq: 7 }]]);
  assert.deepEqual(phases, ["connecting", "connected"]);
});

test("reconnects by itself after growing waits, and rejects the commands without a reply", async () => {
  connection.start();
  await lastSocket().welcome();
  const asked = assert.rejects(connection.ask({ type: "send" }), Disconnected);
  lastSocket().end(1006);
  await asked;
  for (const [wait, sockets] of [[499, 1], [1, 2], [999, 2], [1, 3]]) {
    pass(wait);
    assert.equal(FakeSocket.all.length, sockets);
    if (lastSocket().readyState === 0 && wait === 1) lastSocket().end(1006);
  }
});

test("a stable connection resets the waits", async () => {
  connection.start();
  for (let loss = 0; loss < 4; loss += 1) {
    lastSocket().end(1006);
    pass(30_000);
  }
  await lastSocket().welcome();
  pass(11_000);
  const before = FakeSocket.all.length;
  lastSocket().end(1006);
  pass(500);
  assert.equal(FakeSocket.all.length, before + 1);
});

test("reconnects at the time that the server names", async () => {
  connection.start();
  await lastSocket().welcome();
  lastSocket().receive({ type: "bye", code: 1012, reason: "The server restarts.", reconnect_in: 7 });
  lastSocket().end(1012);
  pass(6999);
  assert.equal(FakeSocket.all.length, 1);
  pass(1);
  assert.equal(FakeSocket.all.length, 2);
});

test("does not reconnect after a close code 44xx", async () => {
  connection.start();
  await lastSocket().welcome();
  lastSocket().end(4403);
  pass(600_000);
  assert.equal(FakeSocket.all.length, 1);
  assert.deepEqual(connection.status, { phase: "ended", code: 4403, reason: "" });
});

test("reconnects once when its session is over, because another tab may have started the next one", async () => {
  connection.start();
  await lastSocket().welcome();
  for (const again of [2, 3]) {
    lastSocket().end(4401);
    pass(1000);
    assert.equal(FakeSocket.all.length, again);
    await lastSocket().welcome(); // the next session may end, too
  }
  lastSocket().end(4401);
  pass(1000);
  lastSocket().open();
  lastSocket().end(4401);
  pass(600_000);
  assert.equal(FakeSocket.all.length, 4);
  assert.deepEqual(connection.status, { phase: "ended", code: 4401, reason: "" });
});

test("reconnects at once when the reader is back", async () => {
  connection.start();
  lastSocket().end(1006);
  connection.wake();
  assert.equal(FakeSocket.all.length, 2);
});

test("treats a connection without pings as lost", async () => {
  connection.start();
  await lastSocket().welcome();
  pass(54_999);
  lastSocket().receive({ type: "ping", n: 1, heads: {} });
  assert.deepEqual(lastSocket().sent.at(-1), { type: "pong", n: 1 });
  pass(54_999);
  assert.equal(connection.status.phase, "connected");
  pass(1);
  assert.equal(connection.status.phase, "waiting");
});

test("treats a connection as lost after the machine was asleep", async () => {
  connection.start();
  await lastSocket().welcome();
  const now = Date.now();
  Date.now = () => now + 3_600_000;
  connection.wake();
  assert.equal(FakeSocket.all.length, 2);
});

test("joins a room again when it still lacks the head of the ping before", async () => {
  connection.follow(room("harbour", 7));
  connection.start();
  await lastSocket().welcome();
  lastSocket().receive({ type: "joined", id: lastSocket().sent.at(-1).id, room: "harbour", events: [] });
  await settled();
  const joins = () => lastSocket().sent.filter(({ type }) => type === "join").length;
  lastSocket().receive({ type: "ping", n: 1, heads: { harbour: 8 } });
  assert.equal(joins(), 1);
  lastSocket().receive({ type: "ping", n: 2, heads: { harbour: 9 } });
  assert.equal(joins(), 2);
});

test("a refusal rejects its command", async () => {
  connection.start();
  await lastSocket().welcome();
  const asked = connection.ask({ type: "edit" });
  lastSocket().receive({ type: "error", id: lastSocket().sent.at(-1).id, code: "conflict", text: "It has changed." });
  await assert.rejects(asked, (error) => error instanceof Refused && error.code === "conflict");
});

test("a command without a reply means that the connection is lost", async () => {
  connection.start();
  await lastSocket().welcome();
  const asked = assert.rejects(connection.ask({ type: "send" }), Disconnected);
  pass(15_000);
  await asked;
  assert.equal(connection.status.phase, "waiting");
});
