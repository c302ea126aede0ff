/** Answers of programs, by `node:http`. */

import type { ServerResponse } from "node:http";
import { turnEnd } from "../../internal/turn_end.ts";

/** Fields that are set here, and not by the program. */
const OWN_FIELDS = [
  "connection",
  "content-length",
  "keep-alive",
  "transfer-encoding",
  "set-cookie",
];

type Read = ReadableStreamReadResult<Uint8Array>;

/**
 * Sends a response, each part as it comes. A body that is there as a whole has a length. Calls `begun`
 * when the head leaves. Resolves when all was handed on, or the peer has gone.
 *
 * @throws what the body throws.
 */
export async function send(
  response: Response,
  to: ServerResponse,
  begun: () => void = () => {},
): Promise<void> {
  let isGone = false;
  const gone = new Promise<undefined>((resolve) => {
    to.once("close", () => {
      isGone = true;
      resolve(undefined);
    });
  });
  const reader = response.body?.getReader();
  const reads: Promise<Read>[] = [];
  try {
    const length = reader === undefined ? 0 : await lengthOf(reader, reads);
    begun();
    writeHead(response, to, length);
    while (reader !== undefined && !isGone) {
      const read = await Promise.race([reads.shift() ?? reader.read(), gone]);
      if (read === undefined || read.done) break;
      if (to.write(read.value)) continue;
      await Promise.race([new Promise<void>((resolve) => to.once("drain", resolve)), gone]);
    }
    to.end();
  } finally {
    await reader?.cancel().catch(() => {}); // It has failed already, or nobody wants it any more.
  }
}

/**
 * The length of a body that is there as a whole; undefined for others. `reads` gets what was read for it,
 * which may throw: such an error can still be answered.
 */
async function lengthOf(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  reads: Promise<Read>[],
): Promise<number | undefined> {
  const next = () => {
    const read = reader.read();
    read.catch(() => {}); // It is thrown to who awaits it.
    reads.push(read);
    return Promise.race([read, turnEnd().then(() => undefined)]);
  };
  const first = await next();
  if (first === undefined) return undefined;
  if (first.done) return 0;
  const second = await next();
  return second?.done ? first.value.length : undefined;
}

function writeHead({ status, statusText, headers }: Response, to: ServerResponse, length?: number) {
  to.statusCode = status;
  if (statusText !== "") to.statusMessage = statusText;
  for (const [name, value] of headers) {
    if (!OWN_FIELDS.includes(name)) to.setHeader(name, value);
  }
  const cookies = headers.getSetCookie();
  if (cookies.length > 0) to.setHeader("Set-Cookie", cookies);
  // If there is an Upgrade field, Connection has to name it.
  if (headers.has("upgrade")) to.setHeader("Connection", "close, Upgrade");
  // RFC 9110, section 8.6: a 204 has no Content-Length, and a 304 need not have one.
  if (length !== undefined && status !== 204 && status !== 304) {
    to.setHeader("Content-Length", length);
  }
  to.flushHeaders();
}
