import { Disconnected } from "./connection.js";
import { findHtml } from "./dom.js";
import { gettext } from "./gettext.js";

const PAGE_SIZE = 50; // messages

/** Loads older messages, one page at a time, when the reader scrolls near the top. */
export class HistoryLoader {
  #isLoading = false;
  #hasFailed = false;

  /**
   * @param {HTMLElement} bar shows that messages are loading, or that loading failed
   * @param {import("./room_state.js").RoomState} state
   * @param {{isWanted: () => boolean, onPage: () => void,
   *   ask: (command: import("./frames.js").Command) => Promise<import("./frames.js").Reply>}} wiring
   */
  constructor(bar, state, wiring) {
    this.bar = bar;
    this.state = state;
    this.wiring = wiring;
    findHtml("button", bar).addEventListener("click", () => {
      this.#hasFailed = false;
      void this.loadIfWanted();
    });
  }

  /** Load one page, if the reader is near the top and there are older messages. */
  async loadIfWanted() {
    const { slug, oldestSeq, hasOlder, isLoaded } = this.state;
    if (this.#isLoading || this.#hasFailed || !isLoaded || !hasOlder || !this.wiring.isWanted()) return;
    this.#isLoading = true;
    this.#show(gettext("Loading older messages…"));
    try {
      const reply = await this.wiring.ask({ type: "history", room: slug, before: oldestSeq, limit: PAGE_SIZE });
      if (reply.type === "ok") this.state.prependHistory(reply.events ?? [], reply.more ?? false, oldestSeq);
      this.#show("");
    } catch (error) {
      this.#hasFailed = !(error instanceof Disconnected); // after a lost connection the next one tries again
      this.#show(this.#hasFailed ? gettext("Could not load older messages.") : "");
    } finally {
      this.#isLoading = false;
    }
    this.wiring.onPage();
  }

  /** @param {string} text */
  #show(text) {
    this.bar.hidden = !text;
    findHtml("span", this.bar).textContent = text;
    findHtml("button", this.bar).hidden = !this.#hasFailed;
  }
}
