import { api } from "./api.js";
import { Banned } from "./banned.js";
import { Deeds } from "./deeds.js";
import { find, html, paintAvatar, piece } from "./dom.js";
import { gettext, language, ngettext, whyNot } from "./gettext.js";
import { standingWords } from "./heading.js";
import { Invitations } from "./invitations.js";
import { deedsFor, People } from "./people.js";

/** @typedef {import("./frames.js").Member} Member */

const OPEN = "people"; // in localStorage: the panel stays open from room to room where there is a place for it
const order = new Intl.Collator(language);
const wide = matchMedia("(min-width: 1000px)");
const phone = matchMedia("(max-width: 720px)");

/** Who is in the room: beside the conversation, or on a phone over it. */
export class Panel {
  people = new People();
  #isLoaded = false;
  /** @type {Map<number, HTMLElement>} */
  #rows = new Map();

  /** @param {import("./state.js").RoomState} state @param {() => void} onToggle */
  constructor(state, onToggle) {
    this.state = state;
    this.onToggle = onToggle;
    this.panel = html("#people");
    this.button = html("#members");
    this.hint = html("#people-hint");
    this.invite = find(this.panel, "#invite", HTMLDetailsElement);
    this.room = `rooms/${encodeURIComponent(state.slug)}/`;
    this.banned = new Banned(find(this.panel, "#banned", HTMLDetailsElement), this.room);
    this.deeds = new Deeds(this.room, state, (member) => this.change(member));
    new Invitations(this.invite, this.room);
    this.button.addEventListener("click", () => this.toggle(!this.isOpen));
    html(".close", this.panel).addEventListener("click", () => this.toggle(false));
    html(".more", this.panel).addEventListener("click", () => void this.#load());
    this.panel.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !this.deeds.shut()) this.toggle(false);
    });
    document.addEventListener("click", (event) => {
      if (event.target === document.documentElement || event.target === document.body) this.toggle(false); // beside the sheet
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

  /** Does it lie over the conversation? */
  get isCovering() {
    return this.isOpen && phone.matches;
  }

  /** The room is here, or here again. @param {import("./frames.js").Joined} frame */
  enter({ events, recovered }) {
    const anew = !recovered; // what happened meanwhile is not known
    for (const { member } of events) if (member) this.people.change(member);
    if (this.isOpen ? anew : wide.matches && localStorage.getItem(OPEN) && this.state.info?.kind !== "direct") {
      this.panel.hidden = false;
      this.#reflect();
      void this.#load(true);
    } else if (anew) this.#isLoaded = false;
  }

  /** @param {boolean} open */
  toggle(open) {
    if (open === this.isOpen) return;
    this.panel.hidden = !open;
    if (wide.matches) open ? localStorage.setItem(OPEN, "open") : localStorage.removeItem(OPEN);
    this.#reflect();
    if (open && !this.#isLoaded) void this.#load(true);
    if (open) this.panel.focus();
    else this.button.focus();
    this.onToggle();
  }

  /** I am not in the room any more. */
  end() {
    this.toggle(false);
    this.button.hidden = true;
  }

  /** @param {Member} member somebody who came, left or has another role */
  change(member) {
    this.people.change(member);
    if (member.state !== "joined") this.banned.refresh();
    this.draw();
  }

  /** @param {import("./frames.js").Presence} presence */
  see(presence) {
    this.people.presence = presence;
    this.draw();
  }

  #reflect() {
    this.button.setAttribute("aria-expanded", String(this.isOpen));
    const modal = this.isCovering;
    this.panel.role = modal ? "dialog" : null;
    this.panel.ariaModal = modal ? "true" : null;
    for (const behind of document.querySelectorAll(".sidebar, main.room"))
      if (behind instanceof HTMLElement) behind.inert = modal;
  }

  async #load(anew = false) {
    this.#isLoaded = true;
    const after = this.people.ask(anew);
    await api("GET", `${this.room}members/?after=${after}`).then(
      ({ members, more }) => {
        this.people.page(members, more, anew);
        for (const { user } of members) this.state.present.set(user.id, true);
        this.hint.textContent = "";
      },
      (error) => {
        this.#isLoaded = false;
        this.hint.textContent = gettext("The list did not come: {why}", { why: whyNot(error) });
      },
    );
    this.draw();
  }

  draw() {
    if (!this.isOpen) return;
    const { role, info, members } = this.state;
    const governs = role !== "member";
    this.invite.hidden = info?.kind !== "private" || !governs;
    this.banned.section.hidden = !governs;
    html(".more", this.panel).hidden = !this.people.more;
    const here = this.people.presence?.here;
    html("#people-count").textContent =
      here === undefined ? "" : ngettext("{here} of {count} member here now", "{here} of {count} members here now", members, { here });
    const focused = document.activeElement;
    const shown = new Set();
    for (const { standing, members } of this.people.groups(order)) {
      const group = html(`.group[data-standing="${standing}"]`, this.panel);
      html(".number", group).textContent = String(members.length);
      let next = html("ul", group).firstElementChild;
      for (const member of members) {
        shown.add(member.user.id);
        const row = this.#row(member);
        if (row === next) next = next.nextElementSibling;
        else html("ul", group).insertBefore(row, next);
      }
    }
    for (const [id, row] of this.#rows) {
      if (shown.has(id)) continue;
      row.remove();
      this.#rows.delete(id);
    }
    for (const group of this.panel.querySelectorAll(".group"))
      if (group instanceof HTMLElement) group.hidden = !group.querySelector("li");
    if (focused instanceof HTMLElement && focused !== document.activeElement) // a row that moved, or is gone, lets it go
      (focused.isConnected ? focused : this.panel).focus();
  }

  /** @param {Member} member */
  #row(member) {
    const { user, role } = member;
    let row = this.#rows.get(user.id);
    if (!row) {
      const made = (row = piece("member-piece"));
      this.#rows.set(user.id, row);
      html(".do", row).addEventListener("click", () => this.deeds.choose(made, user));
      html(".do", row).setAttribute("aria-label", gettext("What to do with {name}", { name: user.name }));
    }
    const standing = this.people.standingOf(user.id);
    const roles = { owner: gettext("owner"), moderator: gettext("moderator"), member: "" };
    const marks = [roles[role], user.via && gettext("integration"), user.guest && gettext("guest"), user.id === this.state.me && gettext("you")];
    paintAvatar(html(".avatar", row), user.id, user.name);
    html("bdi", row).textContent = user.name;
    html(".marks", row).textContent = marks.filter(Boolean).join(" · ");
    html(".dot", row).dataset.standing = standing;
    html(".standing", row).textContent = standingWords(standing);
    const deeds = deedsFor(this.state.me, this.state.role, member);
    html(".do", row).hidden = deeds.length === 0;
    row.dataset.deeds = deeds.join(" ");
    return row;
  }
}
