import { gettext } from "./gettext.js";

/** @typedef {import("./frames.js").Presence} Presence */
/** @typedef {"online" | "idle" | "offline" | ""} PresenceStatus  "": unknown */

/** Return the status of a user in a room. @param {Presence | null} presence @param {number} id of the user @returns {PresenceStatus} */
export function presenceOf(presence, id) {
  if (!presence?.online) return "";
  if (!presence.online.includes(id)) return "offline";
  return presence.idle?.includes(id) ? "idle" : "online";
}

/** Return the status of the other person in a direct room. @param {Presence} presence @param {number} me my user id @returns {PresenceStatus} */
export function presenceOfOther(presence, me) {
  if (!presence.online) return "";
  const other = presence.online.find((id) => id !== me);
  return other === undefined ? "offline" : presenceOf(presence, other);
}

/** Translate a status for people. @param {PresenceStatus} status */
export function describePresence(status) {
  return { online: gettext("online"), idle: gettext("idle"), offline: gettext("offline"), "": "" }[status];
}
