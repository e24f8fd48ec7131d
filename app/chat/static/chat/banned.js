import { api } from "./api.js";
import { html, paintAvatar, piece } from "./dom.js";
import { gettext, whyNot } from "./gettext.js";

/** Who is banned from the room, and the way back. */
export class Banned {
  /** @param {HTMLDetailsElement} section @param {string} room its path in the API */
  constructor(section, room) {
    this.section = section;
    this.room = room;
    this.hint = html(".hint", section);
    section.addEventListener("toggle", () => this.refresh());
  }

  refresh() {
    if (!this.section.open) return;
    void this.#do(async () => {
      /** @type {{members: import("./frames.js").Member[]}} */
      const { members } = await api("GET", `${this.room}members/?state=banned`);
      html("ul", this.section).replaceChildren(...members.map(({ user }) => this.#line(user)));
      this.hint.textContent = members.length ? "" : gettext("Nobody is banned.");
    });
  }

  /** @param {import("./frames.js").Person} user */
  #line(user) {
    const line = piece("banned-piece");
    paintAvatar(html(".avatar", line), user.id, user.name);
    html("bdi", line).textContent = user.name;
    html("button", line).addEventListener("click", () =>
      this.#do(async () => {
        await api("DELETE", `${this.room}bans/${user.id}/`);
        this.refresh();
      }),
    );
    return line;
  }

  /** @param {() => Promise<void>} step */
  #do(step) {
    return step().catch((error) => (this.hint.textContent = gettext("Not done: {why}", { why: whyNot(error) })));
  }
}
