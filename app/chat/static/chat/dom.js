/**
 * Find the first element below `root` that matches `selector`. Throws when it is missing or of another type: the
 * template and the script then disagree, which is our bug.
 * @template {Element} T
 * @param {ParentNode} root
 * @param {string} selector
 * @param {new () => T} type
 * @returns {T}
 */
export function find(root, selector, type) {
  const found = root.querySelector(selector);
  if (!(found instanceof type)) throw new Error(`No ${selector}`);
  return found;
}

/** Find an HTML element of any type, as `find` does. @param {string} selector @param {ParentNode} root */
export function findHtml(selector, root = document) {
  return find(root, selector, HTMLElement);
}

/** Return a new copy of the only element in a <template>. @param {string} id of the template */
export function cloneTemplate(id) {
  const copy = find(document, `#${id}`, HTMLTemplateElement).content.firstElementChild?.cloneNode(true);
  if (!(copy instanceof HTMLElement)) throw new Error(`Empty template ${id}`);
  return copy;
}

/** Make a text field as high as its text. Browsers with `field-sizing` do it by style. @param {HTMLTextAreaElement} field */
export function fitHeight(field) {
  if (CSS.supports("field-sizing", "content")) return;
  field.style.height = "auto";
  field.style.height = `${field.scrollHeight}px`;
}
