import assert from "node:assert/strict";
import { test } from "node:test";

import { rowsOf } from "../../app/chat/static/chat/rows.js";
import { alice, bob, message } from "./cast.js";

const now = new Date(2026, 10, 20, 12);
const at = (hour, minute, day = 20) => new Date(2026, 10, day, hour, minute).toISOString();
const unsent = (cid, more = {}) => ({ cid, room: "harbour", user: 1, body: "mine", reply_to: null, at: at(10, 30), failed: null, ...more });

/** One letter a row: Day, Line, Message, follower, Unsent. */
function shape(messages, items = [], line = Infinity) {
  const rows = rowsOf(messages, items, { me: alice, line, now });
  return rows.map((row) => (row.kind === "day" ? "D" : row.kind === "line" ? "L" : row.follow ? "f" : row.kind === "unsent" ? "U" : "M")).join("");
}

test("a person's messages form a group until five minutes after the first", () => {
  assert.equal(shape([0, 2, 4, 5, 6].map((minute, index) => message(index + 1, { at: at(9, minute) }))), "DMffMf");
});

test("another person, another day and an answer begin a new group", () => {
  assert.equal(shape([message(1, { at: at(9, 0) }), message(2, { at: at(9, 1), author: alice }), message(3, { at: at(9, 2) })]), "DMMM");
  assert.equal(shape([message(1, { at: at(23, 59, 19) }), message(2, { at: at(0, 1) })]), "DMDM");
  assert.equal(shape([message(1, { at: at(9, 0) }), message(2, { at: at(9, 1), reply_to: 1 })]), "DMM");
});

test("an integration speaks for many: each of them has a group", () => {
  const kai = { id: 9, name: "Kai", guest: false, via: "Bridge" };
  const said = [message(1, { author: kai }), message(2, { author: kai }), message(3, { author: { ...kai, name: "Lou" } })];
  assert.equal(shape(said.map((one) => ({ ...one, at: at(9, 0) }))), "DMfM");
});

test("days have the names people use", () => {
  const days = [message(1, { at: at(9, 0, 12) }), message(2, { at: at(9, 0, 19) }), message(3, { at: at(9, 0) })];
  const labels = rowsOf(days, [], { me: alice, line: Infinity, now }).filter(({ kind }) => kind === "day").map(({ label }) => label);
  assert.match(labels[0], /^Thursday,? 12 November$/); // browsers do not agree on the comma
  assert.deepEqual(labels.slice(1), ["Yesterday", "Today"]);
});

test("the line stands above the first new message of somebody else, once", () => {
  const said = [message(1), message(2, { author: alice }), message(3), message(4)].map((one) => ({ ...one, at: at(9, one.id) }));
  assert.equal(shape(said, [], 1), "DMMLMf");
  assert.equal(shape(said, [], 4), "DMMMf");
});

test("what is not sent stands last, in the order it was written, until it has arrived", () => {
  const said = [message(1, { at: at(10, 29) }), message(2, { author: alice, cid: "a", at: at(10, 30) })];
  assert.equal(shape(said, [unsent("a"), unsent("b")]), "DMMf");
  assert.equal(shape([said[0]], [unsent("a"), unsent("b")]), "DMUf");
});

test("a line keeps its key from unsent to sent, so that its element stays", () => {
  const [, before] = rowsOf([], [unsent("a")], { me: alice, line: Infinity, now });
  const [, after] = rowsOf([message(7, { author: alice, cid: "a" })], [], { me: alice, line: Infinity, now });
  assert.equal(before.key, after.key);
  assert.notEqual(after.key, rowsOf([message(7, { author: bob, cid: "a" })], [], { me: alice, line: Infinity, now })[1].key);
});
