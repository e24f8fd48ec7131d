import { find, html } from "./dom.js";
import { gettext, ngettext } from "./gettext.js";
import { standingWords } from "./heading.js";

/** My rooms beside the conversation: what is unread in each, and the way to another. */
export class Sidebar {
  /** @type {Map<string, HTMLElement>} */
  #lines = new Map();
  #title = document.title;

  /** @param {HTMLElement} sidebar @param {HTMLElement} back leads to it on a phone */
  constructor(sidebar, back) {
    this.back = back;
    for (const line of sidebar.querySelectorAll("[data-room]"))
      if (line instanceof HTMLElement) this.#lines.set(line.dataset.room ?? "", line);
    this.field = find(sidebar, "#find-name", HTMLInputElement);
    this.hint = html("#find-hint", sidebar);
    this.field.addEventListener("input", () => this.#filter());
    document.addEventListener("keydown", (event) => {
      const busy = event.target instanceof Element && event.target.closest("input, textarea, select");
      if (event.key !== "/" || busy || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      this.field.focus();
    });
  }

  /** The rooms and what is unread in them, as the page came. @returns {[slug: string, unread: number][]} */
  get rooms() {
    return [...this.#lines].map(([slug, line]) => [slug, Number(html(".count", line).textContent)]);
  }

  /** @param {Map<string, number>} unread by slug */
  count(unread) {
    let all = 0;
    let elsewhere = 0;
    for (const [slug, line] of this.#lines) {
      const count = unread.get(slug) ?? 0;
      all += count;
      if (!line.querySelector("[aria-current]")) elsewhere += count;
      line.classList.toggle("unread", count > 0);
      html(".badge", line).hidden = count === 0;
      html(".count", line).textContent = count > 999 ? "999+" : String(count);
    }
    const unreadRooms = ngettext("Rooms, {count} unread", "Rooms, {count} unread", elsewhere);
    this.back.setAttribute("aria-label", elsewhere ? unreadRooms : gettext("Rooms"));
    html(".badge", this.back).hidden = elsewhere === 0;
    html(".badge", this.back).textContent = elsewhere > 99 ? "99+" : String(elsewhere);
    document.title = all ? `(${all}) ${this.#title}` : this.#title;
  }

  /** @param {string} slug @param {string} title */
  rename(slug, title) {
    const line = this.#lines.get(slug);
    if (line) html(".title", line).textContent = title;
  }

  /** How the other one of a conversation is. @param {string} slug @param {import("./people.js").Standing} standing */
  see(slug, standing) {
    const line = this.#lines.get(slug);
    if (!line) return;
    html(".dot", line).dataset.standing = standing;
    html(".standing", line).textContent = standing && ` (${standingWords(standing)})`;
  }

  /** I am no longer in it. @param {string} slug */
  remove(slug) {
    this.#lines.get(slug)?.remove();
    this.#lines.delete(slug);
  }

  /** What Enter would do is said, so that nobody opens a room by half a name. */
  #filter() {
    const typed = this.field.value.trim().replace(/^#/, "").toLowerCase();
    const slug = typed.split(/\s+/).join("-");
    for (const line of this.#lines.values())
      line.hidden = !(line.querySelector(".title")?.textContent ?? "").toLowerCase().includes(typed);
    this.hint.hidden = typed === "";
    html("span", this.hint).textContent = this.#lines.has(slug)
      ? gettext("goes to #{room}", { room: slug })
      : gettext("opens #{room}", { room: slug });
  }
}
