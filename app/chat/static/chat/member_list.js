import { presenceOf } from "./presence.js";

/**
 * @typedef {import("./frames.js").Member} Member
 * @typedef {{presence: "online" | "offline" | "", members: Member[]}} Group  presence "": unknown, so all members are in one group
 */

const ROLE_ORDER = { owner: 0, moderator: 1, member: 2 };

/** Whether a role has power over another one. @param {import("./frames.js").Role} role @param {import("./frames.js").Role} other */
export function outranks(role, other) {
  return ROLE_ORDER[role] < ROLE_ORDER[other];
}

/** The members of a room that were loaded so far, and their presence. Pure state, without DOM. */
export class MemberList {
  hasMore = false; // there are members that were not loaded yet
  lastId = 0; // the highest user id that was loaded; pages are in the order of ids
  /** @type {import("./frames.js").Presence | null} */
  presence = null;
  /** @type {Map<number, Member>} */
  #members = new Map();
  /** Changes since the last page was requested; the page may be older than they are. @type {Member[]} */
  #changes = [];

  /** Prepare for a page. @param {boolean} fromStart @returns {number} the user id after which the page begins */
  startPage(fromStart) {
    this.#changes = [];
    return fromStart ? 0 : this.lastId;
  }

  /** Add a page. @param {Member[]} members @param {boolean} hasMore @param {boolean} fromStart the page replaces all others */
  addPage(members, hasMore, fromStart) {
    if (fromStart) this.#members.clear();
    for (const member of members) this.#members.set(member.user.id, member);
    this.lastId = members.at(-1)?.user.id ?? 0;
    this.hasMore = hasMore;
    for (const member of this.#changes.splice(0)) this.applyChange(member);
  }

  /** Apply a change of one member. @param {Member} member after the change */
  applyChange(member) {
    this.#changes.push(member);
    const { id } = member.user;
    if (member.state !== "joined") this.#members.delete(id);
    else if (!this.hasMore || id <= this.lastId) this.#members.set(id, member); // others come with their page
  }

  /** Return the members in groups by presence, in each group by role and name. @param {Intl.Collator} collator @returns {Group[]} */
  groupByPresence(collator) {
    const members = [...this.#members.values()].sort(
      (a, b) => ROLE_ORDER[a.role] - ROLE_ORDER[b.role] || collator.compare(a.user.name, b.user.name) || a.user.id - b.user.id,
    );
    if (!this.presence?.online) return [{ presence: "", members }];
    /** @param {Member} member */
    const isOffline = ({ user }) => presenceOf(this.presence, user.id) === "offline";
    return [
      { presence: "online", members: members.filter((member) => !isOffline(member)) },
      { presence: "offline", members: members.filter(isOffline) },
    ];
  }
}
