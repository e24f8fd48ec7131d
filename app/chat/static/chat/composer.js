import { find, html } from "./dom.js";
import { ngettext } from "./gettext.js";
import { excerptOf } from "./room.js";

/** @typedef {import("./frames.js").Message} Message */

const WARN = 200; // characters before the limit at which the count shows

/** Where I write. What is not sent yet stays a draft of its room. */
export class Composer {
  /** @type {Message | null} */
  #answering = null;

  /**
   * @param {HTMLFormElement} form
   * @param {{draft: string, limit: () => number, onSend: (body: string, replyTo: number | null) => Promise<void>,
   *   onTyping: (on: boolean) => void, onEditLast: () => void}} wiring  draft: its key in localStorage; limit: characters
   */
  constructor(form, wiring) {
    this.wiring = wiring;
    this.field = find(form, "textarea", HTMLTextAreaElement);
    this.left = html("#left", form);
    this.bar = html("#answering", form);
    this.field.value ||= localStorage.getItem(wiring.draft) ?? ""; // somebody may type before this file is here
    this.button = find(form, ".send", HTMLButtonElement);
    this.button.disabled = false;
    this.#changed();
    this.field.addEventListener("input", () => {
      localStorage.setItem(wiring.draft, this.field.value);
      this.#changed();
      wiring.onTyping(this.field.value.trim() !== "");
    });
    this.field.addEventListener("keydown", (event) => this.#key(event));
    html("button", this.bar).addEventListener("click", () => this.#cancel());
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#send();
    });
  }

  focus() {
    this.field.focus();
  }

  /** Answer this message with what is written next. @param {Message} message */
  answer(message) {
    this.#answering = message;
    html("b", this.bar).textContent = message.author.name;
    html(".words", this.bar).textContent = excerptOf(message);
    this.bar.hidden = false;
    this.focus();
  }

  /** @param {string} why */
  close(why) {
    this.field.disabled = this.button.disabled = true;
    this.field.placeholder = why;
  }

  #cancel() {
    this.#answering = null;
    this.bar.hidden = true;
    this.focus();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.isComposing) return; // Enter takes the word that an input method offers
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      void this.#send();
    } else if (event.key === "ArrowUp" && this.field.value === "") {
      event.preventDefault();
      this.wiring.onEditLast();
    } else if (event.key === "Escape" && this.#answering) this.#cancel();
  }

  async #send() {
    const body = this.field.value.trim();
    if (!body || this.field.disabled || this.#room() < 0) return;
    const replyTo = this.#answering?.id ?? null;
    this.#answering = null;
    this.bar.hidden = true;
    this.field.value = "";
    this.#changed();
    this.wiring.onTyping(false);
    await this.wiring.onSend(body, replyTo);
    if (this.field.value === "") localStorage.removeItem(this.wiring.draft); // it is safe in the outbox now
  }

  /** Characters that still fit, as the server counts them. */
  #room() {
    return this.wiring.limit() - [...this.field.value.trim()].length;
  }

  #changed() {
    const room = this.#room();
    this.left.hidden = room > WARN;
    this.left.textContent =
      room < 0
        ? ngettext("{count} character too many", "{count} characters too many", -room)
        : ngettext("{count} character left", "{count} characters left", room);
    this.left.classList.toggle("over", room < 0);
    grow(this.field);
  }
}

/** As high as its words, in browsers that do not do it by style. @param {HTMLTextAreaElement} field */
export function grow(field) {
  if (CSS.supports("field-sizing", "content")) return;
  field.style.height = "auto";
  field.style.height = `${field.scrollHeight}px`;
}
