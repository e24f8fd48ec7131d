import { requestApi } from "./api.js";
import { renderAvatar } from "./avatars.js";
import { BannedMembers } from "./banned_members.js";
import { cloneTemplate, find, findHtml } from "./dom.js";
import { describeError, gettext, language, ngettext } from "./gettext.js";
import { Invitations } from "./invitations.js";
import { listAllowedActions, MemberActions } from "./member_actions.js";
import { MemberList } from "./member_list.js";
import { describePresence, presenceOf } from "./presence.js";

/** @typedef {import("./frames.js").Member} Member */

const OPEN_KEY = "people"; // in localStorage: on a wide screen the panel stays open from room to room
const collator = new Intl.Collator(language);
const wideScreen = matchMedia("(min-width: 1000px)");
const phoneScreen = matchMedia("(max-width: 720px)");

/** The panel with the members of the room: beside the messages, or on a phone above them. */
export class MembersPanel {
  list = new MemberList();
  #isLoaded = false;
  /** @type {Map<number, HTMLElement>} */
  #rows = new Map();

  /** @param {import("./room_state.js").RoomState} state @param {() => void} onToggle */
  constructor(state, onToggle) {
    this.state = state;
    this.onToggle = onToggle;
    this.panel = findHtml("#members-panel");
    this.button = findHtml("#members-button");
    this.hint = findHtml("#members-hint");
    this.invite = find(this.panel, "#invite", HTMLDetailsElement);
    this.roomPath = `rooms/${encodeURIComponent(state.slug)}/`;
    this.banned = new BannedMembers(find(this.panel, "#banned", HTMLDetailsElement), this.roomPath);
    this.actions = new MemberActions(this.roomPath, state, (member) => this.applyChange(member));
    new Invitations(this.invite, this.roomPath);
    this.button.addEventListener("click", () => this.toggle(!this.isOpen));
    findHtml(".close", this.panel).addEventListener("click", () => this.toggle(false));
    findHtml(".more", this.panel).addEventListener("click", () => void this.#load(false));
    this.panel.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !this.actions.close()) this.toggle(false);
    });
    document.addEventListener("click", (event) => {
      // On a phone a click beside the panel hits the page itself.
      if (event.target === document.documentElement || event.target === document.body) this.toggle(false);
    });
    document.querySelector(".link.invite")?.addEventListener("click", () => {
      this.toggle(true);
      this.invite.open = true;
      find(this.invite, "input", HTMLInputElement).focus();
    });
  }

  get isOpen() {
    return !this.panel.hidden;
  }

  /** The panel is open and covers the messages. */
  get isCovering() {
    return this.isOpen && phoneScreen.matches;
  }

  /** Follow a join, the first one or after a lost connection. @param {import("./frames.js").Joined} frame */
  applyJoined({ events, recovered }) {
    for (const { member } of events) if (member) this.list.applyChange(member);
    const isOutdated = !recovered; // the changes since the last join are unknown
    const opensItself = wideScreen.matches && localStorage.getItem(OPEN_KEY) && this.state.info?.kind !== "direct";
    if (this.isOpen ? isOutdated : opensItself) {
      this.panel.hidden = false;
      this.#showOpenState();
      void this.#load(true);
    } else if (isOutdated) this.#isLoaded = false;
  }

  /** @param {boolean} open */
  toggle(open) {
    if (open === this.isOpen) return;
    this.panel.hidden = !open;
    if (wideScreen.matches) open ? localStorage.setItem(OPEN_KEY, "open") : localStorage.removeItem(OPEN_KEY);
    this.#showOpenState();
    if (open && !this.#isLoaded) void this.#load(true);
    if (open) this.panel.focus();
    else this.button.focus();
    this.onToggle();
  }

  /** Close the panel for good: the user is not a member of the room any more. */
  disable() {
    this.toggle(false);
    this.button.hidden = true;
  }

  /** Apply a change of one member. @param {Member} member who joined, left or has another role */
  applyChange(member) {
    this.list.applyChange(member);
    if (member.state !== "joined") this.banned.refresh();
    this.render();
  }

  /** @param {import("./frames.js").Presence} presence */
  showPresence(presence) {
    this.list.presence = presence;
    this.render();
  }

  #showOpenState() {
    this.button.setAttribute("aria-expanded", String(this.isOpen));
    const isModal = this.isCovering;
    this.panel.role = isModal ? "dialog" : null;
    this.panel.ariaModal = isModal ? "true" : null;
    for (const behind of document.querySelectorAll(".sidebar, main.room"))
      if (behind instanceof HTMLElement) behind.inert = isModal;
  }

  /** Load the first page of members, or the next one. @param {boolean} fromStart */
  async #load(fromStart) {
    this.#isLoaded = true;
    const after = this.list.startPage(fromStart);
    try {
      /** @type {import("./frames.js").MemberPage} */
      const { members, more } = await requestApi("GET", `${this.roomPath}members/?after=${after}`);
      this.list.addPage(members, more, fromStart);
      for (const { user } of members) this.state.knownMembers.set(user.id, true);
      this.hint.textContent = "";
    } catch (error) {
      this.#isLoaded = false;
      this.hint.textContent = gettext("Could not load the list: {why}", { why: describeError(/** @type {Error} */ (error)) });
    }
    this.render();
  }

  /** Show the current state, if the panel is open. */
  render() {
    if (!this.isOpen) return;
    const { role, info, memberCount } = this.state;
    const isModerator = role !== "member";
    this.invite.hidden = info?.kind !== "private" || !isModerator;
    this.banned.section.hidden = !isModerator;
    findHtml(".more", this.panel).hidden = !this.list.hasMore;
    const here = this.list.presence?.here;
    findHtml("#members-online").textContent =
      here === undefined ? "" : ngettext("{here} of {count} member online", "{here} of {count} members online", memberCount, { here });
    this.#renderGroups();
  }

  #renderGroups() {
    const focused = document.activeElement;
    const shown = new Set();
    for (const { presence, members } of this.list.groupByPresence(collator)) {
      const group = findHtml(`.group[data-presence="${presence}"]`, this.panel);
      findHtml(".number", group).textContent = String(members.length);
      let next = findHtml("ul", group).firstElementChild;
      for (const member of members) {
        shown.add(member.user.id);
        const row = this.#renderRow(member);
        if (row === next) next = next.nextElementSibling;
        else findHtml("ul", group).insertBefore(row, next);
      }
    }
    for (const [id, row] of this.#rows) {
      if (shown.has(id)) continue;
      row.remove();
      this.#rows.delete(id);
    }
    for (const group of this.panel.querySelectorAll(".group"))
      if (group instanceof HTMLElement) group.hidden = !group.querySelector("li");
    // An element loses the focus when its row is moved or removed.
    if (focused instanceof HTMLElement && focused !== document.activeElement)
      (focused.isConnected ? focused : this.panel).focus();
  }

  /** @param {Member} member */
  #renderRow(member) {
    const { user, role } = member;
    const row = this.#rows.get(user.id) ?? this.#createRow(user);
    const presence = presenceOf(this.list.presence, user.id);
    const roles = { owner: gettext("owner"), moderator: gettext("moderator"), member: "" };
    const labels = [roles[role], user.via && gettext("integration"), user.guest && gettext("guest"), user.id === this.state.me && gettext("you")];
    renderAvatar(findHtml(".avatar", row), user.id, user.name);
    findHtml("bdi", row).textContent = user.name;
    findHtml(".labels", row).textContent = labels.filter(Boolean).join(" · ");
    findHtml(".dot", row).dataset.presence = presence;
    findHtml(".presence", row).textContent = describePresence(presence);
    const allowed = listAllowedActions(this.state.me, this.state.role, member);
    findHtml(".toggle-actions", row).hidden = allowed.length === 0;
    row.dataset.actions = allowed.join(" ");
    return row;
  }

  /** @param {import("./frames.js").Person} user */
  #createRow(user) {
    const row = cloneTemplate("member-template");
    this.#rows.set(user.id, row);
    const button = findHtml(".toggle-actions", row);
    button.addEventListener("click", () => this.actions.toggle(row, user));
    button.setAttribute("aria-label", gettext("Actions for {name}", { name: user.name }));
    return row;
  }
}
