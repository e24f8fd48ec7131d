import { renderAvatar } from "./avatars.js";
import { cloneTemplate, find, findHtml } from "./dom.js";
import { gettext } from "./gettext.js";
import { excerptOf, renderBody } from "./message_body.js";
import { formatDateTime, formatTime } from "./times.js";

/**
 * @typedef {import("./timeline.js").Row} Row
 * @typedef {Extract<Row, {author: unknown}>} MessageRow  a sent or an unsent message
 * @typedef {import("./outbox.js").UnsentMessage} UnsentMessage
 * @typedef {{me: number, findMessage: (id: number) => import("./frames.js").Message | undefined, isConnected: () => boolean,
 *   onQuoteClick: (element: HTMLElement) => void, onRetry: (cid: string) => void, onDiscard: (cid: string) => void}} Wiring
 *   me: my user id; onQuoteClick: receives the element of the quoted message
 */

/** Renders the rows of a room. A row keeps its element while it is shown, and only changed rows are written. */
export class RoomView {
  /** The elements by row key; fingerprint: all that the element shows. @type {Map<string, {element: HTMLElement, fingerprint: string}>} */
  #rendered = new Map();

  /** @param {HTMLElement} list @param {Wiring} wiring */
  constructor(list, wiring) {
    this.list = list;
    this.wiring = wiring;
  }

  /** @param {Row[]} rows */
  render(rows) {
    const keys = new Set(rows.map((row) => row.key));
    for (const [key, { element }] of this.#rendered) {
      if (keys.has(key)) continue;
      element.remove();
      this.#rendered.delete(key);
    }
    let next = this.list.firstElementChild;
    for (const row of rows) {
      const element = this.#renderRow(row);
      if (element === next) next = next.nextElementSibling;
      else this.list.insertBefore(element, next);
    }
  }

  /** Return the element of a message, if it is shown. @param {number} id */
  findElement(id) {
    const found = this.list.querySelector(`[data-id="${id}"]`);
    return found instanceof HTMLElement ? found : null;
  }

  /** @param {Row} row */
  #renderRow(row) {
    const fingerprint = this.#fingerprintOf(row);
    let rendered = this.#rendered.get(row.key);
    if (!rendered) {
      rendered = { element: this.#createElement(row), fingerprint: "" };
      this.#rendered.set(row.key, rendered);
    }
    if (rendered.fingerprint !== fingerprint) {
      if (row.kind === "day") findHtml("h2", rendered.element).textContent = row.label;
      if (row.kind === "message" || row.kind === "unsent") this.#writeMessage(rendered.element, row);
      rendered.fingerprint = fingerprint;
    }
    return rendered.element;
  }

  /** @param {Row} row */
  #fingerprintOf(row) {
    if (row.kind === "day") return row.label;
    if (row.kind === "new-messages") return row.kind;
    if (row.kind === "unsent") return JSON.stringify([row.isGrouped, row.unsent.failed, this.#describeDelivery(row.unsent)]);
    const quoted = row.message.reply_to === null ? undefined : this.wiring.findMessage(row.message.reply_to);
    return JSON.stringify([row.isGrouped, row.message.id, row.message.rev, quoted?.rev]);
  }

  /** @param {Row} row */
  #createElement(row) {
    if (row.kind === "day") return cloneTemplate("day-template");
    if (row.kind === "new-messages") return cloneTemplate("new-messages-template");
    const element = cloneTemplate("message-template");
    const { author, at } = row;
    renderAvatar(findHtml(".avatar", element), author.id, author.name);
    findHtml("bdi", element).textContent = author.name;
    findHtml(".guest", element).hidden = !author.guest;
    findHtml(".via", element).hidden = !author.via;
    findHtml(".via", element).textContent = gettext("via {name}", { name: author.via ?? "" });
    element.classList.toggle("mine", author.id === this.wiring.me);
    const quote = findHtml(".quote", element);
    quote.addEventListener("click", () => {
      const quoted = this.findElement(Number(quote.dataset.message));
      if (!quoted) return;
      this.wiring.onQuoteClick(quoted);
      quoted.focus({ preventScroll: true });
    });
    const cid = row.kind === "unsent" ? row.unsent.cid : "";
    findHtml(".retry", element).addEventListener("click", () => this.wiring.onRetry(cid));
    findHtml(".discard", element).addEventListener("click", () => this.wiring.onDiscard(cid));
    this.#writeTime(element, at);
    return element;
  }

  /** @param {HTMLElement} element @param {Date} at */
  #writeTime(element, at) {
    const time = find(element, "time", HTMLTimeElement);
    time.textContent = formatTime(at);
    time.dateTime = at.toISOString();
    time.title = formatDateTime(at);
  }

  /** @param {HTMLElement} element @param {MessageRow} row */
  #writeMessage(element, row) {
    const message = row.kind === "message" ? row.message : null;
    const unsent = row.kind === "unsent" ? row.unsent : null;
    const isDeleted = Boolean(message?.deleted);
    element.classList.toggle("grouped", row.isGrouped);
    element.classList.toggle("deleted", isDeleted);
    element.classList.toggle("unsent", unsent !== null && unsent.failed === null);
    element.classList.toggle("failed", unsent !== null && unsent.failed !== null);
    if (message) {
      element.dataset.id = String(message.id);
      this.#writeTime(element, row.at); // the server's time replaces that of the browser
    }
    const body = findHtml(".body", element);
    if (isDeleted) body.textContent = gettext("Message deleted");
    else body.replaceChildren(...renderBody((message ?? unsent)?.body ?? ""));
    findHtml(".edited", element).hidden = isDeleted || !message?.edited;
    this.#writeQuote(find(element, ".quote", HTMLButtonElement), isDeleted ? null : (message ?? unsent)?.reply_to ?? null);
    this.#writeDelivery(findHtml(".delivery", element), unsent);
    if (isDeleted) element.querySelector(".edit-form, .delete-confirmation")?.remove();
  }

  /** @param {HTMLButtonElement} quote @param {number | null} id of the quoted message */
  #writeQuote(quote, id) {
    quote.hidden = id === null;
    if (id === null) return;
    const quoted = this.wiring.findMessage(id);
    quote.dataset.message = String(id);
    quote.disabled = !quoted;
    findHtml("b", quote).textContent = quoted?.author.name ?? "";
    findHtml("span", quote).textContent = quoted ? excerptOf(quoted) : gettext("An older message");
  }

  /** @param {HTMLElement} delivery @param {UnsentMessage | null} unsent */
  #writeDelivery(delivery, unsent) {
    delivery.hidden = !unsent;
    if (!unsent) return;
    findHtml("span", delivery).textContent = this.#describeDelivery(unsent);
    findHtml(".retry", delivery).hidden = findHtml(".discard", delivery).hidden = unsent.failed === null;
  }

  /** @param {UnsentMessage} unsent */
  #describeDelivery(unsent) {
    if (unsent.failed !== null) return gettext("Not sent: {why}", { why: unsent.failed });
    return this.wiring.isConnected() ? (unsent.note ?? gettext("sending…")) : gettext("will be sent when you are connected again");
  }
}
