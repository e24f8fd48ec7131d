import assert from "node:assert/strict";
import { test } from "node:test";

import { backoff } from "../../app/chat/static/chat/backoff.js";

test("the wait doubles from half a second to thirty seconds", () => {
  const longest = Array.from({ length: 9 }, (_, attempt) => backoff(attempt, () => 1));
  assert.deepEqual(longest, [0.5, 1, 2, 4, 8, 16, 30, 30, 30]);
});

test("half of it is chance", () => {
  assert.equal(backoff(3, () => 0), 2);
  assert.equal(backoff(3, () => 0.5), 3);
});
