// Frames for tests of the browser's own state. Alice looks, bob talks.

export const alice = { id: 1, name: "Alice Lind", guest: false };
export const bob = { id: 2, name: "Bob", guest: false };

/** A message of bob's; its place is its id unless said otherwise. */
export function message(id, more = {}) {
  return {
    id, seq: id, rev: id, cid: `cid-${id}`, author: bob, body: `words ${id}`, at: "2026-11-20T09:00:00.000Z",
    edited: false, deleted: false, reply_to: null, ...more,
  };
}

/** The event that announces this version of a message. */
export const event = (said) => ({ room: "harbour", seq: said.rev, kind: "message", message: said });

/** The event that somebody is this from now on. */
export const standing = (seq, user, state, role = "member") => ({ room: "harbour", seq, kind: "member", member: { user, role, state } });

export function joined(head, messages, more = {}) {
  return {
    type: "joined", id: 1, room: "harbour", epoch: "e", head, floor: 0, recovered: false, read: head, unread: 0,
    info: { slug: "harbour", title: "harbour", topic: "", kind: "open", body: 4000 }, more: false, members: 2,
    role: "member",
    events: messages.map(event), ...more,
  };
}
