import assert from "node:assert/strict";
import { test } from "node:test";

import { buildTimeline } from "../../app/chat/static/chat/timeline.js";
import { alice, bob, message } from "./fixtures.js";

const now = new Date(2026, 10, 20, 12);
const at = (hour, minute, day = 20) => new Date(2026, 10, day, hour, minute).toISOString();
const unsent = (cid, more = {}) => ({ cid, room: "harbour", user: 1, body: "mine", reply_to: null, at: at(10, 30), failed: null, ...more });

/** Describe each row by one letter: D for a day, L for the "New messages" line, M for a message, U for an unsent one, f for a grouped one. */
function shape(messages, items = [], lineSeq = Infinity) {
  const rows = buildTimeline(messages, items, { me: alice, lineSeq, now });
  return rows.map((row) => (row.kind === "day" ? "D" : row.kind === "new-messages" ? "L" : row.isGrouped ? "f" : row.kind === "unsent" ? "U" : "M")).join("");
}

test("a person's messages form a group until five minutes after the first", () => {
  assert.equal(shape([0, 2, 4, 5, 6].map((minute, index) => message(index + 1, { at: at(9, minute) }))), "DMffMf");
});

test("another author, another day and a reply start a new group", () => {
  assert.equal(shape([message(1, { at: at(9, 0) }), message(2, { at: at(9, 1), author: alice }), message(3, { at: at(9, 2) })]), "DMMM");
  assert.equal(shape([message(1, { at: at(23, 59, 19) }), message(2, { at: at(0, 1) })]), "DMDM");
  assert.equal(shape([message(1, { at: at(9, 0) }), message(2, { at: at(9, 1), reply_to: 1 })]), "DMM");
});

test("an integration posts under many names, and each name has its own group", () => {
  const kai = { id: 9, name: "Kai", guest: false, via: "Bridge" };
  const messages = [message(1, { author: kai }), message(2, { author: kai }), message(3, { author: { ...kai, name: "Lou" } })];
  assert.equal(shape(messages.map((one) => ({ ...one, at: at(9, 0) }))), "DMfM");
});

test("days have the names that people use", () => {
  const days = [message(1, { at: at(9, 0, 12) }), message(2, { at: at(9, 0, 19) }), message(3, { at: at(9, 0) })];
  const labels = buildTimeline(days, [], { me: alice, lineSeq: Infinity, now }).filter(({ kind }) => kind === "day").map(({ label }) => label);
  assert.match(labels[0], /^Thursday,? 12 November$/); // browsers do not agree on the comma
  assert.deepEqual(labels.slice(1), ["Yesterday", "Today"]);
});

test("the line is drawn once, above the first new message of another person", () => {
  const messages = [message(1), message(2, { author: alice }), message(3), message(4)].map((one) => ({ ...one, at: at(9, one.id) }));
  assert.equal(shape(messages, [], 1), "DMMLMf");
  assert.equal(shape(messages, [], 4), "DMMMf");
});

test("unsent messages are last, in the order in which they were written, until they have arrived", () => {
  const messages = [message(1, { at: at(10, 29) }), message(2, { author: alice, cid: "a", at: at(10, 30) })];
  assert.equal(shape(messages, [unsent("a"), unsent("b")]), "DMMf");
  assert.equal(shape([messages[0]], [unsent("a"), unsent("b")]), "DMUf");
});

test("a row keeps its key when its message is sent, so that its element stays", () => {
  const [, before] = buildTimeline([], [unsent("a")], { me: alice, lineSeq: Infinity, now });
  const [, after] = buildTimeline([message(7, { author: alice, cid: "a" })], [], { me: alice, lineSeq: Infinity, now });
  assert.equal(before.key, after.key);
  assert.notEqual(after.key, buildTimeline([message(7, { author: bob, cid: "a" })], [], { me: alice, lineSeq: Infinity, now })[1].key);
});
