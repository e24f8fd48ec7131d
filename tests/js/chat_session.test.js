import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";

import { ChatSession } from "../../app/chat/static/chat/chat_session.js";
import { stopClock } from "./clock.js";
import { FakeSocket, settled } from "./fake_socket.js";
import { alice, bob, event, joined, memberEvent, message } from "./fixtures.js";

const HANDLERS = ["onStatus", "onChange", "onOtherUser", "onRoomInfo", "onJoined", "onNewMessages", "onMember", "onPresence", "onTyping", "onMarkerMoved", "onRemoved"];
const emptyStore = { all: async () => [], put: async () => {}, remove: async () => {} };
let session, calls, socket;

/** The arguments of each call of a handler. */
const callsOf = (name) => calls.filter(([called]) => called === name).map(([, ...values]) => values);

/** Answer the newest command of this type. */
async function reply(type, frame) {
  const { id } = socket.sent.findLast((command) => command.type === type);
  socket.receive({ ...frame, id });
  await settled();
}

beforeEach(async (t) => {
  stopClock(t);
  globalThis.WebSocket = FakeSocket;
  FakeSocket.all = [];
  calls = [];
  const handlers = Object.fromEntries(HANDLERS.map((name) => [name, (...values) => void calls.push([name, ...values])]));
  const unread = [["harbour", 0], ["pier", 4]];
  session = new ChatSession({ url: "wss://parley.example/ws/", me: alice, slug: "harbour", unread, store: emptyStore }, handlers);
  session.start();
  socket = FakeSocket.all[0];
  socket.open();
  socket.receive({ type: "welcome", id: socket.sent[0].id, user: alice, ping: 25, limits: {} });
  await settled();
  await reply("join", joined(1, [message(1)]));
  await reply("join", { ...joined(7, [], { unread: 4 }), room: "pier" });
});

describe("a chat session", () => {
  test("joins the current room first, with its messages, and the others for their counts", () => {
    const joins = socket.sent.filter(({ type }) => type === "join");
    assert.deepEqual(joins.map(({ room, limit }) => [room, limit]), [["harbour", 50], ["pier", 0]]);
    assert.deepEqual(callsOf("onJoined").map(([frame, , isFirst]) => [frame.room, isFirst]), [["harbour", true]]);
    assert.equal(session.rooms.get("pier").unreadCount, 4);
  });

  test("reports new messages of the current room, and counts those of others", () => {
    socket.receive({ type: "events", events: [event(message(2)), { ...event(message(8)), room: "pier" }] });
    assert.deepEqual(callsOf("onNewMessages").map(([[{ id }]]) => id), [2]);
    assert.equal(session.rooms.get("pier").unreadCount, 5);
  });

  test("joins again after a gap, from its last change", () => {
    socket.receive({ type: "events", events: [event(message(3))] });
    const { type, room, since } = socket.sent.at(-1);
    assert.deepEqual([type, room, since], ["join", "harbour", { epoch: "e", seq: 1 }]);
  });

  test("sends a message through the outbox, and shows it once it is acknowledged", async () => {
    await session.send("Ahoy", null);
    const { cid, body } = socket.sent.at(-1);
    assert.equal(body, "Ahoy");
    assert.equal(session.outbox.listFor("harbour").length, 1);
    await reply("send", { type: "ok", message: message(2, { author: alice, cid, body }) });
    assert.deepEqual(session.outbox.listFor("harbour"), []);
    assert.deepEqual(session.current.listMessages().map(({ id }) => id), [1, 2]);
  });

  test("says that I was banned, and forgets the room", () => {
    socket.receive({ type: "events", events: [memberEvent(2, alice, "banned")] });
    socket.receive({ type: "left", room: "harbour", reason: "banned" });
    assert.deepEqual(callsOf("onRemoved"), [["harbour", "You have been banned from this room."]]);
    assert.equal(session.rooms.has("harbour"), false);
    assert.equal(session.hasJoinedCurrent, false);
  });

  test("leaving a room reports no removal", async () => {
    const left = session.leaveCurrent();
    socket.receive({ type: "left", room: "harbour", reason: "left" });
    await reply("leave", { type: "ok" });
    await left;
    assert.deepEqual(callsOf("onRemoved"), []);
  });

  test("the typing of a person ends with their message", () => {
    socket.receive({ type: "ephemeral", room: "harbour", kind: "typing", user: bob, on: true });
    socket.receive({ type: "events", events: [event(message(2))] });
    assert.deepEqual(callsOf("onTyping").slice(-2), [[bob, true], [bob, false]]);
  });
});
