import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { RoomState } from "../../app/chat/static/chat/room_state.js";
import { alice, bob, event, joined, message, memberEvent } from "./fixtures.js";

const bodies = (room) => room.listMessages().map(({ body }) => body);

function entered(head, messages, more) {
  const room = new RoomState("harbour", alice.id, 50);
  room.applyJoined(joined(head, messages, more));
  return room;
}

describe("a room", () => {
  test("shows messages in order, and applies each change once", () => {
    const room = entered(2, [message(1), message(2)]);
    assert.equal(room.applyEvent(event(message(3))).id, 3);
    assert.equal(room.applyEvent(event(message(3, { body: "again" }))), null);
    assert.equal(room.applyEvent(event(message(1, { rev: 4, body: "better" }))), null);
    assert.deepEqual(bodies(room), ["better", "text 2", "text 3"]);
    assert.equal(room.lastSeq, 4);
  });

  test("applies no change after a gap", () => {
    const room = entered(2, [message(1), message(2)]);
    assert.equal(room.applyEvent(event(message(4))), "gap");
    assert.equal(room.lastSeq, 2);
    assert.deepEqual(bodies(room), ["text 1", "text 2"]);
  });

  test("never replaces a message by an older version, from events or from history", () => {
    const room = entered(3, [message(2), message(3)], { more: true });
    room.applyEvent(event(message(1, { rev: 4, body: "edited while not shown" })));
    assert.deepEqual(bodies(room), ["text 2", "text 3"]);
    room.prependHistory([event(message(1))], false, room.oldestSeq);
    assert.deepEqual(bodies(room), ["edited while not shown", "text 2", "text 3"]);
  });

  test("resumes from its last change, and applies every change since", () => {
    const room = entered(2, [message(1), message(2)]);
    assert.deepEqual(room.since(), { epoch: "e", seq: 2 });
    const gone = message(1, { rev: 5, body: "", deleted: true });
    const fresh = room.applyJoined(joined(5, [message(3), message(4), gone], { recovered: true, unread: 2 }));
    assert.deepEqual(fresh.map(({ id }) => id), [3, 4]);
    assert.deepEqual(bodies(room), ["", "text 2", "text 3", "text 4"]);
    assert.equal(room.unreadCount, 2);
  });

  test("starts again when it is too far behind, and shows no hole", () => {
    const room = entered(2, [message(1), message(2)]);
    room.applyJoined(joined(900, [message(899), message(900)], { more: true }));
    assert.deepEqual(bodies(room), ["text 899", "text 900"]);
    assert.equal(room.hasOlder, true);
    room.prependHistory([event(message(2)), event(message(898))], true, room.oldestSeq);
    assert.deepEqual(bodies(room), ["text 2", "text 898", "text 899", "text 900"]);
  });

  test("ignores a page of history that was requested before it started again", () => {
    const room = entered(9, [message(8), message(9)], { more: true });
    const requestedBefore = room.oldestSeq;
    room.applyJoined(joined(900, [message(899), message(900)], { more: true }));
    room.prependHistory([event(message(6)), event(message(7))], true, requestedBefore);
    assert.deepEqual(bodies(room), ["text 899", "text 900"]);
    assert.equal(room.oldestSeq, 899);
  });

  test("forgets everything when the site has another epoch", () => {
    const room = entered(9, [message(8), message(9)]);
    assert.deepEqual(room.applyJoined(joined(1, [message(1)], { epoch: "restored" })), []);
    assert.deepEqual(bodies(room), ["text 1"]);
    assert.deepEqual(room.since(), { epoch: "restored", seq: 1 });
  });

  test("drops what lies below the floor", () => {
    const room = entered(3, [message(1), message(2), message(3)]);
    room.applyJoined(joined(3, [], { recovered: true, floor: 2 }));
    assert.deepEqual(bodies(room), ["text 3"]);
  });

  test("counts unread messages of others, without deleted ones and my own", () => {
    const room = entered(1, [message(1)]);
    room.applyEvent(event(message(2)));
    room.applyEvent(event(message(3, { author: alice })));
    room.applyEvent(event(message(4)));
    assert.equal(room.unreadCount, 2);
    room.applyEvent(event(message(2, { rev: 5, body: "", deleted: true })));
    assert.equal(room.unreadCount, 1);
  });

  test("follows a read marker that moved on another device, and counts each later message once", () => {
    const room = entered(2, [message(1), message(2)], { read: 0, unread: 2 });
    room.applyEvent(event(message(3)));
    room.applyEvent(event(message(4)));
    room.moveReadMarker(3, 0); // counted before 4 was stored
    assert.deepEqual([room.readSeq, room.unreadCount], [3, 1]);
    room.moveReadMarker(4, 1); // counted after 5 was, which comes now
    room.applyEvent(event(message(5)));
    assert.deepEqual([room.readSeq, room.unreadCount], [4, 1]);
    room.moveReadMarker(2, 3); // late
    assert.deepEqual([room.readSeq, room.unreadCount], [4, 1]);
    room.applyEvent(event(message(5, { rev: 6, body: "", deleted: true })));
    assert.equal(room.unreadCount, 0);
  });

  test("trusts the unread count of the server for messages that it never received", () => {
    const room = entered(9, [message(8), message(9)], { read: 1, unread: 8, more: true });
    room.moveReadMarker(5, 4);
    assert.equal(room.unreadCount, 4);
  });

  test("counts its members, and a new role adds none", () => {
    const room = entered(1, [message(1)]);
    const counts = [
      [bob, "joined", "moderator"], [bob, "joined", "member"], [{ ...bob, id: 3 }, "joined", "member"],
      [bob, "banned", "member"], [bob, "left", "member"], [bob, "joined", "member"],
    ].map(([user, state, role], index) => {
      room.applyEvent(memberEvent(index + 2, user, state, role));
      return room.memberCount;
    });
    assert.deepEqual(counts, [2, 2, 3, 2, 2, 3]);
  });

  test("knows my own role", () => {
    const room = entered(1, [message(1)], { role: "owner" });
    assert.equal(room.role, "owner");
    room.applyEvent(memberEvent(2, bob, "joined", "owner"));
    assert.equal(room.role, "owner");
    room.applyEvent(memberEvent(3, alice, "joined", "moderator"));
    assert.equal(room.role, "moderator");
  });

  test("that is only counted keeps no messages, and starts from the counts of each join", () => {
    const room = new RoomState("harbour", alice.id, 0);
    room.applyJoined(joined(7, [], { more: true, unread: 3 }));
    assert.equal(room.since(), undefined);
    room.applyEvent(event(message(8)));
    assert.equal(room.unreadCount, 4);
    assert.equal(room.messages.size, 0);
  });

  test("can be trimmed to its newest messages, which history extends again", () => {
    const room = entered(4, [1, 2, 3, 4].map((id) => message(id)));
    room.trimTo(2);
    assert.deepEqual(bodies(room), ["text 3", "text 4"]);
    assert.equal(room.hasOlder, true);
    room.prependHistory([event(message(1)), event(message(2))], false, room.oldestSeq);
    assert.equal(room.listMessages().length, 4);
  });
});
