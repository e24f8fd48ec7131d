import { find, html, piece } from "./dom.js";
import { grow } from "./composer.js";
import { gettext, ngettext, refusalOf } from "./gettext.js";

/**
 * @typedef {import("./frames.js").Message} Message
 * @typedef {{messageOf: (id: number) => Message | undefined, me: number, limit: () => number, moderates: () => boolean,
 *   onReply: (message: Message) => void,
 *   onEdit: (message: Message, body: string) => Promise<void>, onDelete: (message: Message) => Promise<void>,
 *   onDone: () => void}} Wiring  moderates: may I take back what others said? onEdit, onDelete: reject with a sentence for the reader
 */

/** What one can do with a message: one toolbar that follows the pointer and the focus, and the forms in its place. */
export class Actions {
  #bar = piece("actions-piece");

  /** @param {HTMLElement} log @param {Wiring} wiring */
  constructor(log, wiring) {
    this.wiring = wiring;
    // Not pointerover: that fires too when the list moves under a resting pointer, just before a click.
    log.addEventListener("pointermove", (event) => {
      if (event.pointerType === "mouse" && !this.#bar.contains(document.activeElement)) this.#offer(event.target);
    });
    log.addEventListener("pointerleave", () => {
      if (!this.#bar.parentElement?.contains(document.activeElement)) this.#bar.remove();
    });
    log.addEventListener("click", (event) => this.#offer(event.target)); // a finger does not hover
    log.addEventListener("focusin", (event) => this.#offer(event.target));
    log.addEventListener("keydown", (event) => this.#walk(log, event));
    html(".reply", this.#bar).addEventListener("click", () => this.#act((message) => wiring.onReply(message)));
    html(".edit", this.#bar).addEventListener("click", () => this.#act((message, line) => this.edit(message, line)));
    html(".delete", this.#bar).addEventListener("click", () => this.#act((message, line) => this.#ask(message, line)));
  }

  /** @param {EventTarget | null} target */
  #offer(target) {
    const line = target instanceof Element ? target.closest(".message") : null;
    const message = line instanceof HTMLElement ? this.#messageIn(line) : undefined;
    if (!line || !message || message.deleted || line.querySelector(".editing, .deleting")) return this.#bar.remove();
    if (this.#bar.parentElement === line) return;
    const mine = message.author.id === this.wiring.me;
    html(".edit", this.#bar).hidden = !mine;
    html(".delete", this.#bar).hidden = !mine && !this.wiring.moderates();
    line.append(this.#bar);
  }

  /** @param {HTMLElement} line */
  #messageIn(line) {
    return this.wiring.messageOf(Number(line.dataset.id));
  }

  /** @param {(message: Message, line: HTMLElement) => void} step */
  #act(step) {
    const line = this.#bar.parentElement;
    const message = line && this.#messageIn(line);
    this.#bar.remove();
    if (message) step(message, line);
  }

  /** Up and Down go from message to message. @param {HTMLElement} log @param {KeyboardEvent} event */
  #walk(log, event) {
    const here = event.target instanceof HTMLElement ? event.target : null;
    if (!here || (here !== log && !here.matches(".message"))) return;
    if (event.key === "Escape") return this.wiring.onDone();
    if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
    const lines = [...log.querySelectorAll(".message")];
    const at = here === log ? lines.length : lines.indexOf(here) + (event.key === "ArrowUp" ? 0 : 2);
    const next = lines[at - 1];
    if (!(next instanceof HTMLElement)) return;
    event.preventDefault();
    next.focus();
  }

  /** Edit a message where it stands. @param {Message} message @param {HTMLElement} line */
  edit(message, line) {
    if (line.querySelector(".editing, .deleting")) return;
    const form = /** @type {HTMLFormElement} */ (piece("edit-piece"));
    const field = find(form, "textarea", HTMLTextAreaElement);
    const hint = html(".hint", form);
    field.value = message.body;
    const close = () => {
      form.remove();
      this.wiring.onDone();
    };
    const save = async () => {
      const body = field.value.trim();
      const latest = this.wiring.messageOf(message.id) ?? message;
      if (body === latest.body) return close();
      const over = [...body].length - this.wiring.limit();
      if (!body) hint.textContent = gettext("A message has words. To take it back, delete it.");
      else if (over > 0) hint.textContent = ngettext("{count} character too long.", "{count} characters too long.", over);
      else await this.wiring.onEdit(latest, body).then(close, (error) => (hint.textContent = gettext("Not saved: {why}", { why: refusalOf(error) })));
    };
    html(".cancel", form).addEventListener("click", close);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void save();
    });
    field.addEventListener("input", () => grow(field));
    field.addEventListener("keydown", (event) => {
      if (event.key === "Escape") close();
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      void save();
    });
    html(".said", line).append(form);
    grow(field);
    field.focus();
    form.scrollIntoView({ block: "nearest" });
  }

  /** Ask before deleting, where it stands. @param {Message} message @param {HTMLElement} line */
  #ask(message, line) {
    const box = piece("delete-piece");
    const close = () => {
      box.remove();
      this.wiring.onDone();
    };
    html(".keep", box).addEventListener("click", close);
    html(".confirm", box).addEventListener("click", () => {
      this.wiring.onDelete(message).then(close, (error) => {
        html("span", box).textContent = gettext("Not deleted: {why}", { why: refusalOf(error) });
      });
    });
    box.addEventListener("keydown", (event) => {
      if (event.key === "Escape") close();
    });
    html(".said", line).append(box);
    html(".keep", box).focus();
    box.scrollIntoView({ block: "nearest" });
  }
}
