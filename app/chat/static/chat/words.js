const PIECES = /(https?:\/\/[^\s<>"]+)|`([^`\n]+)`/g;
const TRAILING = /[.,;:!?'")\]]+$/; // belongs to the sentence, not to the address
const TRAILING_IN_BRACKETS = /[.,;:!?'"]+$/; // but /wiki/Harbour_(town) is one

/**
 * What somebody wrote, as nodes: text, links and `code`. Nothing of it is ever read as markup.
 * @param {string} body
 * @returns {Node[]}
 */
export function wordsOf(body) {
  /** @type {Node[]} */
  const nodes = [];
  let done = 0;
  for (const piece of body.matchAll(PIECES)) {
    const address = piece[1]?.replace(piece[1].includes("(") ? TRAILING_IN_BRACKETS : TRAILING, "");
    const node = address ? link(address) : element("code", piece[2] ?? "");
    if (!node) continue;
    nodes.push(document.createTextNode(body.slice(done, piece.index)), node);
    done = piece.index + (address ? address.length : piece[0].length);
  }
  nodes.push(document.createTextNode(body.slice(done)));
  return nodes;
}

/** @param {string} address */
function link(address) {
  if (!URL.canParse(address)) return null;
  const anchor = /** @type {HTMLAnchorElement} */ (element("a", address));
  anchor.href = address;
  anchor.target = "_blank";
  anchor.rel = "noopener noreferrer nofollow ugc";
  return anchor;
}

/** @param {string} name @param {string} text */
function element(name, text) {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}
