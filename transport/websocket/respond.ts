/** The default answers of a WebSocket server to requests that do not ask for a WebSocket. */

import { optionsResponse, textResponse } from "../../internal/text_response.ts";
import type { WebSocketEndpoint } from "../../transport.ts";
import { hasToken } from "./head.ts";

/** Answers `/health` with 200, and every other path with a hint how to connect. */
export function defaultRespond(endpoint: WebSocketEndpoint): (request: Request) => Response {
  const { transport, path } = endpoint;
  return ({ url, method, headers }) => {
    const { host, pathname } = new URL(url);
    const where = `${transport}://${host}${path}`;
    if (pathname === "/health" && (method === "GET" || method === "HEAD")) {
      return textResponse(200, "ok");
    }
    if (method === "OPTIONS") return optionsResponse();
    if (hasToken(headers, "upgrade", "websocket")) {
      return textResponse(404, `There is no WebSocket at ${pathname}; connect to ${where}`);
    }
    return textResponse(426, `Here is a WebSocket server; connect to ${where}`, {
      Upgrade: "websocket",
    });
  };
}
