import { requestApi } from "./api.js";
import { renderAvatar } from "./avatars.js";
import { cloneTemplate, findHtml } from "./dom.js";
import { describeError, gettext } from "./gettext.js";

/** The list of people who are banned from the room, each with a button that lifts the ban. */
export class BannedMembers {
  /** @param {HTMLDetailsElement} section @param {string} roomPath the room's path in the API */
  constructor(section, roomPath) {
    this.section = section;
    this.roomPath = roomPath;
    this.hint = findHtml(".hint", section);
    section.addEventListener("toggle", () => this.refresh());
  }

  /** Load the list again, if it is open. */
  refresh() {
    if (!this.section.open) return;
    void this.#showErrors(async () => {
      /** @type {import("./frames.js").MemberPage} */
      const { members } = await requestApi("GET", `${this.roomPath}members/?state=banned`);
      findHtml("ul", this.section).replaceChildren(...members.map(({ user }) => this.#createRow(user)));
      this.hint.textContent = members.length ? "" : gettext("No one is banned.");
    });
  }

  /** @param {import("./frames.js").Person} user */
  #createRow(user) {
    const row = cloneTemplate("banned-member-template");
    renderAvatar(findHtml(".avatar", row), user.id, user.name);
    findHtml("bdi", row).textContent = user.name;
    findHtml("button", row).addEventListener("click", () =>
      this.#showErrors(async () => {
        await requestApi("DELETE", `${this.roomPath}bans/${user.id}/`);
        this.refresh();
      }),
    );
    return row;
  }

  /** Run an action, and show its error as a hint. @param {() => Promise<void>} action */
  #showErrors(action) {
    return action().catch((error) => (this.hint.textContent = gettext("Action failed: {why}", { why: describeError(error) })));
  }
}
