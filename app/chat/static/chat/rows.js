import { dayOf } from "./times.js";

/**
 * @typedef {import("./frames.js").Message} Message
 * @typedef {import("./outbox.js").Item} Item
 * @typedef {{kind: "day", key: string, label: string} | {kind: "line", key: string}
 *   | {kind: "message", key: string, at: Date, author: import("./frames.js").Person, follow: boolean, message: Message}
 *   | {kind: "unsent", key: string, at: Date, author: import("./frames.js").Person, follow: boolean, item: Item}} Row
 */

const GROUP = 5 * 60_000; // ms: how long after its first message somebody's group takes another

/**
 * The lines of a room as they stand under each other: days, groups by author, the new-messages line, and last what
 * I have not sent yet.
 * @param {Message[]} messages
 * @param {Item[]} unsent
 * @param {{me: import("./frames.js").Person, line: number, now: Date}} view line: the place after which all was new
 * @returns {Row[]}
 */
export function rowsOf(messages, unsent, { me, line, now }) {
  /** @type {Row[]} */
  const rows = [];
  let day = "";
  let author = "";
  let opened = 0;
  let drawn = false;
  /** @param {Date} at @param {import("./frames.js").Person} person @param {boolean} apart @returns {boolean} does it follow the one above? */
  const place = (at, { id, name }, apart) => {
    const who = `${id} ${name}`; // an integration speaks for many
    if (at.toDateString() !== day) {
      day = at.toDateString();
      author = "";
      rows.push({ kind: "day", key: `day ${day}`, label: dayOf(at, now) });
    }
    const follow = !apart && who === author && at.getTime() - opened < GROUP;
    if (!follow) opened = at.getTime();
    author = who;
    return follow;
  };
  for (const message of messages) {
    const at = new Date(message.at);
    const isFirstNew = !drawn && message.seq > line && message.author.id !== me.id;
    const follow = place(at, message.author, isFirstNew || message.reply_to !== null);
    if (isFirstNew) {
      drawn = true;
      rows.push({ kind: "line", key: "line" });
    }
    rows.push({ kind: "message", key: keyOf(message), at, author: message.author, follow, message });
  }
  const sent = new Set(messages.map((message) => keyOf(message)));
  for (const item of unsent) {
    if (sent.has(`${me.id} ${item.cid}`)) continue;
    const at = new Date(item.at);
    const follow = place(at, me, item.reply_to !== null);
    rows.push({ kind: "unsent", key: `${me.id} ${item.cid}`, at, author: me, follow, item });
  }
  return rows;
}

/** The same before and after it is sent, so that its line stays the same element. @param {Message} message */
const keyOf = (message) => `${message.author.id} ${message.cid}`;
