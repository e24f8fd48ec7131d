// Frames for tests of the browser's state. Alice is the reader, bob writes messages.

export const alice = { id: 1, name: "Alice Lind", guest: false };
export const bob = { id: 2, name: "Bob", guest: false };

/** Build a message of bob. Its position is its id, unless `more` sets another one. */
export function message(id, more = {}) {
  return {
    id, seq: id, rev: id, cid: `cid-${id}`, author: bob, body: `text ${id}`, at: "2026-11-20T09:00:00.000Z",
    edited: false, deleted: false, reply_to: null, ...more,
  };
}

/** Build the event of this version of a message. */
export const event = (message) => ({ room: "harbour", seq: message.rev, kind: "message", message });

/** Build the event of a change of a membership. */
export const memberEvent = (seq, user, state, role = "member") => ({ room: "harbour", seq, kind: "member", member: { user, role, state } });

/** Build the answer to a join. */
export function joined(head, messages, more = {}) {
  return {
    type: "joined", id: 1, room: "harbour", epoch: "e", head, floor: 0, recovered: false, read: head, unread: 0,
    info: { slug: "harbour", title: "harbour", topic: "", kind: "open", body: 4000 }, more: false, members: 2,
    role: "member",
    events: messages.map(event), ...more,
  };
}
