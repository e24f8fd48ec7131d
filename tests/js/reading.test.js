import assert from "node:assert/strict";
import { test } from "node:test";

import { Reading } from "../../app/chat/static/chat/reading.js";
import { RoomState } from "../../app/chat/static/chat/state.js";
import { alice, event, joined, message } from "./cast.js";

function reader(messages, more) {
  const room = new RoomState("harbour", alice.id, 50);
  room.enter(joined(messages.length, messages, more));
  const view = { watching: true, told: [] };
  const reading = new Reading(room, {
    isWatching: () => view.watching,
    tell: async (seq) => (view.told.push(seq), 0),
  });
  reading.begin();
  const hears = (said) => reading.hear(room.apply(event(said)));
  return { room, view, reading, hears };
}

test("who comes back finds the line above what is new, and it stays while they read", async () => {
  const { reading, view } = reader([message(1), message(2), message(3)], { read: 1, unread: 2 });
  assert.equal(reading.line, 1);
  assert.equal(await reading.tell(), true);
  assert.deepEqual(view.told, [3]);
  assert.equal(reading.line, 1);
  assert.equal(await reading.tell(), false);
});

test("who looks on sees no line; who looks away finds it above the first they missed", async () => {
  const { reading, view, hears } = reader([message(1)]);
  await reading.tell();
  hears(message(2));
  assert.equal(reading.line, Infinity);
  await reading.tell();
  view.watching = false;
  hears(message(3));
  hears(message(4));
  assert.equal(await reading.tell(), false);
  assert.equal(reading.line, 2);
  assert.equal(reading.missed, 2);
});

test("speaking takes the line away", () => {
  const { reading } = reader([message(1), message(2)], { read: 1, unread: 1 });
  reading.spoke();
  assert.equal(reading.line, Infinity);
});

test("what I read on another device is not new here", async () => {
  const { room, reading, view, hears } = reader([message(1)]);
  await reading.tell();
  view.watching = false;
  for (const id of [2, 3, 4]) hears(message(id));
  assert.deepEqual([reading.line, reading.missed], [1, 3]);
  room.mark(3, 1);
  reading.elsewhere();
  assert.deepEqual([reading.line, reading.missed], [3, 1]);
  room.mark(4, 0);
  reading.elsewhere();
  assert.deepEqual([reading.line, reading.missed], [Infinity, 0]);
  hears(message(5));
  assert.equal(reading.line, 4);
});

test("the echo of my own reading leaves the line where it is", () => {
  const { room, reading } = reader([message(1), message(2)], { read: 1, unread: 1 });
  room.mark(2, 0);
  reading.elsewhere();
  assert.equal(reading.line, 1);
});
