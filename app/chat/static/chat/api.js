import { Disconnected, Refused } from "./connection.js";

/**
 * Send a request to the REST API. Rejects with Refused or Disconnected, as Connection.ask does.
 * @param {"GET" | "POST" | "PUT" | "PATCH" | "DELETE"} method
 * @param {string} path below /api/
 * @param {object} [body] sent as JSON
 * @returns {Promise<any>} the JSON of the response, or null when it has none
 */
export async function requestApi(method, path, body) {
  const token = /(?:^|; )csrftoken=([^;]*)/.exec(document.cookie)?.[1] ?? "";
  const headers = { "Content-Type": "application/json", "X-CSRFToken": token };
  const response = await fetch(`/api/${path}`, { method, headers, body: body && JSON.stringify(body) }).catch(() => {
    throw new Disconnected();
  });
  const json = await response.json().catch(() => null);
  if (response.ok) return json;
  throw new Refused({ type: "error", id: null, code: "unavailable", text: response.statusText, ...json?.error });
}
