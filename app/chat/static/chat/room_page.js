import { Announcer } from "./announcer.js";
import { renderAvatar } from "./avatars.js";
import { ChatSession } from "./chat_session.js";
import { Composer } from "./composer.js";
import { ConnectionStatus } from "./connection_status.js";
import { find, findHtml } from "./dom.js";
import { describeError, gettext, ngettext } from "./gettext.js";
import { HistoryLoader } from "./history_loader.js";
import { MembersPanel } from "./members_panel.js";
import { setUpMenus } from "./menus.js";
import { MessageActions } from "./message_actions.js";
import { OutboxStore } from "./outbox_store.js";
import { presenceOfOther } from "./presence.js";
import { ReadMarker } from "./read_marker.js";
import { RoomView } from "./room.js";
import { RoomHeader } from "./room_header.js";
import { Scroller } from "./scroller.js";
import { Sidebar } from "./sidebar.js";
import { buildTimeline } from "./timeline.js";
import { TypingIndicator } from "./typing_indicator.js";

/** @typedef {import("./frames.js").Message} Message */

/** @type {import("./frames.js").PageData} */
const data = JSON.parse(findHtml("#page").textContent ?? "");
const me = data.user;
const messageList = findHtml("#messages");
const jumpToLatest = findHtml("#jump-to-latest");
const phoneScreen = matchMedia("(max-width: 720px)");

// While the reader is at the bottom, the oldest messages are removed once twice this number is shown.
const MAX_SHOWN_MESSAGES = 300;

const sidebar = new Sidebar(findHtml("#rooms"), findHtml("#back"));
const connectionStatus = new ConnectionStatus(data);
const announcer = new Announcer(findHtml("#announcer"));
const session = new ChatSession(
  {
    url: location.origin.replace("http", "ws") + "/ws/",
    me,
    slug: data.room,
    unread: sidebar.rooms,
    store: new OutboxStore(),
  },
  {
    onStatus(status) {
      connectionStatus.show(status);
      if (status.phase === "ended") composer.disable(gettext("Not connected"));
      scheduleRender();
    },
    onChange: scheduleRender,
    onOtherUser: () => location.reload(),
    onRoomInfo(state) {
      if (state.info && state.info.kind !== "direct") sidebar.rename(state.slug, state.info.title);
      if (state === room) header.render();
    },
    onJoined(frame, newMessages, isFirst) {
      if (isFirst) openRoom();
      else handleNewMessages(newMessages);
      membersPanel.applyJoined(frame);
    },
    onNewMessages: handleNewMessages,
    onMember: (member) => membersPanel.applyChange(member),
    onPresence: showPresence,
    onTyping: (person, on) => typingIndicator.setOther(person, on),
    onMarkerMoved: () => readMarker.handleMarkerMoved(),
    onRemoved(slug, reason) {
      sidebar.remove(slug);
      if (slug !== room.slug) return;
      composer.disable(gettext("You are not a member of this room"));
      membersPanel.disable();
      connectionStatus.showNotice(reason, gettext("Go to my rooms"), data.home);
    },
  },
);
const room = session.current;
const header = new RoomHeader(room);
const membersPanel = new MembersPanel(room, scheduleRender);
const readMarker = new ReadMarker(room, { isWatching, send: (seq) => session.sendReadMarker(seq) });
const historyLoader = new HistoryLoader(findHtml("#older-messages"), room, {
  isWanted: () => scroller.isNearTop() && session.hasJoinedCurrent,
  onPage: render,
  ask: (command) => session.connection.ask(command),
});
const typingIndicator = new TypingIndicator(findHtml("#typing .dots"), findHtml("#typing .names"), (on) => session.sendTyping(on));
/** @param {number} id */
const findMessage = (id) => room.messages.get(id);
const maxChars = () => room.info?.body ?? data.bodyChars;
const roomView = new RoomView(messageList, {
  me: me.id,
  findMessage,
  isConnected: () => session.isConnected,
  onQuoteClick: (element) => scroller.scrollToUpperPart(element),
  onRetry: (cid) => void session.retry(cid),
  onDiscard: (cid) => void session.outbox.remove(cid),
});
const scroller = new Scroller(findHtml("#log"), messageList, handleScroll);
const composer = new Composer(find(document, "#composer", HTMLFormElement), {
  draftKey: `draft:${me.id}:${room.slug}`,
  maxChars,
  async onSend(body, replyTo) {
    readMarker.handleOwnMessage();
    scroller.isPinned = true;
    await session.send(body, replyTo);
  },
  onTyping: (on) => typingIndicator.setOwn(on),
  onEditLast() {
    const last = room.listMessages().findLast((message) => message.author.id === me.id && !message.deleted);
    const element = last && roomView.findElement(last.id);
    if (element) messageActions.startEdit(last, element);
  },
});
const messageActions = new MessageActions(findHtml("#log"), {
  me: me.id,
  findMessage,
  maxChars,
  isModerator: () => room.role !== "member",
  onReply: (message) => composer.replyTo(message),
  onEdit: (message, body) => session.changeMessage({ type: "edit", message: message.id, body, rev: message.rev }),
  onDelete: (message) => session.changeMessage({ type: "delete", message: message.id }),
  onDone: () => composer.focus(),
});

