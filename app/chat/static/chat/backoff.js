const FIRST = 0.5; // seconds
const LONGEST = 30;

/**
 * Seconds to wait before try number `attempt` (from 0). The upper half of the wait is left to chance, so that
 * everybody who lost the same server does not come back in the same moment.
 * @param {number} attempt
 * @param {() => number} random
 */
export function backoff(attempt, random = Math.random) {
  const most = Math.min(LONGEST, FIRST * 2 ** attempt);
  return most * (0.5 + random() / 2);
}
