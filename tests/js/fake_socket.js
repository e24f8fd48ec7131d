// A WebSocket without a network, which plays the server in tests.

/** Wait until all promises that can be resolved are resolved. */
export const settled = () => new Promise((resolve) => setImmediate(resolve));

/** The test reads the frames in `sent`, and calls open, receive and end as the server would. */
export class FakeSocket {
  static OPEN = 1;
  static all = [];
  readyState = 0;
  sent = [];

  constructor(url, subprotocol) {
    Object.assign(this, { url, subprotocol });
    FakeSocket.all.push(this);
  }

  send(text) {
    this.sent.push(JSON.parse(text));
  }

  close() {
    this.readyState = 3;
  }

  open() {
    this.readyState = 1;
    this.onopen();
  }

  receive(frame) {
    this.onmessage({ data: JSON.stringify(frame) });
  }

  end(code) {
    this.readyState = 3;
    this.onclose({ code });
  }

  async welcome() {
    this.open();
    this.receive({ type: "welcome", id: this.sent[0].id, user: {}, ping: 25, limits: {} });
    await settled();
  }
}