/** Show the room after its first join: at the "New messages" line, or at the bottom. */
function openRoom() {
  findHtml("#loading").hidden = true;
  readMarker.start();
  render();
  const line = messageList.querySelector(".new-messages");
  if (line) scroller.scrollToUpperPart(line);
  else scroller.scrollToBottom();
  const isFocusTaken = document.activeElement !== null && document.activeElement !== document.body;
  if (!isFocusTaken && matchMedia("(pointer: fine)").matches) composer.focus();
}

/** @param {Message[]} messages new ones of other people */
function handleNewMessages(messages) {
  for (const message of messages) {
    announcer.announce(message);
    readMarker.handleNewMessage(message);
  }
}

/** @param {import("./room_state.js").RoomState} state @param {import("./frames.js").Presence} presence */
function showPresence(state, presence) {
  if (state.info?.kind !== "direct") {
    if (state === room) membersPanel.showPresence(presence);
    return;
  }
  const status = presenceOfOther(presence, me.id);
  sidebar.showPresence(state.slug, status);
  if (state === room) header.showPresence(status);
}

/** Whether the reader sees the newest message. */
function isWatching() {
  const isCovered = membersPanel.isCovering || (phoneScreen.matches && location.hash === "#rooms");
  return document.visibilityState === "visible" && scroller.isPinned && !isCovered;
}

/** Update what depends on the scroll position: the button to the latest message, my read marker, older messages. */
function handleScroll() {
  if (scroller.isPinned) readMarker.unseenCount = 0;
  const { unseenCount } = readMarker;
  jumpToLatest.hidden = scroller.isPinned;
  findHtml("span", jumpToLatest).textContent = unseenCount
    ? ngettext("{count} new message", "{count} new messages", unseenCount)
    : gettext("Jump to latest");
  if (session.hasJoinedCurrent) void readMarker.sendIfMoved().then((hasMoved) => hasMoved && scheduleRender());
  void historyLoader.loadIfWanted();
}

let isRenderScheduled = false;

/** Show the unread counts now, and render the room in the next animation frame, once however much changed. */
function scheduleRender() {
  const unreadCountOf = (/** @type {import("./room_state.js").RoomState} */ state) => (state === room && isWatching() ? 0 : state.unreadCount);
  sidebar.showUnread(new Map([...session.rooms].map(([slug, state]) => [slug, unreadCountOf(state)])));
  if (isRenderScheduled) return;
  isRenderScheduled = true;
  requestAnimationFrame(render);
}

function render() {
  isRenderScheduled = false;
  const unsent = session.outbox.listFor(room.slug);
  if (!room.isLoaded && unsent.length === 0) return;
  if (scroller.isPinned && room.listMessages().length > 2 * MAX_SHOWN_MESSAGES) room.trimTo(MAX_SHOWN_MESSAGES);
  const rows = buildTimeline(room.listMessages(), unsent, { me, lineSeq: readMarker.lineSeq, now: new Date() });
  scroller.keepPosition(() => {
    roomView.render(rows);
    findHtml("#room-start").hidden = !room.isLoaded || room.hasOlder;
    findHtml("#room-start").classList.toggle("is-empty", rows.length === 0);
  });
  handleScroll();
}

jumpToLatest.addEventListener("click", () => {
  scroller.scrollToBottom();
  composer.focus();
});
document.querySelector("#leave")?.addEventListener("click", () => {
  session.leaveCurrent().then(
    () => location.assign(data.home),
    (error) => connectionStatus.showNotice(describeError(error), gettext("Try again"), location.href),
  );
});
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState !== "visible") return;
  session.connection.wake();
  scheduleRender();
});
addEventListener("hashchange", scheduleRender);
addEventListener("online", () => session.connection.wake());
addEventListener("offline", () => session.connection.drop());

setUpMenus();
renderAvatar(findHtml(".me .avatar"), me.id, me.name);
session.start();
