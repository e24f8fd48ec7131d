import { api } from "./api.js";
import { find, html, piece } from "./dom.js";
import { gettext, whyNot } from "./gettext.js";
import { copy } from "./menus.js";
import { momentOf } from "./times.js";

/** @typedef {{id: number, by: string, expires_at: string, token?: string}} Invited  token: only of one just made */

/** Letting people into a private room: by name, or by a link that ends. */
export class Invitations {
  /** @param {HTMLDetailsElement} section @param {string} room its path in the API */
  constructor(section, room) {
    this.room = room;
    this.hint = html(".hint", section);
    this.made = html(".made", section);
    this.list = html("ul", section);
    const name = find(section, "[name=username]", HTMLInputElement);
    const hours = find(section, "[name=hours]", HTMLSelectElement);
    section.addEventListener("toggle", () => section.open && void this.#do(() => this.#load()));
    html("button", this.made).addEventListener("click", (event) => {
      if (event.currentTarget instanceof HTMLElement) void copy(find(this.made, "input", HTMLInputElement).value, event.currentTarget);
    });
    find(section, ".by-name", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#do(async () => {
        const { user } = await api("POST", `${this.room}members/`, { username: name.value.trim() });
        name.value = "";
        this.hint.textContent = gettext("{name} is in the room now.", { name: user.name });
      });
    });
    find(section, ".by-link", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#do(async () => {
        this.#show(await api("POST", `${this.room}invitations/`, { hours: Number(hours.value) }));
        await this.#load();
      });
    });
  }

  /** @param {() => Promise<void>} step */
  async #do(step) {
    this.hint.textContent = "";
    await step().catch((error) => {
      this.hint.textContent = gettext("Not done: {why}", { why: whyNot(error) });
    });
  }

  /** @param {Invited} invited */
  #show({ token = "" }) {
    const field = find(this.made, "input", HTMLInputElement);
    field.value = `${location.origin}/invitations/${token}/`;
    html("button", this.made).textContent = gettext("Copy");
    this.made.hidden = false;
    field.select();
  }

  async #load() {
    /** @type {Invited[]} */
    const valid = await api("GET", `${this.room}invitations/`);
    this.list.replaceChildren(...valid.map((invited) => this.#line(invited)));
  }

  /** @param {Invited} invited */
  #line({ id, by, expires_at }) {
    const line = piece("invitation-piece");
    html("span", line).textContent = gettext("A link by {name}, until {moment}", { name: by, moment: momentOf(new Date(expires_at)) });
    html("button", line).addEventListener("click", () =>
      this.#do(async () => {
        await api("DELETE", `${this.room}invitations/${id}/`);
        this.made.hidden = true;
        this.hint.textContent = gettext("That link lets nobody in any more.");
        await this.#load();
      }),
    );
    return line;
  }
}
