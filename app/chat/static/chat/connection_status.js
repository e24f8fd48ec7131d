import { find, findHtml } from "./dom.js";
import { gettext, language } from "./gettext.js";

/** @typedef {import("./connection.js").Status} Status */

/** Shows the state of the connection, and a notice when the page cannot go on by itself. */
export class ConnectionStatus {
  #timer = 0;
  /** @type {Status} */
  #status = { phase: "connecting" };

  /** @param {{login: string}} links  login: URL of the sign-in page */
  constructor(links) {
    this.links = links;
    this.pill = findHtml("#pill");
    this.label = findHtml("span", this.pill);
    this.notice = findHtml("#notice");
    this.link = find(this.notice, "a", HTMLAnchorElement);
  }

  /** @param {Status} status */
  show(status) {
    clearInterval(this.#timer);
    this.#status = status;
    if (status.phase === "waiting") this.#timer = setInterval(() => this.#renderPill(), 1000);
    this.#renderPill();
    if (status.phase !== "ended") return;
    findHtml("#loading").hidden = true;
    if (status.code === 4401) this.showNotice(gettext("You have been signed out."), gettext("Sign in"), this.links.login);
    else this.showNotice(describeEnd(status), gettext("Try again"), location.href);
  }

  /** Show a text with a link. @param {string} text @param {string} linkText @param {string} url */
  showNotice(text, linkText, url) {
    findHtml("span", this.notice).textContent = text;
    this.link.textContent = linkText;
    this.link.href = url;
    this.link.hidden = false;
    this.notice.hidden = false;
  }

  #renderPill() {
    const status = this.#status;
    const isOffline = status.phase === "waiting" && !navigator.onLine;
    this.pill.dataset.phase = isOffline ? "offline" : status.phase;
    this.label.textContent = isOffline ? gettext("offline") : describePhase(status);
  }
}

/** @param {Status} status */
function describePhase(status) {
  if (status.phase === "ended") return status.code === 4401 ? gettext("signed out") : gettext("closed");
  if (status.phase !== "waiting") return status.phase === "connected" ? gettext("connected") : gettext("connecting");
  const seconds = Math.max(1, Math.ceil((status.until - Date.now()) / 1000));
  return gettext("reconnecting in {seconds} s", { seconds });
}

/** Say why the server closed the connection for good. @param {{code: number, reason: string}} status */
function describeEnd({ code, reason }) {
  if (language === "en" && reason) return reason; // the server's reason is in English
  if (code === 4403) return gettext("Access denied.");
  if (code === 4409) return gettext("Too many windows are open. Close one, then try again.");
  return gettext("The server closed the connection.");
}
