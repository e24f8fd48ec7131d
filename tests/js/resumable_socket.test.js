import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { stopClock } from "./clock.js";
import { FakeSocket } from "./fake_socket.js";

globalThis.CloseEvent ??= class extends Event {
  constructor(type, { code = 0, reason = "" } = {}) {
    super(type);
    Object.assign(this, { code, reason });
  }
};
await import("../../app/channels_realtime/static/channels_realtime/resumable-socket.js");

const URL = "ws://site.example/ws/chat/lobby/";
const lastSocket = () => FakeSocket.all.at(-1);
const positions = () => JSON.parse(decodeURIComponent(lastSocket().url.split("resume=")[1]));
let received, pass, socket;

beforeEach((t) => {
  pass = stopClock(t);
  const random = Math.random;
  Math.random = () => 1;
  t.after(() => (Math.random = random));
  globalThis.WebSocket = FakeSocket;
  FakeSocket.all = [];
  received = [];
  socket = new ResumableSocket(URL);
  socket.onmessage = ({ data }) => received.push(data);
  for (const type of ["open", "reconnecting", "reconnected", "close"]) {
    socket.addEventListener(type, () => received.push(`(${type})`));
  }
});

const event = (seq, ...texts) => ({ stream: "chat_lobby", epoch: "e", seq, texts });

test("names the last event of each stream when it reconnects, and ignores one that it has", () => {
  assert.deepEqual(positions(), {});
  lastSocket().open();
  lastSocket().receive({ stream: "chat_lobby", epoch: "e", seq: 0, missed: 0 });
  lastSocket().receive(event(1, "one"));
  lastSocket().end(1012);
  pass(300);
  assert.equal(FakeSocket.all.length, 2);
  assert.deepEqual(positions(), { chat_lobby: ["e", 1] });
  lastSocket().open();
  lastSocket().receive(event(1, "one"));
  lastSocket().receive(event(2, "two", "and more"));
  assert.deepEqual(received, ["(open)", "one", "(reconnecting)", "(reconnected)", "two", "and more"]);
});

test("sends again what was not acknowledged, with the same id, and nothing else", () => {
  socket.send("before it is open");
  lastSocket().open();
  socket.send("acknowledged");
  const [first, second] = lastSocket().sent;
  assert.equal(first.text, "before it is open");
  lastSocket().receive({ ack: second.id });
  lastSocket().end(1006);
  socket.send("while it is away");
  pass(300);
  lastSocket().open();
  assert.deepEqual(lastSocket().sent.map(({ text }) => text), ["before it is open", "while it is away"]);
  assert.equal(lastSocket().sent[0].id, first.id);
  assert.ok(socket.bufferedAmount > 0);
});

test("does not reconnect when the consumer or the page has closed it", () => {
  for (const code of [1000, 1008, 4001]) {
    FakeSocket.all = [];
    received = [];
    const other = new ResumableSocket(URL);
    other.onclose = ({ code }) => received.push(code);
    lastSocket().open();
    lastSocket().end(code);
    pass(60_000);
    assert.equal(FakeSocket.all.length, 1);
    assert.deepEqual([received, other.readyState], [[code], ResumableSocket.CLOSED]);
  }
});

test("waits longer after each failure, up to ten seconds, until a frame arrives", () => {
  const waits = [];
  for (let n = 0; n < 7; n++) {
    const before = FakeSocket.all.length;
    lastSocket().end(1006);
    let waited = 0;
    while (FakeSocket.all.length === before) {
      pass(100);
      waited += 100;
    }
    waits.push(waited);
  }
  assert.deepEqual(waits, [300, 600, 1200, 2400, 4800, 9600, 10_000]);
  lastSocket().open();
  lastSocket().receive({ pong: 1 });
  lastSocket().end(1012);
  pass(300);
  assert.equal(FakeSocket.all.length, 9);
});

test("reconnects when a ping is not answered", () => {
  lastSocket().open();
  pass(20_000);
  assert.deepEqual(lastSocket().sent, [{ ping: 1 }]);
  lastSocket().receive({ pong: 1 });
  pass(20_000);
  pass(10_300);
  assert.equal(FakeSocket.all.length, 2);
});

test("gives a message up at which the consumer has failed three times", (t) => {
  const failed = [];
  t.mock.method(console, "error", () => {});
  socket.addEventListener("senderror", ({ detail }) => failed.push(detail));
  socket.send("poison");
  socket.send("fine");
  for (let n = 0; n < 3; n++) {
    lastSocket().open();
    lastSocket().end(1011); // Redis is away: that says nothing about the message
    pass(60_000);
  }
  for (let n = 0; n < 3; n++) {
    assert.deepEqual(failed, []);
    lastSocket().open();
    lastSocket().receive({ failed: lastSocket().sent[0].id });
    lastSocket().end(1011);
    pass(60_000);
  }
  assert.deepEqual(failed, ["poison"]);
  lastSocket().open();
  assert.deepEqual(lastSocket().sent.map(({ text }) => text), ["fine"]);
});

test("tells the page how much the server no longer has", () => {
  const gaps = [];
  socket.addEventListener("gap", ({ detail }) => gaps.push(detail.missed));
  lastSocket().open();
  lastSocket().receive({ stream: "chat_lobby", epoch: "e", seq: 90, missed: 87 });
  lastSocket().receive({ stream: "chat_lobby", epoch: "f", seq: 5, missed: null });
  assert.deepEqual(gaps, [87, null]);
  lastSocket().receive({ stream: "chat_lobby", epoch: "f", seq: 6, texts: ["after the restore"] });
  assert.deepEqual(received.at(-1), "after the restore");
});
