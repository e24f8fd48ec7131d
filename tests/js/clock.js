// A fake clock that stands still until a test moves it.

/** Replace the clock during one test. Returns a function that moves it forward by a number of milliseconds. @param {import("node:test").TestContext} t */
export function stopClock(t) {
  const real = { setTimeout, clearTimeout, now: Date.now };
  const waiting = new Map();
  let now = 1_000_000;
  let last = 0;
  globalThis.setTimeout = (step, ms = 0) => (waiting.set(++last, { step, at: now + ms }), last);
  globalThis.clearTimeout = (id) => waiting.delete(id);
  Date.now = () => now;
  t.after(() => {
    globalThis.setTimeout = real.setTimeout;
    globalThis.clearTimeout = real.clearTimeout;
    Date.now = real.now;
  });
  return (ms) => {
    const end = now + ms;
    for (;;) {
      const [next] = [...waiting].filter(([, { at }]) => at <= end).sort(([, a], [, b]) => a.at - b.at);
      if (!next) break;
      const [id, { step, at }] = next;
      waiting.delete(id);
      now = at;
      step();
    }
    now = end;
  };
}
