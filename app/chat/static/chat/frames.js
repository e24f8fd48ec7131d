/**
 * The shapes that cross the border between browser and server. This file holds types only. The frames are those of the
 * WebSocket protocol parley.v1; app/chat/ws/protocol.py and app/chat/events.py define them.
 *
 * Parts of frames
 * @typedef {{id: number, name: string, guest: boolean, via?: string}} Person  via: the name of the integration that posts for this person
 * @typedef {{id: number, seq: number, rev: number, cid: string, author: Person, body: string, at: string,
 *   edited: boolean, deleted: boolean, reply_to: number | null}} Message
 *   seq: the position in the room; rev: the room's head when the message last changed; at: ISO 8601, UTC
 * @typedef {"owner" | "moderator" | "member"} Role
 * @typedef {"joined" | "left" | "kicked" | "banned"} MembershipState
 * @typedef {{user: Person, role: Role, state: MembershipState}} Member
 * @typedef {{slug: string, title: string, topic: string, kind: "open" | "private" | "direct", body: number}} RoomInfo
 *   body: the maximum length of a message, in characters
 * @typedef {{room: string, seq: number, kind: string, message?: Message, member?: Member, info?: RoomInfo}} Event
 * @typedef {{epoch: string, seq: number}} Since  the last change that the client has
 *
 * Commands, from the browser to the server; Connection.ask adds the id
 * @typedef {{type: "hello", client: string}
 *   | {type: "join", room: string, limit: number, since: Since | undefined}
 *   | {type: "leave", room: string}
 *   | {type: "send", room: string, cid: string, body: string, reply_to?: number}
 *   | {type: "edit", message: number, body: string, rev: number}
 *   | {type: "delete", message: number}
 *   | {type: "read", room: string, seq: number}
 *   | {type: "typing", room: string, on: boolean}
 *   | {type: "history", room: string, before: number, limit: number}} Command
 *
 * Frames from the server to the browser
 * @typedef {{type: "welcome", id: number, user: Person, ping: number, limits: Record<string, number>}} Welcome  ping: seconds between pings
 * @typedef {{type: "joined", id: number, room: string, epoch: string, head: number, floor: number, recovered: boolean,
 *   info: RoomInfo, read: number, unread: number, more: boolean, members: number, role: Role, events: Event[]}} Joined
 *   recovered: `events` are all changes since `since`; otherwise they are the newest messages
 * @typedef {{type: "ok", id: number, message?: Message, dup?: boolean, events?: Event[], more?: boolean,
 *   unread?: number}} Ok
 * @typedef {{type: "error", id: number | null, code: string, text: string, retry_after?: number}} Refusal  retry_after: seconds
 * @typedef {{type: "events", events: Event[]}} Events
 * @typedef {{kind: "presence", here: number, online?: number[], idle?: number[]}} Presence
 *   here: how many members are online; the ids are missing in large rooms
 * @typedef {{kind: "read", seq: number, unread: number}} ReadMarkerMoved
 * @typedef {{kind: "typing", user: Person, on: boolean}} TypingChanged
 * @typedef {{type: "ephemeral", room: string} & (TypingChanged | ReadMarkerMoved | Presence)} Ephemeral
 * @typedef {{type: "ping", n: number, heads: Record<string, number>}} Ping
 * @typedef {{type: "left", room: string, reason: string}} Left
 * @typedef {{type: "bye", code: number, reason: string, reconnect_in: number | null}} Bye  reconnect_in: seconds
 * @typedef {Welcome | Joined | Ok} Reply
 * @typedef {Reply | Refusal | Events | Ephemeral | Ping | Left | Bye} Frame
 *
 * Answers of the REST API
 * @typedef {{members: Member[], more: boolean}} MemberPage
 * @typedef {{id: number, by: string, expires_at: string, token?: string}} Invitation  token: only in the answer that creates it
 *
 * What the page of a room contains as JSON
 * @typedef {{user: Person, room: string, home: string, login: string, bodyChars: number}} PageData
 *   room: its slug; home, login: URLs; bodyChars: the maximum length of a message, in characters
 * @typedef {{catalog?: Record<string, string | string[]>, refusals?: Record<string, string>}} Translations
 *   catalog: by English text; refusals: by error code
 */

export {};
