import { Actions } from "./actions.js";
import { Announcer } from "./announcer.js";
import { Composer } from "./composer.js";
import { Connection, Disconnected } from "./connection.js";
import { find, html, paintAvatar } from "./dom.js";
import { gettext, ngettext, refusalOf } from "./gettext.js";
import { Heading } from "./heading.js";
import { wireMenus } from "./menus.js";
import { Older } from "./older.js";
import { Outbox, Store } from "./outbox.js";
import { Panel } from "./panel.js";
import { otherIn } from "./people.js";
import { Reading } from "./reading.js";
import { RoomView } from "./room.js";
import { rowsOf } from "./rows.js";
import { Scroller } from "./scroll.js";
import { Sidebar } from "./sidebar.js";
import { RoomState } from "./state.js";
import { outWords, StatusView } from "./status.js";
import { Typing } from "./typing.js";

/** @typedef {import("./frames.js").Message} Message */

/** @type {{user: import("./frames.js").Person, room: string, home: string, login: string, bodyChars: number}} */
const data = JSON.parse(html("#page").textContent ?? "");
const me = data.user;
const list = html("#messages");
const newest = html("#newest");
const phone = matchMedia("(max-width: 720px)");

const FIRST_PAGE = 50; // messages
const KEEP = 300; // messages shown while the reader is at the bottom; beyond twice that, old ones go

const sidebar = new Sidebar(html("#rooms"), html("#back"));
const here = new RoomState(data.room, me.id, FIRST_PAGE);
/** @type {Map<string, RoomState>} */
const states = new Map();
for (const [slug, unread] of sidebar.rooms) {
  const state = slug === here.slug ? here : new RoomState(slug, me.id, 0);
  state.unread = unread;
  states.set(slug, state);
}

const status = new StatusView(data);
const heading = new Heading(here);
const panel = new Panel(here, draw);
const limit = () => here.info?.body ?? data.bodyChars; // characters of a message
const announcer = new Announcer(html("#announcer"));
const outbox = new Outbox(new Store(), me.id, draw);
const connection = new Connection(location.origin.replace("http", "ws") + "/ws/", {
  onStatus(now) {
    status.show(now);
    if (now.phase === "ended") composer.close(gettext("Not connected"));
    draw();
  },
  onWelcome(user) {
    if (user.id !== me.id) location.reload(); // somebody else has signed in here meanwhile
  },
  onJoined(frame) {
    const state = states.get(frame.room);
    if (!state) return;
    const first = !state.entered;
    const fresh = state.enter(frame);
    for (const { message } of frame.events) if (message) settle(message);
    describe(state);
    if (state === here) {
      if (first) open();
      else hear(fresh);
      panel.enter(frame);
    }
    draw();
    void flush();
  },
  onFrame(frame) {
    if (frame.type === "events") take(frame.events);
    else if (frame.type === "left") leave(frame.room, outWords(states.get(frame.room)?.standing ?? "left"));
    else if (frame.kind === "presence") see(frame.room, frame);
    else if (frame.kind === "read") mark(frame);
    else if (frame.room === here.slug && frame.user.id !== me.id) typing.theirs(frame.user, frame.on);
  },
  onShut(slug, why) {
    // Another refusal (more rooms than one socket follows) leaves a room without its counts, and that is all.
    if (slug === here.slug || why.code === "not_found") leave(slug, refusalOf(why));
  },
});
const reading = new Reading(here, {
  isWatching,
  async tell(seq) {
    const reply = await connection.ask({ type: "read", room: here.slug, seq });
    return reply.type === "ok" ? (reply.unread ?? 0) : 0;
  },
});
const older = new Older(html("#earlier"), here, {
  isWanted: () => scroller.isNearTop() && connection.isIn(here.slug),
  onPage: render,
  ask: (command) => connection.ask(command),
});
const typing = new Typing(html("#typing .dots"), html("#typing .names"), (on) => {
  connection.ask({ type: "typing", room: here.slug, on }).catch(() => {}); // only of this moment
});

const messageOf = (/** @type {number} */ id) => here.messages.get(id);
const view = new RoomView(list, {
  me: me.id,
  messageOf,
  isConnected: () => connection.status.phase === "connected",
  onQuoted: (line) => scroller.toUpperPart(line),
  onRetry: (cid) => void outbox.retry(cid).then(flush),
  onDiscard: (cid) => void outbox.remove(cid),
});
const scroller = new Scroller(html("#log"), list, moved);
const composer = new Composer(find(document, "#composer", HTMLFormElement), {
  draft: `draft:${me.id}:${here.slug}`,
  limit,
  async onSend(body, replyTo) {
    reading.spoke();
    scroller.pinned = true;
    await outbox.add(here.slug, body, replyTo);
    void flush();
  },
  onTyping: (on) => typing.mine(on),
  onEditLast() {
    const last = here.list().findLast((message) => message.author.id === me.id && !message.deleted);
    const element = last && view.elementOf(last.id);
    if (element) actions.edit(last, element);
  },
});
const actions = new Actions(html("#log"), {
  me: me.id,
  limit,
  moderates: () => here.role !== "member",
  messageOf,
  onReply: (message) => composer.answer(message),
  onEdit: (message, body) => change({ type: "edit", message: message.id, body, rev: message.rev }),
  onDelete: (message) => change({ type: "delete", message: message.id }),
  onDone: () => composer.focus(),
});

