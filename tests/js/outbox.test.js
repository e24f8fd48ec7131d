import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { Disconnected, Refused } from "../../app/chat/static/chat/connection.js";
import { Outbox } from "../../app/chat/static/chat/outbox.js";
import { stopClock } from "./clock.js";

/** What a browser keeps over a reload. */
class Shelf {
  items = new Map();
  all = async () => [...this.items.values()];
  put = async (item) => void this.items.set(item.cid, item);
  remove = async (cid) => void this.items.delete(cid);
}

const everywhere = () => true;
const refusal = (code, more = {}) => new Refused({ type: "error", id: 1, code, text: "No.", ...more });
let shelf, outbox;

beforeEach(() => {
  shelf = new Shelf();
  outbox = new Outbox(shelf, 1, () => {});
});

test("what was written goes out in its order and is forgotten once it is acknowledged", async () => {
  for (const body of ["one", "two", "three"]) await outbox.add("harbour", body, null);
  const sent = [];
  await outbox.flush(everywhere, async ({ body }) => void sent.push(body));
  assert.deepEqual(sent, ["one", "two", "three"]);
  assert.deepEqual(outbox.of("harbour"), []);
  assert.equal(shelf.items.size, 0);
});

test("a lost line ends the round, and the same cid goes out again", async () => {
  await outbox.add("harbour", "one", null);
  const tried = [];
  await outbox.flush(everywhere, async ({ cid }) => {
    tried.push(cid);
    throw new Disconnected();
  });
  await outbox.flush(everywhere, async ({ cid }) => void tried.push(cid));
  assert.equal(tried.length, 2);
  assert.equal(tried[0], tried[1]);
});

test("a reload finds my unsent words, and nobody else's", async () => {
  await outbox.add("harbour", "mine", 7);
  await new Outbox(shelf, 2, () => {}).add("harbour", "theirs", null);
  const reloaded = new Outbox(shelf, 1, () => {});
  await reloaded.load();
  assert.deepEqual(reloaded.of("harbour").map(({ body, reply_to }) => [body, reply_to]), [["mine", 7]]);
});

test("a refusal for good stays with its reason until it is retried or discarded; the others go on", async () => {
  await outbox.add("harbour", "bad", null);
  await outbox.add("harbour", "good", null);
  let refuse = true;
  const send = async ({ body }) => {
    if (body === "bad" && refuse) throw refusal("bad_message");
  };
  await outbox.flush(everywhere, send);
  const [failed, ...rest] = outbox.of("harbour");
  assert.equal(failed.failed, "No.");
  assert.deepEqual(rest, []);
  refuse = false;
  await outbox.retry(failed.cid);
  await outbox.flush(everywhere, send);
  assert.deepEqual(outbox.of("harbour"), []);
});

test("too many at once waits as long as the server says, in order", async (t) => {
  const pass = stopClock(t);
  await outbox.add("harbour", "one", null);
  await outbox.add("harbour", "two", null);
  const sent = [];
  let told;
  const waiting = new Promise((resolve) => (told = resolve));
  outbox.onChange = () => outbox.of("harbour")[0]?.note && setImmediate(told);
  const done = outbox.flush(everywhere, async ({ body }) => {
    sent.push(body);
    if (sent.length === 1) throw refusal("rate_limited", { retry_after: 3 });
  });
  await waiting;
  assert.deepEqual(sent, ["one"]);
  assert.equal(outbox.of("harbour")[0].note, "No. Sending again in 3 s.");
  pass(3000);
  await done;
  assert.deepEqual(sent, ["one", "one", "two"]);
});

test("a room that I am not in keeps its words until I am", async () => {
  await outbox.add("elsewhere", "later", null);
  await outbox.flush((room) => room !== "elsewhere", () => assert.fail("sent"));
  assert.equal(outbox.of("elsewhere").length, 1);
});
