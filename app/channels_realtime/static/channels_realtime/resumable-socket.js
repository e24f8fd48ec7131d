// A WebSocket that loses nothing over a reconnect, for consumers of channels_realtime.resume.
//
// Use it where the page says `new WebSocket(url)`: the methods, events and properties are the same. It reconnects by
// itself, receives what it missed, and sends again what was not acknowledged, which the server stores once.
//
// Further events: "reconnecting" and "reconnected"; "gap" when the server no longer has everything that was missed
// (`detail.missed`: how many events, or null), and "senderror" when the consumer failed three times at the same message
// (`detail`: its text). "close" means that it does not reconnect: the page or the consumer has closed it.

"use strict";

/**
 * A frame of the server.
 * @typedef {object} ServerFrame
 * @property {string[]} [texts] what the consumer sent
 * @property {string} [stream] the stream whose position the frame names
 * @property {string} [epoch] of the stream
 * @property {number} [seq] the stream is received up to here, with this frame
 * @property {number | null} [missed] events that the server no longer has, null when it does not know
 * @property {string} [ack] the id of a message that the consumer has handled
 * @property {string} [failed] the id of a message at which the consumer failed, not for want of Redis or the database
 * @property {number} [pong] the answer to a ping
 */

class ResumableSocket extends EventTarget {
    static CONNECTING = 0;
    static OPEN = 1;
    static CLOSING = 2;
    static CLOSED = 3;

    // Milliseconds.
    static PING_INTERVAL = 20_000;
    static PONG_TIMEOUT = 10_000;
    static FIRST_DELAY = 300;
    static LONGEST_DELAY = 10_000;
    static MOST_FAILURES = 3; // of the server at one message

    /** @type {((event: Event) => void) | null} */ onopen = null;
    /** @type {((event: MessageEvent) => void) | null} */ onmessage = null;
    /** @type {((event: CloseEvent) => void) | null} */ onclose = null;
    /** @type {((event: Event) => void) | null} */ onerror = null;
    /** @type {BinaryType} */ binaryType = "blob";
    extensions = "";

    /**
     * @param {string | URL} url a ws:// address becomes wss:// on a page that was loaded by https
     * @param {string | string[]} [protocols]
     */
    constructor(url, protocols = []) {
        super();
        this.url = String(url);
        if (globalThis.location?.protocol === "https:") {
            this.url = this.url.replace(/^ws:/, "wss:");
        }
        this.protocol = "";
        this.readyState = ResumableSocket.CONNECTING;
        this._protocols = protocols;
        /** @type {Record<string, [string, number]>} */
        this._positions = {}; // of each stream: epoch and seq
        /** @type {{id: string, text: string, failures: number}[]} */
        this._outbox = []; // messages that are not acknowledged
        this._attempts = 0; // to connect, since a frame has arrived
        this._hasOpened = false;
        /** @type {WebSocket | null} */
        this._socket = null;
        this._timer = 0;
        this._pingTimer = 0;
        globalThis.addEventListener?.("online", () => this._reconnectNow());
        this._connect();
    }

    /** Characters that are not acknowledged. */
    get bufferedAmount() {
        return this._outbox.reduce((sum, message) => sum + message.text.length, 0);
    }

    /**
     * Send a text message, also while the connection is away. Binary messages are sent only over an open connection.
     * @param {any} data
     */
    send(data) {
        if (this.readyState >= ResumableSocket.CLOSING) {
            return;
        }
        if (typeof data !== "string") {
            this._socket?.send(data);
            return;
        }
        const message = { id: createId(), text: data, failures: 0 };
        this._outbox.push(message);
        this._transmit(message);
    }

    /**
     * Close for good. What is not acknowledged may be lost.
     * @param {number} [code]
     * @param {string} [reason]
     */
    close(code, reason) {
        if (this.readyState >= ResumableSocket.CLOSING) {
            return;
        }
        this.readyState = ResumableSocket.CLOSING;
        clearTimeout(this._timer);
        if (this._socket) {
            this._socket.close(code, reason);
        } else {
            this._finish(new CloseEvent("close", { code: code ?? 1005, reason, wasClean: true }));
        }
    }

    // --- The connection

    _connect() {
        clearTimeout(this._timer);
        const mark = this.url.includes("?") ? "&" : "?";
        const positions = encodeURIComponent(JSON.stringify(this._positions));
        const socket = new WebSocket(`${this.url}${mark}resume=${positions}`, this._protocols);
        socket.binaryType = this.binaryType;
        this._socket = socket;
        socket.onopen = () => this._onOpen(socket);
        socket.onmessage = (event) => this._onFrame(event);
        socket.onclose = (event) => this._onClose(socket, event);
    }

