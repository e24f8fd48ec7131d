import { find, html } from "./dom.js";
import { gettext, language } from "./gettext.js";

/** The line to the server, in words: the pill, and a notice when the way is closed. */
export class StatusView {
  #timer = 0;
  /** @type {import("./connection.js").Status} */
  #status = { phase: "connecting" };

  /** @param {{login: string, home: string}} links */
  constructor(links) {
    this.links = links;
    this.pill = html("#pill");
    this.words = html("span", this.pill);
    this.notice = html("#notice");
    this.button = find(this.notice, "a", HTMLAnchorElement);
  }

  /** @param {import("./connection.js").Status} status */
  show(status) {
    clearInterval(this.#timer);
    this.#status = status;
    if (status.phase === "waiting") this.#timer = setInterval(() => this.#tick(), 1000);
    this.#tick();
    if (status.phase !== "ended") return;
    html("#opening").hidden = true;
    if (status.code === 4401) this.say(gettext("You are signed out."), gettext("Sign in"), this.links.login);
    else this.say(reasonOf(status), gettext("Try again"), location.href);
  }

  /** @param {string} words @param {string} action @param {string} url */
  say(words, action, url) {
    html("span", this.notice).textContent = words;
    this.button.textContent = action;
    this.button.href = url;
    this.button.hidden = false;
    this.notice.hidden = false;
  }

  #tick() {
    const status = this.#status;
    const offline = status.phase === "waiting" && !navigator.onLine;
    this.pill.dataset.phase = offline ? "offline" : status.phase;
    this.words.textContent = offline ? gettext("offline") : wordsFor(status);
  }
}

/** Why I am out of a room. @param {import("./frames.js").Member["state"]} standing */
export function outWords(standing) {
  if (standing === "kicked") return gettext("A moderator has taken you out of this room.");
  if (standing === "banned") return gettext("A moderator has banned you from this room.");
  return gettext("You are no longer in this room.");
}

/** @param {import("./connection.js").Status} status */
function wordsFor(status) {
  if (status.phase === "ended") return status.code === 4401 ? gettext("signed out") : gettext("closed");
  if (status.phase !== "waiting") return status.phase === "connected" ? gettext("connected") : gettext("connecting");
  const seconds = Math.max(1, Math.ceil((status.until - Date.now()) / 1000));
  return gettext("reconnecting in {seconds} s", { seconds });
}

/** @param {{code: number, reason: string}} status */
function reasonOf({ code, reason }) {
  if (language === "en" && reason) return reason;
  if (code === 4403) return gettext("You may not come in.");
  if (code === 4409) return gettext("You have too many windows open here.");
  return gettext("The server closed the door.");
}
