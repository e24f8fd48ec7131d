import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { RoomState } from "../../app/chat/static/chat/state.js";
import { alice, bob, event, joined, message, standing } from "./cast.js";

const bodies = (room) => room.list().map(({ body }) => body);

function entered(head, messages, more) {
  const room = new RoomState("harbour", alice.id, 50);
  room.enter(joined(head, messages, more));
  return room;
}

describe("a room", () => {
  test("shows what was said in order, and each change once", () => {
    const room = entered(2, [message(1), message(2)]);
    assert.equal(room.apply(event(message(3))).id, 3);
    assert.equal(room.apply(event(message(3, { body: "again" }))), null);
    assert.equal(room.apply(event(message(1, { rev: 4, body: "better" }))), null);
    assert.deepEqual(bodies(room), ["better", "words 2", "words 3"]);
    assert.equal(room.seq, 4);
  });

  test("takes nothing over a gap", () => {
    const room = entered(2, [message(1), message(2)]);
    assert.equal(room.apply(event(message(4))), "gap");
    assert.equal(room.seq, 2);
    assert.deepEqual(bodies(room), ["words 1", "words 2"]);
  });

  test("never replaces a version by an older one, from whatever side it comes", () => {
    const room = entered(3, [message(2), message(3)], { more: true });
    room.apply(event(message(1, { rev: 4, body: "edited, out of sight" })));
    assert.deepEqual(bodies(room), ["words 2", "words 3"]);
    room.prepend([event(message(1))], false);
    assert.deepEqual(bodies(room), ["edited, out of sight", "words 2", "words 3"]);
  });

  test("asks to go on from its last change, and takes every change since", () => {
    const room = entered(2, [message(1), message(2)]);
    assert.deepEqual(room.since(), { epoch: "e", seq: 2 });
    const gone = message(1, { rev: 5, body: "", deleted: true });
    const fresh = room.enter(joined(5, [message(3), message(4), gone], { recovered: true, unread: 2 }));
    assert.deepEqual(fresh.map(({ id }) => id), [3, 4]);
    assert.deepEqual(bodies(room), ["", "words 2", "words 3", "words 4"]);
    assert.equal(room.unread, 2);
  });

  test("starts afresh when it is too far behind, and shows no hole", () => {
    const room = entered(2, [message(1), message(2)]);
    room.enter(joined(900, [message(899), message(900)], { more: true }));
    assert.deepEqual(bodies(room), ["words 899", "words 900"]);
    assert.equal(room.more, true);
    room.prepend([event(message(2)), event(message(898))], true);
    assert.deepEqual(bodies(room), ["words 2", "words 898", "words 899", "words 900"]);
  });

  test("forgets everything when the site has another history", () => {
    const room = entered(9, [message(8), message(9)]);
    assert.deepEqual(room.enter(joined(1, [message(1)], { epoch: "restored" })), []);
    assert.deepEqual(bodies(room), ["words 1"]);
    assert.deepEqual(room.since(), { epoch: "restored", seq: 1 });
  });

  test("drops what lies below the floor", () => {
    const room = entered(3, [message(1), message(2), message(3)]);
    room.enter(joined(3, [], { recovered: true, floor: 2 }));
    assert.deepEqual(bodies(room), ["words 3"]);
  });

  test("counts what others said and did not take back, not what I said", () => {
    const room = entered(1, [message(1)]);
    room.apply(event(message(2)));
    room.apply(event(message(3, { author: alice })));
    room.apply(event(message(4)));
    assert.equal(room.unread, 2);
    room.apply(event(message(2, { rev: 5, body: "", deleted: true })));
    assert.equal(room.unread, 1);
  });

  test("takes a marker that moved on another device, and counts what came after it once", () => {
    const room = entered(2, [message(1), message(2)], { read: 0, unread: 2 });
    room.apply(event(message(3)));
    room.apply(event(message(4)));
    room.mark(3, 0); // counted before 4 was stored
    assert.deepEqual([room.read, room.unread], [3, 1]);
    room.mark(4, 1); // counted after 5 was, which comes now
    room.apply(event(message(5)));
    assert.deepEqual([room.read, room.unread], [4, 1]);
    room.mark(2, 3); // late
    assert.deepEqual([room.read, room.unread], [4, 1]);
    room.apply(event(message(5, { rev: 6, body: "", deleted: true })));
    assert.equal(room.unread, 0);
  });

  test("believes the server about what it never had", () => {
    const room = entered(9, [message(8), message(9)], { read: 1, unread: 8, more: true });
    room.mark(5, 4);
    assert.equal(room.unread, 4);
  });

  test("counts its members, to whom a role is not another one", () => {
    const room = entered(1, [message(1)]);
    const counts = [
      [bob, "joined", "moderator"], [bob, "joined", "member"], [{ ...bob, id: 3 }, "joined", "member"],
      [bob, "banned", "member"], [bob, "left", "member"], [bob, "joined", "member"],
    ].map(([user, state, role], index) => {
      room.apply(standing(index + 2, user, state, role));
      return room.members;
    });
    assert.deepEqual(counts, [2, 2, 3, 2, 2, 3]);
  });

  test("knows my own role", () => {
    const room = entered(1, [message(1)], { role: "owner" });
    assert.equal(room.role, "owner");
    room.apply(standing(2, bob, "joined", "owner"));
    assert.equal(room.role, "owner");
    room.apply(standing(3, alice, "joined", "moderator"));
    assert.equal(room.role, "moderator");
  });

  test("that is only counted keeps no messages and starts from the counts each time", () => {
    const room = new RoomState("harbour", alice.id, 0);
    room.enter(joined(7, [], { more: true, unread: 3 }));
    assert.equal(room.since(), undefined);
    room.apply(event(message(8)));
    assert.equal(room.unread, 4);
    assert.equal(room.messages.size, 0);
  });

  test("can be cut to its newest messages, which history then extends", () => {
    const room = entered(4, [1, 2, 3, 4].map((id) => message(id)));
    room.trim(2);
    assert.deepEqual(bodies(room), ["words 3", "words 4"]);
    assert.equal(room.more, true);
    room.prepend([event(message(1)), event(message(2))], false);
    assert.equal(room.list().length, 4);
  });
});
