import { find, findHtml } from "./dom.js";
import { gettext, ngettext } from "./gettext.js";
import { describePresence } from "./presence.js";

const MAX_ROOM_COUNT = 999; // a higher unread count is shown as "999+"
const MAX_TOTAL_COUNT = 99;

/** The list of my rooms with their unread counts, and the field to find or join a room. */
export class Sidebar {
  /** The rows by slug. @type {Map<string, HTMLElement>} */
  #rows = new Map();
  #pageTitle = document.title;

  /** @param {HTMLElement} sidebar @param {HTMLElement} backLink shows the sidebar on a phone */
  constructor(sidebar, backLink) {
    this.backLink = backLink;
    for (const row of sidebar.querySelectorAll("[data-room]"))
      if (row instanceof HTMLElement) this.#rows.set(row.dataset.room ?? "", row);
    this.field = find(sidebar, "#find-name", HTMLInputElement);
    this.hint = findHtml("#find-hint", sidebar);
    this.field.addEventListener("input", () => this.#filter());
    document.addEventListener("keydown", (event) => {
      const isTyping = event.target instanceof Element && event.target.closest("input, textarea, select");
      if (event.key !== "/" || isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      this.field.focus();
    });
  }

  /** The rooms that the server rendered, with their unread counts. @returns {[slug: string, unread: number][]} */
  get rooms() {
    return [...this.#rows].map(([slug, row]) => [slug, Number(findHtml(".count", row).textContent)]);
  }

  /** Show the unread counts. @param {Map<string, number>} unread by slug */
  showUnread(unread) {
    let total = 0;
    let inOtherRooms = 0;
    for (const [slug, row] of this.#rows) {
      const count = unread.get(slug) ?? 0;
      total += count;
      if (!row.querySelector("[aria-current]")) inOtherRooms += count;
      row.classList.toggle("unread", count > 0);
      findHtml(".badge", row).hidden = count === 0;
      findHtml(".count", row).textContent = limitCount(count, MAX_ROOM_COUNT);
    }
    const label = ngettext("Rooms, {count} unread", "Rooms, {count} unread", inOtherRooms);
    this.backLink.setAttribute("aria-label", inOtherRooms ? label : gettext("Rooms"));
    findHtml(".badge", this.backLink).hidden = inOtherRooms === 0;
    findHtml(".badge", this.backLink).textContent = limitCount(inOtherRooms, MAX_TOTAL_COUNT);
    document.title = total ? `(${total}) ${this.#pageTitle}` : this.#pageTitle;
  }

  /** Show the new title of a room. @param {string} slug @param {string} title */
  rename(slug, title) {
    const row = this.#rows.get(slug);
    if (row) findHtml(".title", row).textContent = title;
  }

  /** Show the presence of the other person in a direct room. @param {string} slug @param {import("./presence.js").PresenceStatus} status */
  showPresence(slug, status) {
    const row = this.#rows.get(slug);
    if (!row) return;
    findHtml(".dot", row).dataset.presence = status;
    findHtml(".presence", row).textContent = status && ` (${describePresence(status)})`;
  }

  /** Remove a room that I am no longer a member of. @param {string} slug */
  remove(slug) {
    this.#rows.get(slug)?.remove();
    this.#rows.delete(slug);
  }

  /** Show only rooms that match the field, and say what Enter does, so that half a name creates no room by mistake. */
  #filter() {
    const typed = this.field.value.trim().replace(/^#/, "").toLowerCase();
    const slug = typed.split(/\s+/).join("-");
    for (const row of this.#rows.values())
      row.hidden = !(row.querySelector(".title")?.textContent ?? "").toLowerCase().includes(typed);
    this.hint.hidden = typed === "";
    findHtml("span", this.hint).textContent = this.#rows.has(slug)
      ? gettext("to open #{room}", { room: slug })
      : gettext("to join or create #{room}", { room: slug });
  }
}

/** @param {number} count @param {number} most */
function limitCount(count, most) {
  return count > most ? `${most}+` : String(count);
}
