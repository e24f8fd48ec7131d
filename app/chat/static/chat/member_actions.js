import { requestApi } from "./api.js";
import { cloneTemplate, findHtml } from "./dom.js";
import { describeError, gettext } from "./gettext.js";
import { outranks } from "./member_list.js";

/**
 * @typedef {import("./frames.js").Member} Member
 * @typedef {import("./frames.js").Person} Person
 * @typedef {"message" | "make-moderator" | "make-member" | "transfer-ownership" | "remove-member" | "ban"} MemberAction
 */

/** The role that an action gives to a member. @type {Partial<Record<MemberAction, import("./frames.js").Role>>} */
const NEW_ROLES = { "make-moderator": "moderator", "make-member": "member", "transfer-ownership": "owner" };

/**
 * List what a user may do to a member. This decides which buttons are shown; the server checks each action again.
 * @param {number} me the user's id @param {import("./frames.js").Role} myRole @param {Member} member
 */
export function listAllowedActions(me, myRole, { user, role }) {
  /** @type {MemberAction[]} */
  const actions = [];
  if (user.id === me) return actions;
  if (!user.via) actions.push("message");
  if (myRole === "owner" && !user.via) actions.push(role === "moderator" ? "make-member" : "make-moderator", "transfer-ownership");
  if (outranks(myRole, role)) actions.push("remove-member", "ban");
  return actions;
}

/** The buttons below a member's row, with a confirmation for actions that are not easily undone. */
export class MemberActions {
  /** @type {HTMLFormElement | null} */
  #form = null;

  /**
   * @param {string} roomPath the room's path in the API
   * @param {import("./room_state.js").RoomState} state
   * @param {(member: Member) => void} onChange receives the changed member
   */
  constructor(roomPath, state, onChange) {
    this.roomPath = roomPath;
    this.state = state;
    this.onChange = onChange;
  }

  /** Open the actions below this row, or close them if they are open there. @param {HTMLElement} row @param {Person} user */
  toggle(row, user) {
    const wasOpen = this.#form?.parentElement === row;
    this.close();
    if (wasOpen) return;
    const form = (this.#form = /** @type {HTMLFormElement} */ (cloneTemplate("member-actions-template")));
    form.action = `/people/${user.id}/conversation/`;
    const allowed = row.dataset.actions?.split(" ") ?? [];
    for (const button of form.querySelectorAll("button")) {
      const action = /** @type {MemberAction} */ (button.dataset.action);
      button.hidden = !allowed.includes(action);
      if (action !== "message") button.addEventListener("click", () => this.#start(action, user, button.textContent ?? ""));
    }
    row.append(form);
    findHtml(".toggle-actions", row).setAttribute("aria-expanded", "true");
    form.scrollIntoView({ block: "nearest" });
  }

  /** Close the actions. @returns {boolean} whether they were open */
  close() {
    const row = this.#form?.parentElement;
    this.#form?.remove();
    this.#form = null;
    if (!row) return false;
    findHtml(".toggle-actions", row).setAttribute("aria-expanded", "false");
    findHtml(".toggle-actions", row).focus();
    return true;
  }

  /** Run an action, or ask for confirmation first. @param {MemberAction} action @param {Person} user @param {string} label of its button */
  #start(action, user, label) {
    const question = this.#questionFor(action, user.name);
    if (!question) return void this.#run(action, user.id);
    const confirmation = cloneTemplate("confirmation-template");
    findHtml(".hint", confirmation).textContent = question;
    findHtml(".cancel", confirmation).addEventListener("click", () => this.close());
    findHtml(".confirm", confirmation).textContent = label;
    findHtml(".confirm", confirmation).addEventListener("click", () => void this.#run(action, user.id));
    this.#form?.replaceChildren(confirmation);
    findHtml(".cancel", confirmation).focus();
    confirmation.scrollIntoView({ block: "nearest" });
  }

  /** @param {MemberAction} action @param {string} name @returns {string} empty if the action needs no confirmation */
  #questionFor(action, name) {
    switch (action) {
      case "transfer-ownership":
        return gettext("{name} will become the owner of this room, and you will become a moderator. Only {name} can undo this.", { name });
      case "remove-member":
        return this.state.info?.kind === "private"
          ? gettext("{name} will be removed at once, and can join again only by invitation.", { name })
          : gettext("{name} will be removed at once, but can join again.", { name });
      case "ban":
        return gettext("{name} will be removed at once, and cannot join again until a moderator lifts the ban. Their messages stay.", { name });
      default:
        return "";
    }
  }

  /** @param {MemberAction} action @param {number} id of the user */
  async #run(action, id) {
    const form = this.#form;
    const memberPath = `${this.roomPath}members/${id}/`;
    try {
      if (action === "ban") this.onChange(await requestApi("PUT", `${this.roomPath}bans/${id}/`));
      else if (action === "remove-member") this.onChange(await requestApi("DELETE", memberPath));
      else this.onChange(await requestApi("PATCH", memberPath, { role: NEW_ROLES[action] }));
      this.close();
    } catch (error) {
      if (form) findHtml(".hint", form).textContent = gettext("Action failed: {why}", { why: describeError(/** @type {Error} */ (error)) });
    }
  }
}
