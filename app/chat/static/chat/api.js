import { Disconnected, Refused } from "./connection.js";

/**
 * Ask the REST API. Rejects with Refused or Disconnected, as the socket does.
 * @param {"GET" | "POST" | "PUT" | "PATCH" | "DELETE"} method
 * @param {string} path below /api/
 * @param {object} [body]
 * @returns {Promise<any>} the answer's JSON; null where there is none
 */
export async function api(method, path, body) {
  const token = /(?:^|; )csrftoken=([^;]*)/.exec(document.cookie)?.[1] ?? "";
  const headers = { "Content-Type": "application/json", "X-CSRFToken": token };
  const answer = await fetch(`/api/${path}`, { method, headers, body: body && JSON.stringify(body) }).catch(() => {
    throw new Disconnected();
  });
  const said = await answer.json().catch(() => null);
  if (answer.ok) return said;
  throw new Refused({ type: "error", id: null, code: "unavailable", text: answer.statusText, ...said?.error });
}
