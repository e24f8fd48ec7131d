/**
 * @typedef {import("./frames.js").Member} Member
 * @typedef {import("./frames.js").Presence} Presence
 * @typedef {"online" | "idle" | "offline" | ""} Standing  "": nobody has told
 * @typedef {"converse" | "moderator" | "member" | "owner" | "remove" | "ban"} Deed
 * @typedef {{standing: "here" | "away" | "", members: Member[]}} Group
 */

const RANK = { owner: 0, moderator: 1, member: 2 };

/** A room's members as far as they are listed, and who of them is there. Pure state, no DOM. */
export class People {
  more = false; // there are others, who are not listed yet
  last = 0; // of those listed, the highest id: pages come in that order
  /** @type {Presence | null} */
  presence = null;
  /** @type {Map<number, Member>} */
  #members = new Map();
  /** What changed since the last page was asked for, which may be older. @type {Member[]} */
  #changes = [];

  /** @returns {number} the id after which the next page begins; the first one when everything is `anew` */
  ask(anew = false) {
    this.#changes = [];
    return anew ? 0 : this.last;
  }

  /** @param {Member[]} members @param {boolean} more @param {boolean} anew */
  page(members, more, anew) {
    if (anew) this.#members.clear();
    for (const member of members) this.#members.set(member.user.id, member);
    this.last = members.at(-1)?.user.id ?? 0;
    this.more = more;
    for (const member of this.#changes.splice(0)) this.change(member);
  }

  /** @param {Member} member as they are now */
  change(member) {
    this.#changes.push(member);
    const { id } = member.user;
    if (member.state !== "joined") this.#members.delete(id);
    else if (!this.more || id <= this.last) this.#members.set(id, member); // else they come with their page
  }

  /** @param {number} id @returns {Standing} */
  standingOf(id) {
    if (!this.presence?.online) return "";
    if (!this.presence.online.includes(id)) return "offline";
    return this.presence.idle?.includes(id) ? "idle" : "online";
  }

  /** Who is there before who is not, then by role and name. @param {Intl.Collator} order @returns {Group[]} */
  groups(order) {
    const all = [...this.#members.values()].sort(
      (a, b) => RANK[a.role] - RANK[b.role] || order.compare(a.user.name, b.user.name) || a.user.id - b.user.id,
    );
    if (!this.presence?.online) return [{ standing: "", members: all }];
    const here = all.filter(({ user }) => this.standingOf(user.id) !== "offline");
    const away = all.filter(({ user }) => this.standingOf(user.id) === "offline");
    return [{ standing: "here", members: here }, { standing: "away", members: away }];
  }
}

/** What I, as this, may do to a member; the server decides anyway. @param {number} me @param {import("./frames.js").Role} role @param {Member} member */
export function deedsFor(me, role, { user, role: theirs }) {
  /** @type {Deed[]} */
  const deeds = [];
  if (user.id === me) return deeds;
  if (!user.via) deeds.push("converse");
  if (role === "owner" && !user.via) deeds.push(theirs === "moderator" ? "member" : "moderator", "owner");
  if (RANK[role] < RANK[theirs]) deeds.push("remove", "ban");
  return deeds;
}

/** How the other one of a conversation is. @param {Presence} presence @param {number} me @returns {Standing} */
export function otherIn({ online, idle }, me) {
  if (!online) return "";
  const other = online.find((id) => id !== me);
  if (other === undefined) return "offline";
  return idle?.includes(other) ? "idle" : "online";
}
