import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { Disconnected, Refused } from "../../app/chat/static/chat/connection.js";
import { Outbox } from "../../app/chat/static/chat/outbox.js";
import { stopClock } from "./clock.js";

/** A store that a reload does not clear. */
class MemoryStore {
  messages = new Map();
  all = async () => [...this.messages.values()];
  put = async (message) => void this.messages.set(message.cid, message);
  remove = async (cid) => void this.messages.delete(cid);
}

const isOpen = () => true;
const refusal = (code, more = {}) => new Refused({ type: "error", id: 1, code, text: "No.", ...more });
let store, outbox;

beforeEach(() => {
  store = new MemoryStore();
  outbox = new Outbox(store, 1, () => {});
});

test("messages are sent in their order, and removed once they are acknowledged", async () => {
  for (const body of ["one", "two", "three"]) await outbox.add("harbour", body, null);
  const sent = [];
  await outbox.flush(isOpen, async ({ body }) => void sent.push(body));
  assert.deepEqual(sent, ["one", "two", "three"]);
  assert.deepEqual(outbox.listFor("harbour"), []);
  assert.equal(store.messages.size, 0);
});

test("a lost connection ends the flush, and the next one sends the same cid again", async () => {
  await outbox.add("harbour", "one", null);
  const tried = [];
  await outbox.flush(isOpen, async ({ cid }) => {
    tried.push(cid);
    throw new Disconnected();
  });
  await outbox.flush(isOpen, async ({ cid }) => void tried.push(cid));
  assert.equal(tried.length, 2);
  assert.equal(tried[0], tried[1]);
});

test("a reload finds my unsent messages, and not those of other users", async () => {
  await outbox.add("harbour", "mine", 7);
  await new Outbox(store, 2, () => {}).add("harbour", "theirs", null);
  const reloaded = new Outbox(store, 1, () => {});
  await reloaded.load();
  assert.deepEqual(reloaded.listFor("harbour").map(({ body, reply_to }) => [body, reply_to]), [["mine", 7]]);
});

test("a refused message stays with its reason until it is retried or discarded, and the others are sent", async () => {
  await outbox.add("harbour", "bad", null);
  await outbox.add("harbour", "good", null);
  let refuse = true;
  const send = async ({ body }) => {
    if (body === "bad" && refuse) throw refusal("bad_message");
  };
  await outbox.flush(isOpen, send);
  const [failed, ...rest] = outbox.listFor("harbour");
  assert.equal(failed.failed, "No.");
  assert.deepEqual(rest, []);
  refuse = false;
  await outbox.retry(failed.cid);
  await outbox.flush(isOpen, send);
  assert.deepEqual(outbox.listFor("harbour"), []);
});

test("after a rate limit the outbox waits as long as the server says, and keeps the order", async (t) => {
  const pass = stopClock(t);
  await outbox.add("harbour", "one", null);
  await outbox.add("harbour", "two", null);
  const sent = [];
  let signalNote;
  const noted = new Promise((resolve) => (signalNote = resolve));
  outbox.onChange = () => outbox.listFor("harbour")[0]?.note && setImmediate(signalNote);
  const done = outbox.flush(isOpen, async ({ body }) => {
    sent.push(body);
    if (sent.length === 1) throw refusal("rate_limited", { retry_after: 3 });
  });
  await noted;
  assert.deepEqual(sent, ["one"]);
  assert.equal(outbox.listFor("harbour")[0].note, "No. Trying again in 3 s.");
  pass(3000);
  await done;
  assert.deepEqual(sent, ["one", "one", "two"]);
});

test("messages to a room that is not joined are kept until it is", async () => {
  await outbox.add("other", "later", null);
  await outbox.flush((room) => room !== "other", () => assert.fail("sent"));
  assert.equal(outbox.listFor("other").length, 1);
});
