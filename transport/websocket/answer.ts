/** Answers to requests that do not become a WebSocket. */

import { writeAll } from "../../internal/bytes.ts";
import { deadlineOf } from "../../internal/time.ts";
import type { Transport } from "../../transport.ts";
import { writeText } from "./stream.ts";

/** The largest answer of a program, in bytes. */
const MAX_BODY_BYTES = 16 * 1024 * 1024;
/** After an answer: how long to wait for the peer to close, and how many bytes to read at most. */
const DRAIN_TIMEOUT = 2_000;
const MAX_DRAIN_BYTES = 256 * 1024;

/** Default texts for common statuses. A program may set its own text. */
const STATUS_TEXTS: Record<number, string> = {
  200: "OK",
  204: "No Content",
  301: "Moved Permanently",
  302: "Found",
  304: "Not Modified",
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  413: "Content Too Large",
  426: "Upgrade Required",
  429: "Too Many Requests",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  501: "Not Implemented",
  503: "Service Unavailable",
};
/** Fields that are set here, and not by the program. */
const OWN_FIELDS = ["connection", "content-length", "keep-alive", "transfer-encoding"];

/** A response as it goes over the wire. */
export interface WireResponse {
  /** Status line and fields. */
  readonly head: string;
  /** The body. It is not sent in answer to a HEAD request. */
  readonly body: Uint8Array;
}

/**
 * Reads a response to its end.
 *
 * @throws {TypeError} if it is not a response.
 * @throws {RangeError} if the body is above 16 MiB.
 * @throws what the body throws.
 */
export async function toWire(response: Response): Promise<WireResponse> {
  if (!(response instanceof Response) || response.type === "error") {
    throw new TypeError("Cannot answer request: respond() gave no response");
  }
  const body = await bodyOf(response);
  return { head: headOf(response, body.length), body };
}

/**
 * Writes a response, and waits a moment for the peer to close. If this end closed at once while the
 * peer still sends, the connection would be reset, and the answer would be lost.
 */
export async function answer(
  transport: Transport,
  { head, body }: WireResponse,
  isHead = false,
): Promise<void> {
  await writeText(transport, head);
  if (!isHead) await writeAll(transport, body);
  await transport.closeWrite();
  await drain(transport);
}

async function bodyOf(response: Response): Promise<Uint8Array> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let bytes = 0;
  for await (const part of response.body ?? []) {
    bytes += part.length;
    if (bytes > MAX_BODY_BYTES) {
      throw new RangeError(`Cannot answer request with more than ${MAX_BODY_BYTES} bytes`);
    }
    parts.push(part as Uint8Array<ArrayBuffer>);
  }
  return await new Blob(parts).bytes();
}

function headOf(response: Response, bytes: number): string {
  const { status, headers } = response;
  const lines = [
    `HTTP/1.1 ${status} ${response.statusText || (STATUS_TEXTS[status] ?? "")}`,
    // If there is an Upgrade field, Connection has to name it.
    `Connection: close${headers.has("upgrade") ? ", Upgrade" : ""}`,
  ];
  if (!headers.has("date")) lines.push(`Date: ${new Date().toUTCString()}`);
  // RFC 9110, section 8.6: a 204 has no Content-Length, and a 304 need not have one.
  if (status !== 204 && status !== 304) lines.push(`Content-Length: ${bytes}`);
  for (const [name, value] of headers) {
    if (!OWN_FIELDS.includes(name)) lines.push(`${name}: ${value}`);
  }
  return `${lines.join("\r\n")}\r\n\r\n`;
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
    // The answer was sent: how the peer leaves does not matter.
  } finally {
    deadline.clear();
  }
}
