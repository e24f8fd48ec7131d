const NEAR = 64; // px from the bottom that still count as there
const AHEAD = 600; // px from the top at which older messages are fetched

/** The scrolling part of a room: it stays at the bottom while it is there, and else where the reader is. */
export class Scroller {
  pinned = true;

  /** @param {HTMLElement} log @param {HTMLElement} list @param {() => void} onMove */
  constructor(log, list, onMove) {
    this.log = log;
    this.list = list;
    log.addEventListener("scroll", () => {
      this.pinned = this.#isAtBottom();
      onMove();
    });
    // The window, the keyboard of a phone and the composer change the height under us.
    const resized = new ResizeObserver(() => {
      if (this.pinned) this.toBottom();
    });
    resized.observe(log);
    resized.observe(list);
  }

  toBottom() {
    this.log.scrollTop = this.log.scrollHeight;
    this.pinned = true;
  }

  /** @returns {boolean} */
  isNearTop() {
    return this.log.scrollTop < AHEAD;
  }

  /** Show an element in the upper part of the view. @param {Element} element */
  toUpperPart(element) {
    this.log.scrollTop += this.#topOf(element) - this.log.clientHeight / 5;
    this.pinned = this.#isAtBottom();
  }

  /** Change the list under a reader who must not notice. @param {() => void} change */
  keep(change) {
    // A message, for the line of a day moves up when older ones of the same day come.
    const messages = this.pinned ? [] : [...this.list.querySelectorAll(".message")];
    const anchor = messages.find((message) => this.#topOf(message) >= 0);
    const top = anchor ? this.#topOf(anchor) : 0;
    change();
    if (this.pinned) this.toBottom();
    else if (anchor?.isConnected) this.log.scrollTop += this.#topOf(anchor) - top;
  }

  /** @param {Element} element @returns {number} px below the upper edge of the view */
  #topOf(element) {
    return element.getBoundingClientRect().top - this.log.getBoundingClientRect().top;
  }

  #isAtBottom() {
    return this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < NEAR;
  }
}
