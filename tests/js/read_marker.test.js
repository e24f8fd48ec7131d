import assert from "node:assert/strict";
import { test } from "node:test";

import { ReadMarker } from "../../app/chat/static/chat/read_marker.js";
import { RoomState } from "../../app/chat/static/chat/room_state.js";
import { alice, event, joined, message } from "./fixtures.js";

function createMarker(messages, more) {
  const room = new RoomState("harbour", alice.id, 50);
  room.applyJoined(joined(messages.length, messages, more));
  const view = { watching: true, sent: [] };
  const marker = new ReadMarker(room, {
    isWatching: () => view.watching,
    send: async (seq) => (view.sent.push(seq), 0),
  });
  marker.start();
  const receive = (message) => marker.handleNewMessage(room.applyEvent(event(message)));
  return { room, view, marker, receive };
}

test("the line is above the messages since my last visit, and stays there while I read", async () => {
  const { marker, view } = createMarker([message(1), message(2), message(3)], { read: 1, unread: 2 });
  assert.equal(marker.lineSeq, 1);
  assert.equal(await marker.sendIfMoved(), true);
  assert.deepEqual(view.sent, [3]);
  assert.equal(marker.lineSeq, 1);
  assert.equal(await marker.sendIfMoved(), false);
});

test("a reader at the bottom sees no line, and one who looks away finds it above the first missed message", async () => {
  const { marker, view, receive } = createMarker([message(1)]);
  await marker.sendIfMoved();
  receive(message(2));
  assert.equal(marker.lineSeq, Infinity);
  await marker.sendIfMoved();
  view.watching = false;
  receive(message(3));
  receive(message(4));
  assert.equal(await marker.sendIfMoved(), false);
  assert.equal(marker.lineSeq, 2);
  assert.equal(marker.unseenCount, 2);
});

test("sending a message removes the line", () => {
  const { marker } = createMarker([message(1), message(2)], { read: 1, unread: 1 });
  marker.handleOwnMessage();
  assert.equal(marker.lineSeq, Infinity);
});

test("messages that I read on another device are not new here", async () => {
  const { room, marker, view, receive } = createMarker([message(1)]);
  await marker.sendIfMoved();
  view.watching = false;
  for (const id of [2, 3, 4]) receive(message(id));
  assert.deepEqual([marker.lineSeq, marker.unseenCount], [1, 3]);
  room.moveReadMarker(3, 1);
  marker.handleMarkerMoved();
  assert.deepEqual([marker.lineSeq, marker.unseenCount], [3, 1]);
  room.moveReadMarker(4, 0);
  marker.handleMarkerMoved();
  assert.deepEqual([marker.lineSeq, marker.unseenCount], [Infinity, 0]);
  receive(message(5));
  assert.equal(marker.lineSeq, 4);
});

test("the event of my own read marker leaves the line where it is", () => {
  const { room, marker } = createMarker([message(1), message(2)], { read: 1, unread: 1 });
  room.moveReadMarker(2, 0);
  marker.handleMarkerMoved();
  assert.equal(marker.lineSeq, 1);
});
