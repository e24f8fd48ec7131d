import { paintAvatar } from "./dom.js";

/** The avatars of a page that the server has drawn. */
for (const avatar of document.querySelectorAll(".avatar")) {
  if (avatar instanceof HTMLElement) paintAvatar(avatar, Number(avatar.dataset.person), avatar.dataset.name ?? "");
}
