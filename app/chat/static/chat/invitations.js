import { requestApi } from "./api.js";
import { cloneTemplate, find, findHtml } from "./dom.js";
import { describeError, gettext } from "./gettext.js";
import { copyText } from "./menus.js";
import { formatDateTime } from "./times.js";

/** @typedef {import("./frames.js").Invitation} Invitation */

/** Adds people to a private room by their username, and manages the links by which others can join it. */
export class Invitations {
  /** @param {HTMLDetailsElement} section @param {string} roomPath the room's path in the API */
  constructor(section, roomPath) {
    this.roomPath = roomPath;
    this.hint = findHtml(".hint", section);
    this.newLink = findHtml(".new-link", section);
    this.list = findHtml("ul", section);
    const username = find(section, "[name=username]", HTMLInputElement);
    const hours = find(section, "[name=hours]", HTMLSelectElement);
    section.addEventListener("toggle", () => section.open && void this.#showErrors(() => this.#load()));
    findHtml("button", this.newLink).addEventListener("click", (event) => {
      if (event.currentTarget instanceof HTMLElement) void copyText(find(this.newLink, "input", HTMLInputElement).value, event.currentTarget);
    });
    find(section, ".by-name", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#showErrors(async () => {
        /** @type {import("./frames.js").Member} */
        const { user } = await requestApi("POST", `${this.roomPath}members/`, { username: username.value.trim() });
        username.value = "";
        this.hint.textContent = gettext("{name} was added to the room.", { name: user.name });
      });
    });
    find(section, ".by-link", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#showErrors(async () => {
        this.#showNewLink(await requestApi("POST", `${this.roomPath}invitations/`, { hours: Number(hours.value) }));
        await this.#load();
      });
    });
  }

  /** Run an action, and show its error as a hint. @param {() => Promise<void>} action */
  async #showErrors(action) {
    this.hint.textContent = "";
    await action().catch((error) => {
      this.hint.textContent = gettext("Action failed: {why}", { why: describeError(error) });
    });
  }

  /** @param {Invitation} invitation one that was just created */
  #showNewLink({ token = "" }) {
    const field = find(this.newLink, "input", HTMLInputElement);
    field.value = `${location.origin}/invitations/${token}/`;
    findHtml("button", this.newLink).textContent = gettext("Copy");
    this.newLink.hidden = false;
    field.select();
  }

  async #load() {
    /** @type {Invitation[]} */
    const active = await requestApi("GET", `${this.roomPath}invitations/`);
    this.list.replaceChildren(...active.map((invitation) => this.#createRow(invitation)));
  }

  /** @param {Invitation} invitation */
  #createRow({ id, by, expires_at }) {
    const row = cloneTemplate("invitation-template");
    const moment = formatDateTime(new Date(expires_at));
    findHtml("span", row).textContent = gettext("Created by {name}, expires on {moment}", { name: by, moment });
    findHtml("button", row).addEventListener("click", () =>
      this.#showErrors(async () => {
        await requestApi("DELETE", `${this.roomPath}invitations/${id}/`);
        this.newLink.hidden = true;
        this.hint.textContent = gettext("The link has been revoked.");
        await this.#load();
      }),
    );
    return row;
  }
}