/** Do something to a message; rejects with a sentence for the reader. @param {{type: string, [field: string]: unknown}} command */
async function change(command) {
  try {
    const reply = await connection.ask(command);
    if (reply.type === "ok" && reply.message) here.keep(reply.message);
    draw();
  } catch (error) {
    throw error instanceof Disconnected ? new Error(gettext("there is no connection at the moment.")) : error;
  }
}

/** @param {import("./frames.js").Event[]} events */
function take(events) {
  for (const event of events) {
    const state = states.get(event.room);
    const fresh = state?.apply(event);
    if (fresh === "gap") void connection.rejoin(event.room);
    else if (fresh && state === here) hear([fresh]);
    if (event.message) settle(event.message);
    if (state === here && event.member) panel.change(event.member);
    if (state && event.kind !== "message") describe(state);
  }
  draw();
}

/** Mine has arrived: nothing is left to send. Theirs has: they stopped typing. @param {Message} message */
function settle(message) {
  if (message.author.id === me.id) void outbox.remove(message.cid);
  else if (here.messages.has(message.id)) typing.theirs(message.author, false);
}

/** I have read, perhaps on another device. @param {{room: string, seq: number, unread: number}} frame */
function mark({ room, seq, unread }) {
  states.get(room)?.mark(seq, unread);
  if (room === here.slug) reading.elsewhere();
  draw();
}

/** @param {string} slug @param {import("./frames.js").Presence} presence */
function see(slug, presence) {
  const isDirect = states.get(slug)?.info?.kind === "direct";
  const other = otherIn(presence, me.id);
  if (isDirect) sidebar.see(slug, other);
  if (slug === here.slug) isDirect ? heading.see(other) : panel.see(presence);
}

/** The room is here for the first time: show where reading goes on. */
function open() {
  html("#opening").hidden = true;
  reading.begin();
  render();
  const mark = list.querySelector(".new");
  if (mark) scroller.toUpperPart(mark);
  else scroller.toBottom();
  const busy = document.activeElement !== null && document.activeElement !== document.body; // typing elsewhere already
  if (!busy && matchMedia("(pointer: fine)").matches) composer.focus();
}

/** @param {Message[]} messages of others, just said */
function hear(messages) {
  for (const message of messages) {
    announcer.tell(message);
    reading.hear(message);
  }
}

function isWatching() {
  const covered = panel.isCovering || (phone.matches && location.hash === "#rooms");
  return document.visibilityState === "visible" && scroller.pinned && !covered;
}

function moved() {
  if (scroller.pinned) reading.missed = 0;
  const { missed } = reading;
  newest.hidden = scroller.pinned;
  html("span", newest).textContent = missed
    ? ngettext("{count} new message", "{count} new messages", missed)
    : gettext("Newest");
  if (connection.isIn(here.slug)) void reading.tell().then((moved) => moved && draw());
  void older.fetch();
}

let drawing = false;

/** Draw what changed, once per frame however much came. */
function draw() {
  sidebar.count(new Map([...states].map(([slug, state]) => [slug, state === here && isWatching() ? 0 : state.unread])));
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(render);
}

function render() {
  drawing = false;
  const unsent = outbox.of(here.slug);
  if (!here.entered && unsent.length === 0) return;
  if (scroller.pinned && here.list().length > 2 * KEEP) here.trim(KEEP);
  const rows = rowsOf(here.list(), unsent, { me, line: reading.line, now: new Date() });
  scroller.keep(() => {
    view.render(rows);
    html("#begin").hidden = !here.entered || here.more;
    html("#begin").classList.toggle("bare", rows.length === 0);
  });
  moved();
}

function flush() {
  return outbox.flush(
    (room) => connection.isIn(room),
    async ({ cid, room, body, reply_to }) => {
      const reply = await connection.ask({ type: "send", room, cid, body, ...(reply_to === null ? {} : { reply_to }) });
      if (reply.type === "ok" && reply.message && room === here.slug) here.keep(reply.message);
    },
  );
}

/** @param {RoomState} state */
function describe(state) {
  if (state.info && state.info.kind !== "direct") sidebar.rename(state.slug, state.info.title);
  if (state === here) heading.draw();
}

/** I am out of a room, or may not enter it. @param {string} slug @param {string} why */
function leave(slug, why) {
  if (!states.delete(slug)) return;
  connection.forget(slug);
  sidebar.remove(slug);
  if (slug === here.slug) {
    composer.close(gettext("You are not in this room"));
    panel.end();
    status.say(why, gettext("To my rooms"), data.home);
  }
  draw();
}

newest.addEventListener("click", () => {
  scroller.toBottom();
  composer.focus();
});
document.querySelector("#leave")?.addEventListener("click", async () => {
  states.delete(here.slug); // the server's word that I left is no news then
  connection.forget(here.slug);
  await connection.ask({ type: "leave", room: here.slug }).then(
    () => location.assign(data.home),
    (error) => status.say(refusalOf(error) || gettext("There is no connection at the moment."), gettext("Try again"), location.href),
  );
});
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState !== "visible") return;
  connection.wake();
  draw();
});
addEventListener("hashchange", draw);
addEventListener("online", () => connection.wake());
addEventListener("offline", () => connection.drop());

wireMenus();
paintAvatar(html(".me .avatar"), me.id, me.name);
void outbox.load();
for (const state of [here, ...states.values()]) connection.follow(state);
connection.start();
