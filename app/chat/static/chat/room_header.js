import { findHtml } from "./dom.js";
import { describePresence } from "./presence.js";

/** The header of the room: title, topic and member count, or in a direct room the presence of the other person. */
export class RoomHeader {
  /** @param {import("./room_state.js").RoomState} state */
  constructor(state) {
    this.state = state;
  }

  /** Show the current state of the room. */
  render() {
    const { info, memberCount, role } = this.state;
    if (!info) return;
    const isDirect = info.kind === "direct"; // events do not contain its title, which is the name of the other person
    if (!isDirect) {
      findHtml("#title").textContent = info.title;
      findHtml("#topic").textContent = info.topic;
    }
    findHtml("#members-button").hidden = isDirect;
    findHtml("#members-button .count").textContent = String(memberCount);
    document.querySelector(".link.invite")?.toggleAttribute("hidden", role === "member");
  }

  /** Show the presence of the other person in a direct room. @param {import("./presence.js").PresenceStatus} status */
  showPresence(status) {
    findHtml("#other-presence").dataset.presence = status;
    findHtml("#topic").textContent = describePresence(status);
  }
}
