import { formatDay } from "./times.js";

/**
 * @typedef {import("./frames.js").Message} Message
 * @typedef {import("./frames.js").Person} Person
 * @typedef {import("./outbox.js").UnsentMessage} UnsentMessage
 * @typedef {{kind: "day", key: string, label: string} | {kind: "new-messages", key: string}
 *   | {kind: "message", key: string, at: Date, author: Person, isGrouped: boolean, message: Message}
 *   | {kind: "unsent", key: string, at: Date, author: Person, isGrouped: boolean, unsent: UnsentMessage}} Row
 *   isGrouped: the row belongs to the group of the author above it, and shows no name of its own
 */

const GROUP_MS = 5 * 60_000; // a group takes more messages until this long after its first one

/**
 * Build the rows of a room: days, messages in groups by author, the "New messages" line, and at the end the messages
 * that were not sent yet.
 * @param {Message[]} messages in order
 * @param {UnsentMessage[]} unsentMessages in order
 * @param {{me: Person, lineSeq: number, now: Date}} view  lineSeq: messages after this position are new
 * @returns {Row[]}
 */
export function buildTimeline(messages, unsentMessages, { me, lineSeq, now }) {
  /** @type {Row[]} */
  const rows = [];
  let day = "";
  let groupAuthor = "";
  let groupStart = 0;
  let hasLine = false;

  /** Start a new day or group if necessary. @param {Date} at @param {Person} author @param {boolean} startsGroup @returns {boolean} whether the message is grouped */
  const addToGroup = (at, { id, name }, startsGroup) => {
    const author = `${id} ${name}`; // an integration posts under many names
    if (at.toDateString() !== day) {
      day = at.toDateString();
      groupAuthor = "";
      rows.push({ kind: "day", key: `day ${day}`, label: formatDay(at, now) });
    }
    const isGrouped = !startsGroup && author === groupAuthor && at.getTime() - groupStart < GROUP_MS;
    if (!isGrouped) groupStart = at.getTime();
    groupAuthor = author;
    return isGrouped;
  };

  for (const message of messages) {
    const at = new Date(message.at);
    const isFirstNew = !hasLine && message.seq > lineSeq && message.author.id !== me.id;
    const isGrouped = addToGroup(at, message.author, isFirstNew || message.reply_to !== null);
    if (isFirstNew) {
      hasLine = true;
      rows.push({ kind: "new-messages", key: "new-messages" });
    }
    rows.push({ kind: "message", key: keyOf(message.author, message.cid), at, author: message.author, isGrouped, message });
  }
  const sent = new Set(messages.map(({ author, cid }) => keyOf(author, cid)));
  for (const unsent of unsentMessages) {
    const key = keyOf(me, unsent.cid);
    if (sent.has(key)) continue;
    const at = new Date(unsent.at);
    rows.push({ kind: "unsent", key, at, author: me, isGrouped: addToGroup(at, me, unsent.reply_to !== null), unsent });
  }
  return rows;
}

/** The key is the same before and after a message is sent, so that its row keeps its element. @param {Person} author @param {string} cid */
function keyOf(author, cid) {
  return `${author.id} ${cid}`;
}
