import { find, html, paintAvatar, piece } from "./dom.js";
import { gettext } from "./gettext.js";
import { momentOf, timeOf } from "./times.js";
import { wordsOf } from "./words.js";

/**
 * @typedef {import("./rows.js").Row} Row
 * @typedef {Extract<Row, {author: unknown}>} Said
 * @typedef {{messageOf: (id: number) => import("./frames.js").Message | undefined, me: number,
 *   isConnected: () => boolean, onQuoted: (line: HTMLElement) => void, onRetry: (cid: string) => void, onDiscard: (cid: string) => void}} Wiring
 */

/** Rows to elements. Each row keeps its element for as long as it is shown; only what changed is touched. */
export class RoomView {
  /** @type {Map<string, {element: HTMLElement, print: string}>} */
  #drawn = new Map();

  /** @param {HTMLElement} list @param {Wiring} wiring */
  constructor(list, wiring) {
    this.list = list;
    this.wiring = wiring;
  }

  /** @param {Row[]} rows */
  render(rows) {
    const keys = new Set(rows.map((row) => row.key));
    for (const [key, { element }] of this.#drawn) {
      if (keys.has(key)) continue;
      element.remove();
      this.#drawn.delete(key);
    }
    let next = this.list.firstElementChild;
    for (const row of rows) {
      const element = this.#draw(row);
      if (element === next) next = next.nextElementSibling;
      else this.list.insertBefore(element, next);
    }
  }

  /** @param {number} id */
  elementOf(id) {
    const found = this.list.querySelector(`[data-id="${id}"]`);
    return found instanceof HTMLElement ? found : null;
  }

  /** @param {Row} row */
  #draw(row) {
    const print = this.#printOf(row);
    let drawn = this.#drawn.get(row.key);
    if (!drawn) {
      drawn = { element: this.#make(row), print: "" };
      this.#drawn.set(row.key, drawn);
    }
    if (drawn.print !== print) {
      if (row.kind === "day") html("h2", drawn.element).textContent = row.label;
      if (row.kind === "message" || row.kind === "unsent") this.#write(drawn.element, row);
      drawn.print = print;
    }
    return drawn.element;
  }

  /** All that the element shows, so that an unchanged row costs nothing. @param {Row} row */
  #printOf(row) {
    if (row.kind === "day") return row.label;
    if (row.kind === "line") return "line";
    if (row.kind === "unsent") return JSON.stringify([row.follow, row.item.failed, this.#stateOf(row.item)]);
    const quoted = row.message.reply_to === null ? undefined : this.wiring.messageOf(row.message.reply_to);
    return JSON.stringify([row.follow, row.message.id, row.message.rev, quoted?.rev]);
  }

  /** @param {Row} row */
  #make(row) {
    if (row.kind === "day") return piece("day-piece");
    if (row.kind === "line") return piece("line-piece");
    const element = piece("message-piece");
    const { author, at } = row;
    paintAvatar(html(".avatar", element), author.id, author.name);
    html("bdi", element).textContent = author.name;
    html(".guest", element).hidden = !author.guest;
    html(".via", element).hidden = !author.via;
    html(".via", element).textContent = gettext("via {name}", { name: author.via ?? "" });
    element.classList.toggle("mine", author.id === this.wiring.me);
    html(".quote", element).addEventListener("click", () => {
      const quoted = this.elementOf(Number(html(".quote", element).dataset.to));
      if (!quoted) return;
      this.wiring.onQuoted(quoted);
      quoted.focus({ preventScroll: true });
    });
    const cid = row.kind === "unsent" ? row.item.cid : "";
    html(".retry", element).addEventListener("click", () => this.wiring.onRetry(cid));
    html(".discard", element).addEventListener("click", () => this.wiring.onDiscard(cid));
    this.#date(element, at);
    return element;
  }

  /** @param {HTMLElement} element @param {Date} at */
  #date(element, at) {
    const time = find(element, "time", HTMLTimeElement);
    time.textContent = timeOf(at);
    time.dateTime = at.toISOString();
    time.title = momentOf(at);
  }

  /** @param {HTMLElement} element @param {Said} row */
  #write(element, row) {
    const message = row.kind === "message" ? row.message : null;
    const item = row.kind === "unsent" ? row.item : null;
    const gone = Boolean(message?.deleted);
    element.classList.toggle("follow", row.follow);
    element.classList.toggle("gone", gone);
    element.classList.toggle("unsent", item !== null && item.failed === null);
    element.classList.toggle("failed", item !== null && item.failed !== null);
    if (message) {
      element.dataset.id = String(message.id);
      this.#date(element, row.at); // the server's clock, once it has spoken
    }
    const body = html(".body", element);
    if (gone) body.textContent = gettext("Message deleted");
    else body.replaceChildren(...wordsOf((message ?? item)?.body ?? ""));
    html(".edited", element).hidden = gone || !message?.edited;
    this.#quote(find(element, ".quote", HTMLButtonElement), gone ? null : (message ?? item)?.reply_to ?? null);
    this.#state(html(".state", element), item);
    if (gone) element.querySelector(".editing, .deleting")?.remove();
  }

  /** @param {HTMLButtonElement} quote @param {number | null} id */
  #quote(quote, id) {
    quote.hidden = id === null;
    if (id === null) return;
    const quoted = this.wiring.messageOf(id);
    quote.dataset.to = String(id);
    quote.disabled = !quoted;
    html("b", quote).textContent = quoted?.author.name ?? "";
    html("span", quote).textContent = quoted ? excerptOf(quoted) : gettext("An earlier message");
  }

  /** @param {HTMLElement} state @param {import("./outbox.js").Item | null} item */
  #state(state, item) {
    state.hidden = !item;
    if (!item) return;
    html("span", state).textContent = this.#stateOf(item);
    html(".retry", state).hidden = html(".discard", state).hidden = item.failed === null;
  }

  /** @param {import("./outbox.js").Item} item */
  #stateOf(item) {
    if (item.failed !== null) return gettext("Not sent: {why}", { why: item.failed });
    return this.wiring.isConnected() ? (item.note ?? gettext("sending…")) : gettext("goes out when the connection is back");
  }
}

/** The words of a message on one line. @param {import("./frames.js").Message} message */
export function excerptOf(message) {
  return message.deleted ? gettext("Message deleted") : message.body.replace(/\s+/g, " ").slice(0, 200);
}
