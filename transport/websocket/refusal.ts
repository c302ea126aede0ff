/** Words to a peer whose request does not become a WebSocket, and is no request for the program. */

import { deadlineOf } from "../../internal/time.ts";
import type { Transport } from "../../transport.ts";
import { writeText } from "./stream.ts";

/** After the words: how long to wait for the peer to close, and how many bytes to read at most. */
const DRAIN_TIMEOUT = 2_000;
const MAX_DRAIN_BYTES = 256 * 1024;

/** The statuses of refusals. */
const STATUS_TEXTS: Record<number, string> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  413: "Content Too Large",
  426: "Upgrade Required",
  429: "Too Many Requests",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  501: "Not Implemented",
  503: "Service Unavailable",
};

/**
 * Refuses a request, and waits a moment for the peer to close. If this end closed at once while the peer
 * still sends, the connection would be reset, and the words would be lost.
 */
export async function refuse(
  transport: Transport,
  status: number,
  text: string,
  fields: Readonly<Record<string, string>> = {},
): Promise<void> {
  const body = `${text}\n`;
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_TEXTS[status] ?? ""}`,
    "Connection: close",
    `Date: ${new Date().toUTCString()}`,
    `Content-Length: ${new TextEncoder().encode(body).length}`,
    "Content-Type: text/plain; charset=utf-8",
    "X-Content-Type-Options: nosniff",
    ...Object.entries(fields).map(([name, value]) => `${name}: ${value}`),
  ];
  await writeText(transport, `${lines.join("\r\n")}\r\n\r\n${body}`);
  await transport.closeWrite();
  await drain(transport);
}

/** Reads until the peer closes, or until the limit is reached. */
async function drain(transport: Transport): Promise<void> {
  const deadline = deadlineOf(DRAIN_TIMEOUT, () => transport.close());
  try {
    for (let bytes = 0; bytes < MAX_DRAIN_BYTES;) {
      const chunk = await transport.read();
      if (chunk === undefined) break;
      bytes += chunk.length;
    }
  } catch {
    // The words were sent: how the peer leaves does not matter.
  } finally {
    deadline.clear();
  }
}