    /** @param {WebSocket} socket */
    _onOpen(socket) {
        this.protocol = socket.protocol;
        this.readyState = ResumableSocket.OPEN;
        this._schedulePing();
        this._outbox.forEach((message) => this._transmit(message));
        this._emit(new Event(this._hasOpened ? "reconnected" : "open"));
        this._hasOpened = true;
    }

    /**
     * @param {WebSocket} socket
     * @param {CloseEvent} event
     */
    _onClose(socket, event) {
        if (socket !== this._socket) {
            return; // it was given up
        }
        this._socket = null;
        clearTimeout(this._pingTimer);
        // The consumer closed it, or refused what was sent: the same would happen again.
        const isFinal = [1000, 1003, 1007, 1008, 1009].includes(event.code) || event.code >= 4000;
        if (isFinal || this.readyState === ResumableSocket.CLOSING) {
            this._finish(event);
            return;
        }
        if (this.readyState === ResumableSocket.OPEN) {
            this.readyState = ResumableSocket.CONNECTING;
            this._emit(new Event("reconnecting"));
        }
        const longest = Math.min(ResumableSocket.LONGEST_DELAY, ResumableSocket.FIRST_DELAY * 2 ** this._attempts);
        this._attempts += 1;
        this._timer = setTimeout(() => this._connect(), longest * (0.5 + Math.random() / 2));
    }

    _reconnectNow() {
        if (!this._socket && this.readyState === ResumableSocket.CONNECTING) {
            this._connect();
        }
    }

    /** @param {CloseEvent} event */
    _finish(event) {
        this.readyState = ResumableSocket.CLOSED;
        this._emit(new CloseEvent("close", { code: event.code, reason: event.reason, wasClean: event.wasClean }));
    }

    /**
     * The consumer failed at a message: give that message up after a few times.
     * @param {string} id
     */
    _countFailure(id) {
        const failed = this._outbox.find((message) => message.id === id);
        if (failed && ++failed.failures >= ResumableSocket.MOST_FAILURES) {
            this._outbox = this._outbox.filter((message) => message !== failed);
            console.error("The server failed at this message:", failed.text);
            this._emit(new CustomEvent("senderror", { detail: failed.text }));
        }
    }

    // --- Pings: a browser does not say when the network is gone

    _schedulePing() {
        clearTimeout(this._pingTimer);
        this._pingTimer = setTimeout(() => {
            this._socket?.send('{"ping":1}');
            this._pingTimer = setTimeout(() => this._giveUp(), ResumableSocket.PONG_TIMEOUT);
        }, ResumableSocket.PING_INTERVAL);
    }

    /** Reconnect although the browser believes that the connection is open. */
    _giveUp() {
        const socket = this._socket;
        if (socket) {
            this._onClose(socket, new CloseEvent("close", { code: 1006 }));
            socket.close();
        }
    }

    // --- Messages

    /** @param {{id: string, text: string}} message */
    _transmit({ id, text }) {
        if (this._socket?.readyState === WebSocket.OPEN) {
            this._socket.send(JSON.stringify({ id, text }));
        }
    }

    /** @param {MessageEvent} event */
    _onFrame(event) {
        this._attempts = 0;
        this._schedulePing();
        if (typeof event.data !== "string") {
            this._emit(new MessageEvent("message", { data: event.data, origin: event.origin }));
            return;
        }
        /** @type {ServerFrame} */
        const frame = JSON.parse(event.data);
        if (frame.ack !== undefined) {
            this._outbox = this._outbox.filter((message) => message.id !== frame.ack);
        }
        if (frame.failed !== undefined) {
            this._countFailure(frame.failed);
        }
        if (frame.stream !== undefined && frame.seq !== undefined) {
            const [epoch, seq] = this._positions[frame.stream] ?? ["", -1];
            if (frame.texts && frame.epoch === epoch && frame.seq <= seq) {
                return; // it was received before
            }
            this._positions[frame.stream] = [frame.epoch ?? "", frame.seq];
            if (frame.missed || frame.missed === null) {
                this._emit(new CustomEvent("gap", { detail: { stream: frame.stream, missed: frame.missed } }));
            }
        }
        for (const data of frame.texts ?? []) {
            this._emit(new MessageEvent("message", { data, origin: event.origin }));
        }
    }

    /** @param {Event} event */
    _emit(event) {
        /** @type {any} */ (this)[`on${event.type}`]?.call(this, event);
        this.dispatchEvent(event);
    }
}

/** Return an id that no other message has. crypto.randomUUID exists only on pages of https and localhost. */
function createId() {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// For pages that load this file as a module.
Object.assign(globalThis, { ResumableSocket });
