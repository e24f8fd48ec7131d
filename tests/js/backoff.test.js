import assert from "node:assert/strict";
import { test } from "node:test";

import { computeBackoffSeconds } from "../../app/chat/static/chat/backoff.js";

test("the wait doubles from half a second to thirty seconds", () => {
  const longest = Array.from({ length: 9 }, (_, attempt) => computeBackoffSeconds(attempt, () => 1));
  assert.deepEqual(longest, [0.5, 1, 2, 4, 8, 16, 30, 30, 30]);
});

test("the upper half of the wait is random", () => {
  assert.equal(computeBackoffSeconds(3, () => 0), 2);
  assert.equal(computeBackoffSeconds(3, () => 0.5), 3);
});
