import { gettext } from "./gettext.js";

/** The small things of the page that need no room: menus that close, buttons that copy its address. */
export function wireMenus() {
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
    button.addEventListener("click", () => void copy(location.origin + location.pathname, button));
}

/** @param {string} address @param {Element} button says that it is copied, or what is to be copied by hand */
export async function copy(address, button) {
  const copied = navigator.clipboard.writeText(address);
  button.textContent = await copied.then(() => gettext("Copied"), () => address);
}
