import { gettext } from "./gettext.js";

/** Set up the menus of the page, which close on Escape and on a click outside, and the buttons that copy its address. */
export function setUpMenus() {
  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll("details.menu[open]"))
      if (event.target instanceof Node && !menu.contains(event.target)) menu.removeAttribute("open");
  });
  document.addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" && event.target instanceof Element && event.target.closest("details.menu[open]");
    if (!menu) return;
    menu.removeAttribute("open");
    menu.querySelector("summary")?.focus();
  });
  for (const button of document.querySelectorAll("button.copy"))
    button.addEventListener("click", () => void copyText(location.origin + location.pathname, button));
}

/**
 * Copy a text to the clipboard. The button then says so; where the browser forbids it, the button shows the text.
 * @param {string} text @param {Element} button
 */
export async function copyText(text, button) {
  const copied = navigator.clipboard.writeText(text);
  button.textContent = await copied.then(() => gettext("Copied"), () => text);
}
