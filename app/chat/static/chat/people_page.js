import { renderAvatar } from "./avatars.js";

// The server renders the list of people without initials and colours; they are added here.
for (const avatar of document.querySelectorAll(".avatar")) {
  if (avatar instanceof HTMLElement) renderAvatar(avatar, Number(avatar.dataset.person), avatar.dataset.name ?? "");
}
