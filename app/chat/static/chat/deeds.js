import { api } from "./api.js";
import { html, piece } from "./dom.js";
import { gettext, whyNot } from "./gettext.js";

/** @typedef {import("./people.js").Deed} Deed */

/** What I can do about somebody in the room: buttons beneath their line, and a question where it is not undone easily. */
export class Deeds {
  /** @type {HTMLFormElement | null} */
  #box = null;

  /** @param {string} room its path in the API @param {import("./state.js").RoomState} state @param {(member: import("./frames.js").Member) => void} onDone */
  constructor(room, state, onDone) {
    this.room = room;
    this.state = state;
    this.onDone = onDone;
  }

  /** Show what can be done about this one; a second time, put it away. @param {HTMLElement} row @param {import("./frames.js").Person} user */
  choose(row, user) {
    const again = this.#box?.parentElement === row;
    this.shut();
    if (again) return;
    const box = (this.#box = /** @type {HTMLFormElement} */ (piece("deeds-piece")));
    box.action = `/people/${user.id}/conversation/`;
    const deeds = row.dataset.deeds?.split(" ") ?? [];
    for (const button of box.querySelectorAll("button")) {
      const deed = /** @type {Deed} */ (button.dataset.deed);
      button.hidden = !deeds.includes(deed);
      if (deed !== "converse") button.addEventListener("click", () => this.#begin(deed, user, button.textContent ?? ""));
    }
    row.append(box);
    html(".do", row).setAttribute("aria-expanded", "true");
    box.scrollIntoView({ block: "nearest" });
  }

  /** @returns {boolean} was there something to put away? */
  shut() {
    const row = this.#box?.parentElement;
    this.#box?.remove();
    this.#box = null;
    if (!row) return false;
    html(".do", row).setAttribute("aria-expanded", "false");
    html(".do", row).focus();
    return true;
  }

  /** Do it, or ask first and say what happens. @param {Deed} deed @param {import("./frames.js").Person} user @param {string} called */
  #begin(deed, user, called) {
    const { name } = user;
    const isPrivate = this.state.info?.kind === "private";
    /** @type {Partial<Record<Deed, string>>} */
    const questions = {
      owner: gettext("{name} will own the room, and you will moderate it. Only they can give it back.", { name }),
      remove: isPrivate
        ? gettext("{name} will be out at once, and comes back only by an invitation.", { name })
        : gettext("{name} will be out at once. They may come back, as anybody may.", { name }),
      ban: gettext("{name} will be out at once, and cannot come back until the ban is lifted. What they said stays.", { name }),
    };
    const question = questions[deed];
    if (!question) return void this.#do(deed, user.id);
    const ask = piece("ask-piece");
    html(".hint", ask).textContent = question;
    html(".keep", ask).addEventListener("click", () => this.shut());
    html(".confirm", ask).textContent = called;
    html(".confirm", ask).addEventListener("click", () => void this.#do(deed, user.id));
    this.#box?.replaceChildren(ask);
    html(".keep", ask).focus();
    ask.scrollIntoView({ block: "nearest" });
  }

  /** @param {Deed} deed @param {number} id */
  async #do(deed, id) {
    const box = this.#box;
    const member = `${this.room}members/${id}/`;
    try {
      if (deed === "ban") this.onDone(await api("PUT", `${this.room}bans/${id}/`));
      else if (deed === "remove") this.onDone(await api("DELETE", member));
      else this.onDone(await api("PATCH", member, { role: deed }));
      this.shut();
    } catch (error) {
      if (box) html(".hint", box).textContent = gettext("Not done: {why}", { why: whyNot(/** @type {Error} */ (error)) });
    }
  }
}
