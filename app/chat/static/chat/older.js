import { Disconnected } from "./connection.js";
import { html } from "./dom.js";
import { gettext } from "./gettext.js";

const PAGE = 50;

/** Fetches what was said before, a page at a time, when the reader comes near the top. */
export class Older {
  #fetching = false;
  #failed = false;

  /**
   * @param {HTMLElement} bar says that it is on its way, or that it failed
   * @param {import("./state.js").RoomState} state
   * @param {{isWanted: () => boolean, onPage: () => void,
   *   ask: (command: {type: string, [field: string]: unknown}) => Promise<import("./frames.js").Reply>}} wiring
   */
  constructor(bar, state, wiring) {
    this.bar = bar;
    this.state = state;
    this.wiring = wiring;
    html("button", bar).addEventListener("click", () => {
      this.#failed = false;
      void this.fetch();
    });
  }

  async fetch() {
    const { slug, low, more, entered } = this.state;
    if (this.#fetching || this.#failed || !entered || !more || !this.wiring.isWanted()) return;
    this.#fetching = true;
    this.#show(gettext("Fetching what was said before…"));
    try {
      const reply = await this.wiring.ask({ type: "history", room: slug, before: low, limit: PAGE });
      if (reply.type === "ok") this.state.prepend(reply.events ?? [], reply.more ?? false);
      this.#show("");
    } catch (error) {
      this.#failed = !(error instanceof Disconnected); // else the next connection tries again
      this.#show(this.#failed ? gettext("What was said before did not come.") : "");
    } finally {
      this.#fetching = false;
    }
    this.wiring.onPage();
  }

  /** @param {string} words */
  #show(words) {
    this.bar.hidden = !words;
    html("span", this.bar).textContent = words;
    html("button", this.bar).hidden = !this.#failed;
  }
}
