import { html } from "./dom.js";
import { gettext } from "./gettext.js";

/** The head of the room: what it is called and about, and how many are in it; of a conversation, how the other one is. */
export class Heading {
  /** @param {import("./state.js").RoomState} state */
  constructor(state) {
    this.state = state;
  }

  draw() {
    const { info, members, role } = this.state;
    if (!info) return;
    const isDirect = info.kind === "direct"; // called after the other person, which events do not know
    if (!isDirect) {
      html("#title").textContent = info.title;
      html("#topic").textContent = info.topic;
    }
    html("#members").hidden = isDirect;
    html("#members .count").textContent = String(members);
    document.querySelector(".link.invite")?.toggleAttribute("hidden", role === "member");
  }

  /** @param {import("./people.js").Standing} standing of the other one */
  see(standing) {
    html("#other").dataset.standing = standing;
    html("#topic").textContent = standingWords(standing);
  }
}

/** @param {import("./people.js").Standing} standing */
export function standingWords(standing) {
  return { online: gettext("online"), idle: gettext("idle"), offline: gettext("offline"), "": "" }[standing];
}
