/**
 * The one element of this kind below root; it is a mistake of ours when it is missing.
 * @template {Element} T
 * @param {ParentNode} root
 * @param {string} selector
 * @param {new () => T} kind
 * @returns {T}
 */
export function find(root, selector, kind) {
  const found = root.querySelector(selector);
  if (!(found instanceof kind)) throw new Error(`No ${selector}`);
  return found;
}

/** @param {string} selector */
export const html = (selector, root = /** @type {ParentNode} */ (document)) => find(root, selector, HTMLElement);

/** A fresh copy of a <template>'s one element. @param {string} id */
export function piece(id) {
  const made = find(document, `#${id}`, HTMLTemplateElement).content.firstElementChild?.cloneNode(true);
  if (!(made instanceof HTMLElement)) throw new Error(`Empty template ${id}`);
  return made;
}

/** "BC" @param {string} name */
export function initials(name) {
  const words = name.split(/[\s_.-]+/u).filter(Boolean);
  const letters = words.length > 1 ? [words[0], words[words.length - 1]] : words;
  const first = letters.map((word) => [...word][0]);
  return (words.length > 1 ? first.join("") : [...(words[0] ?? "?")].slice(0, 2).join("")).toUpperCase();
}

/** @param {HTMLElement} avatar @param {number} id @param {string} name */
export function paintAvatar(avatar, id, name) {
  avatar.textContent = initials(name);
  avatar.dataset.tone = String(id % 5);
}
