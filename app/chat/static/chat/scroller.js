const BOTTOM_PX = 64; // a view this near to the bottom counts as at the bottom
const LOAD_AHEAD_PX = 600; // older messages are loaded when the top is this near

/** Controls the scroll position of the message log: it stays at the bottom, or keeps the place of a reader further up. */
export class Scroller {
  isPinned = true; // the view is at the bottom, and stays there when messages arrive

  /** @param {HTMLElement} log the element that scrolls @param {HTMLElement} list its messages @param {() => void} onScroll */
  constructor(log, list, onScroll) {
    this.log = log;
    this.list = list;
    log.addEventListener("scroll", () => {
      this.isPinned = this.#isAtBottom();
      onScroll();
    });
    // The window, a phone's keyboard and the composer change the height of the log.
    const observer = new ResizeObserver(() => {
      if (this.isPinned) this.scrollToBottom();
    });
    observer.observe(log);
    observer.observe(list);
  }

  scrollToBottom() {
    this.log.scrollTop = this.log.scrollHeight;
    this.isPinned = true;
  }

  /** @returns {boolean} */
  isNearTop() {
    return this.log.scrollTop < LOAD_AHEAD_PX;
  }

  /** Scroll until an element is in the upper part of the view. @param {Element} element */
  scrollToUpperPart(element) {
    this.log.scrollTop += this.#topOf(element) - this.log.clientHeight / 5;
    this.isPinned = this.#isAtBottom();
  }

  /** Change the list without moving what the reader sees. @param {() => void} change */
  keepPosition(change) {
    // The anchor is a message: the row of a day moves when older messages of that day are added.
    const messages = this.isPinned ? [] : [...this.list.querySelectorAll(".message")];
    const anchor = messages.find((message) => this.#topOf(message) >= 0);
    const top = anchor ? this.#topOf(anchor) : 0;
    change();
    if (this.isPinned) this.scrollToBottom();
    else if (anchor?.isConnected) this.log.scrollTop += this.#topOf(anchor) - top;
  }

  /** @param {Element} element @returns {number} px below the upper edge of the view */
  #topOf(element) {
    return element.getBoundingClientRect().top - this.log.getBoundingClientRect().top;
  }

  #isAtBottom() {
    return this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < BOTTOM_PX;
  }
}
