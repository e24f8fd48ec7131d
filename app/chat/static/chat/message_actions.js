import { cloneTemplate, find, findHtml, fitHeight } from "./dom.js";
import { describeError, gettext, ngettext } from "./gettext.js";

/**
 * @typedef {import("./frames.js").Message} Message
 * @typedef {{me: number, findMessage: (id: number) => Message | undefined, maxChars: () => number, isModerator: () => boolean,
 *   onReply: (message: Message) => void, onEdit: (message: Message, body: string) => Promise<void>,
 *   onDelete: (message: Message) => Promise<void>, onDone: () => void}} Wiring
 *   me: my user id; isModerator: I may delete the messages of others; onEdit, onDelete: reject with a text for the reader;
 *   onDone: the keyboard focus should return to the composer
 */

const OPEN_FORM = ".edit-form, .delete-confirmation";

/** The toolbar of a message, which follows the pointer and the focus, and the forms to edit and delete in its place. */
export class MessageActions {
  #toolbar = cloneTemplate("message-toolbar-template");

  /** @param {HTMLElement} log the element that contains the messages @param {Wiring} wiring */
  constructor(log, wiring) {
    this.wiring = wiring;
    // Not pointerover, which also fires when the list moves below a pointer that rests, just before a click.
    log.addEventListener("pointermove", (event) => {
      if (event.pointerType === "mouse" && !this.#toolbar.contains(document.activeElement)) this.#showToolbar(event.target);
    });
    log.addEventListener("pointerleave", () => {
      if (!this.#toolbar.parentElement?.contains(document.activeElement)) this.#toolbar.remove();
    });
    log.addEventListener("click", (event) => this.#showToolbar(event.target)); // a touch screen has no hover
    log.addEventListener("focusin", (event) => this.#showToolbar(event.target));
    log.addEventListener("keydown", (event) => this.#handleKey(log, event));
    findHtml(".reply", this.#toolbar).addEventListener("click", () => this.#run((message) => wiring.onReply(message)));
    findHtml(".edit", this.#toolbar).addEventListener("click", () => this.#run((message, row) => this.startEdit(message, row)));
    findHtml(".delete", this.#toolbar).addEventListener("click", () => this.#run((message, row) => this.#confirmDelete(message, row)));
  }

  /** Move the toolbar to the message at this place, or remove it where there is none. @param {EventTarget | null} target */
  #showToolbar(target) {
    const row = target instanceof Element ? target.closest(".message") : null;
    const message = row instanceof HTMLElement ? this.#messageOf(row) : undefined;
    if (!row || !message || message.deleted || row.querySelector(OPEN_FORM)) return this.#toolbar.remove();
    if (this.#toolbar.parentElement === row) return;
    const isMine = message.author.id === this.wiring.me;
    findHtml(".edit", this.#toolbar).hidden = !isMine;
    findHtml(".delete", this.#toolbar).hidden = !isMine && !this.wiring.isModerator();
    row.append(this.#toolbar);
  }

  /** @param {HTMLElement} row */
  #messageOf(row) {
    return this.wiring.findMessage(Number(row.dataset.id));
  }

  /** Run an action on the message that has the toolbar. @param {(message: Message, row: HTMLElement) => void} action */
  #run(action) {
    const row = this.#toolbar.parentElement;
    const message = row && this.#messageOf(row);
    this.#toolbar.remove();
    if (message) action(message, row);
  }

  /** Arrow keys move the focus from message to message, Escape returns to the composer. @param {HTMLElement} log @param {KeyboardEvent} event */
  #handleKey(log, event) {
    const focused = event.target instanceof HTMLElement ? event.target : null;
    if (!focused || (focused !== log && !focused.matches(".message"))) return;
    if (event.key === "Escape") return this.wiring.onDone();
    if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
    const rows = [...log.querySelectorAll(".message")];
    const index = focused === log ? rows.length : rows.indexOf(focused);
    const next = rows[focused === log || event.key === "ArrowUp" ? index - 1 : index + 1];
    if (!(next instanceof HTMLElement)) return;
    event.preventDefault();
    next.focus();
  }

  /** Open the form to edit a message, in the place of its body. @param {Message} message @param {HTMLElement} row */
  startEdit(message, row) {
    if (row.querySelector(OPEN_FORM)) return;
    const form = /** @type {HTMLFormElement} */ (cloneTemplate("edit-form-template"));
    const field = find(form, "textarea", HTMLTextAreaElement);
    field.value = message.body;
    const close = () => {
      form.remove();
      this.wiring.onDone();
    };
    findHtml(".cancel", form).addEventListener("click", close);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#save(message, form, close);
    });
    field.addEventListener("input", () => fitHeight(field));
    field.addEventListener("keydown", (event) => {
      if (event.key === "Escape") close();
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      void this.#save(message, form, close);
    });
    findHtml(".content", row).append(form);
    fitHeight(field);
    field.focus();
    form.scrollIntoView({ block: "nearest" });
  }

  /** @param {Message} message as it was when the form opened @param {HTMLFormElement} form @param {() => void} close */
  async #save(message, form, close) {
    const hint = findHtml(".hint", form);
    const body = find(form, "textarea", HTMLTextAreaElement).value.trim();
    const latest = this.wiring.findMessage(message.id) ?? message;
    if (body === latest.body) return close();
    const excess = [...body].length - this.wiring.maxChars();
    if (!body) hint.textContent = gettext("A message cannot be empty. You can delete it instead.");
    else if (excess > 0) hint.textContent = ngettext("{count} character too many", "{count} characters too many", excess);
    else
      await this.wiring.onEdit(latest, body).then(close, (error) => {
        hint.textContent = gettext("Could not save: {why}", { why: describeError(error) });
      });
  }

  /** Ask before a message is deleted, below its body. @param {Message} message @param {HTMLElement} row */
  #confirmDelete(message, row) {
    const confirmation = cloneTemplate("delete-confirmation-template");
    const close = () => {
      confirmation.remove();
      this.wiring.onDone();
    };
    findHtml(".cancel", confirmation).addEventListener("click", close);
    findHtml(".confirm", confirmation).addEventListener("click", () => {
      this.wiring.onDelete(message).then(close, (error) => {
        findHtml("span", confirmation).textContent = gettext("Could not delete: {why}", { why: describeError(error) });
      });
    });
    confirmation.addEventListener("keydown", (event) => {
      if (event.key === "Escape") close();
    });
    findHtml(".content", row).append(confirmation);
    findHtml(".cancel", confirmation).focus();
    confirmation.scrollIntoView({ block: "nearest" });
  }
}
