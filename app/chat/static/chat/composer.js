import { find, findHtml, fitHeight } from "./dom.js";
import { ngettext } from "./gettext.js";
import { excerptOf } from "./message_body.js";

/** @typedef {import("./frames.js").Message} Message */

const WARN_BELOW_CHARS = 200; // the number of characters left is shown below this number

/** The form in which I write a message. Unsent text is kept as a draft of its room in localStorage. */
export class Composer {
  /** @type {Message | null} */
  #repliedTo = null;

  /**
   * @param {HTMLFormElement} form
   * @param {{draftKey: string, maxChars: () => number, onSend: (body: string, replyTo: number | null) => Promise<void>,
   *   onTyping: (on: boolean) => void, onEditLast: () => void}} wiring
   *   draftKey: the key in localStorage; onEditLast: the user wants to edit their last message
   */
  constructor(form, wiring) {
    this.wiring = wiring;
    this.field = find(form, "textarea", HTMLTextAreaElement);
    this.charsLeft = findHtml("#chars-left", form);
    this.replyBar = findHtml("#reply-bar", form);
    this.field.value ||= localStorage.getItem(wiring.draftKey) ?? ""; // the user may type before this script has loaded
    this.button = find(form, ".send", HTMLButtonElement);
    this.button.disabled = false;
    this.#showChange();
    this.field.addEventListener("input", () => {
      localStorage.setItem(wiring.draftKey, this.field.value);
      this.#showChange();
      wiring.onTyping(this.field.value.trim() !== "");
    });
    this.field.addEventListener("keydown", (event) => this.#handleKey(event));
    findHtml("button", this.replyBar).addEventListener("click", () => this.#cancelReply());
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#send();
    });
  }

  focus() {
    this.field.focus();
  }

  /** Send the next message as a reply to this one. @param {Message} message */
  replyTo(message) {
    this.#repliedTo = message;
    findHtml("b", this.replyBar).textContent = message.author.name;
    findHtml(".excerpt", this.replyBar).textContent = excerptOf(message);
    this.replyBar.hidden = false;
    this.focus();
  }

  /** Accept no more messages. @param {string} reason shown in the empty field */
  disable(reason) {
    this.field.disabled = this.button.disabled = true;
    this.field.placeholder = reason;
  }

  #cancelReply() {
    this.#clearReply();
    this.focus();
  }

  #clearReply() {
    this.#repliedTo = null;
    this.replyBar.hidden = true;
  }

  /** @param {KeyboardEvent} event */
  #handleKey(event) {
    if (event.isComposing) return; // this Enter accepts the word that an input method offers
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      void this.#send();
    } else if (event.key === "ArrowUp" && this.field.value === "") {
      event.preventDefault();
      this.wiring.onEditLast();
    } else if (event.key === "Escape" && this.#repliedTo) this.#cancelReply();
  }

  async #send() {
    const body = this.field.value.trim();
    if (!body || this.field.disabled || this.#countCharsLeft() < 0) return;
    const replyTo = this.#repliedTo?.id ?? null;
    this.#clearReply();
    this.field.value = "";
    this.#showChange();
    this.wiring.onTyping(false);
    await this.wiring.onSend(body, replyTo);
    if (this.field.value === "") localStorage.removeItem(this.wiring.draftKey); // the message is stored in the outbox now
  }

  /** Count the characters that still fit, in Unicode code points as the server does. */
  #countCharsLeft() {
    return this.wiring.maxChars() - [...this.field.value.trim()].length;
  }

  #showChange() {
    const left = this.#countCharsLeft();
    this.charsLeft.hidden = left > WARN_BELOW_CHARS;
    this.charsLeft.textContent =
      left < 0
        ? ngettext("{count} character too many", "{count} characters too many", -left)
        : ngettext("{count} character left", "{count} characters left", left);
    this.charsLeft.classList.toggle("over", left < 0);
    fitHeight(this.field);
  }
}
