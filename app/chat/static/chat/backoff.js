const FIRST_SECONDS = 0.5;
const MAX_SECONDS = 30;

/**
 * Compute the seconds to wait before connection attempt number `attempt`, which counts from 0. The wait doubles with
 * each attempt. Its upper half is random, so that the clients of a failed server do not all reconnect at once.
 * @param {number} attempt
 * @param {() => number} random
 */
export function computeBackoffSeconds(attempt, random = Math.random) {
  const longest = Math.min(MAX_SECONDS, FIRST_SECONDS * 2 ** attempt);
  return longest * (0.5 + random() / 2);
}
