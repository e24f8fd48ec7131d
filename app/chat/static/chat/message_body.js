import { gettext } from "./gettext.js";

const LINK_OR_CODE = /(https?:\/\/[^\s<>"]+)|`([^`\n]+)`/g;
const TRAILING = /[.,;:!?'")\]]+$/; // belongs to the sentence, not to the link
const TRAILING_AFTER_BRACKET = /[.,;:!?'"]+$/; // a link such as /wiki/Harbour_(town) keeps its closing bracket
const EXCERPT_CHARS = 200;

/**
 * Render the body of a message as text, links and `code`. The body is never parsed as HTML.
 * @param {string} body
 * @returns {Node[]}
 */
export function renderBody(body) {
  /** @type {Node[]} */
  const nodes = [];
  let end = 0;
  for (const match of body.matchAll(LINK_OR_CODE)) {
    const url = match[1]?.replace(match[1].includes("(") ? TRAILING_AFTER_BRACKET : TRAILING, "");
    const node = url ? createLink(url) : createElement("code", match[2] ?? "");
    if (!node) continue;
    nodes.push(document.createTextNode(body.slice(end, match.index)), node);
    end = match.index + (url ? url.length : match[0].length);
  }
  nodes.push(document.createTextNode(body.slice(end)));
  return nodes;
}

/** Return the beginning of a message on one line. @param {import("./frames.js").Message} message */
export function excerptOf(message) {
  return message.deleted ? gettext("Message deleted") : message.body.replace(/\s+/g, " ").slice(0, EXCERPT_CHARS);
}

/** @param {string} url @returns {Node | null} null for text that only looks like a URL */
function createLink(url) {
  if (!URL.canParse(url)) return null;
  const link = /** @type {HTMLAnchorElement} */ (createElement("a", url));
  link.href = url;
  link.target = "_blank";
  link.rel = "noopener noreferrer nofollow ugc";
  return link;
}

/** @param {string} name @param {string} text */
function createElement(name, text) {
  const element = document.createElement(name);
  element.textContent = text;
  return element;
}
