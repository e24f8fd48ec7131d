const TONES = 5; // background colours in tokens.css

/** The one or two letters of an avatar: "Bia Carvalho" is "BC". @param {string} name */
export function initialsOf(name) {
  const words = name.split(/[\s_.-]+/u).filter(Boolean);
  if (words.length < 2) return [...(words[0] ?? "?")].slice(0, 2).join("").toUpperCase();
  const letters = [words[0], words[words.length - 1]].map((word) => [...word][0]);
  return letters.join("").toUpperCase();
}

/** Show the initials and the colour of a person. @param {HTMLElement} avatar @param {number} id of the user @param {string} name */
export function renderAvatar(avatar, id, name) {
  avatar.textContent = initialsOf(name);
  avatar.dataset.tone = String(id % TONES);
}
