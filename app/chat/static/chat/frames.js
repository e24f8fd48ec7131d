/**
 * The frames of parley.v1 as the browser sees them; chat/ws/protocol.py is their master. Types only.
 *
 * @typedef {{id: number, name: string, guest: boolean, via?: string}} Person  via: the integration, where it is one
 * @typedef {{id: number, seq: number, rev: number, cid: string, author: Person, body: string, at: string,
 *   edited: boolean, deleted: boolean, reply_to: number | null}} Message
 * @typedef {"owner" | "moderator" | "member"} Role
 * @typedef {{user: Person, role: Role, state: "joined" | "left" | "kicked" | "banned"}} Member
 * @typedef {{slug: string, title: string, topic: string, kind: "open" | "private" | "direct", body: number}} RoomInfo
 * @typedef {{room: string, seq: number, kind: string, message?: Message, member?: Member, info?: RoomInfo}} Event
 * @typedef {{epoch: string, seq: number}} Since
 *
 * @typedef {{type: "welcome", id: number, user: Person, ping: number, limits: Record<string, number>}} Welcome
 * @typedef {{type: "joined", id: number, room: string, epoch: string, head: number, floor: number, recovered: boolean,
 *   info: RoomInfo, read: number, unread: number, more: boolean, members: number, role: Role, events: Event[]}} Joined
 * @typedef {{type: "ok", id: number, message?: Message, dup?: boolean, events?: Event[], more?: boolean,
 *   unread?: number}} Ok
 * @typedef {{type: "error", id: number | null, code: string, text: string, retry_after?: number}} Refusal
 * @typedef {{type: "events", events: Event[]}} Events
 * @typedef {{type: "ephemeral", room: string} & ({kind: "typing", user: Person, on: boolean}
 *   | {kind: "read", seq: number, unread: number} | Presence)} Ephemeral
 * @typedef {{kind: "presence", here: number, online?: number[], idle?: number[]}} Presence  no lists of too many
 * @typedef {{type: "ping", n: number, heads: Record<string, number>}} Ping
 * @typedef {{type: "left", room: string, reason: string}} Left
 * @typedef {{type: "bye", code: number, reason: string, reconnect_in: number | null}} Bye
 * @typedef {Welcome | Joined | Ok} Reply
 * @typedef {Reply | Refusal | Events | Ephemeral | Ping | Left | Bye} Frame
 */

export {};
