/**
 * The client for web pages and workers, as one script that a server hands out: `connect()` over the
 * browser's own WebSocket, with formats, sessions, requests and streams. A smaller script has connections
 * and formats only. Pages need no build step for them.
 *
 * @module
 */

import * as plain from "./browser/plain_script.ts";
import * as whole from "./browser/script.ts";

/** Where the script is. */
export const CLIENT_PATH = "/lengthwise.js";

/** Where the script without sessions and requests is. */
export const PLAIN_CLIENT_PATH = "/lengthwise-plain.js";

const COMMON = {
  "X-Content-Type-Options": "nosniff",
  // It has no secrets, and a page of another origin may need it.
  "Access-Control-Allow-Origin": "*",
  "Cross-Origin-Resource-Policy": "cross-origin",
  // It is asked for anew each time, and answered with 304 while it is the same.
  "Cache-Control": "no-cache",
  "Vary": "Accept-Encoding",
};

interface File {
  readonly type: string;
  readonly packed: string;
  readonly tag: string;
}

const FILES: Readonly<Record<string, File>> = {
  ...filesOf(CLIENT_PATH, whole),
  ...filesOf(PLAIN_CLIENT_PATH, plain),
};

function filesOf(path: string, { SCRIPT, SOURCE_MAP, TAG: tag }: typeof whole) {
  return {
    [path]: { type: "text/javascript; charset=utf-8", packed: SCRIPT, tag },
    [`${path}.map`]: { type: "application/json; charset=utf-8", packed: SOURCE_MAP, tag },
  };
}

/**
 * Answers a request for the client, at `/lengthwise.js`, or for the one without sessions and requests,
 * at `/lengthwise-plain.js`, or for the source map of one, which has `.map` behind that. Undefined for
 * every other path, so that a program answers these itself. The request's body is not read.
 *
 * @example A server with a page of its own
 * ```ts
 * import { listen } from "@lengthwise/lengthwise";
 * import { browserClient } from "@lengthwise/lengthwise/browser";
 *
 * const page = `<!doctype html><script type="module">
 *   import { connect, text } from "/lengthwise.js";
 *   const connection = await connect("ws://" + location.host, { format: text(), session: true });
 *   await connection.send("hello");
 *   document.body.append(await connection.receive());
 * </script>`;
 * const respond = (request: Request) =>
 *   browserClient(request) ?? new Response(page, { headers: { "Content-Type": "text/html" } });
 * await using server = await listen(
 *   "ws://127.0.0.1:0?session=1",
 *   { web: { respond } },
 *   async (connection) => {
 *     for await (const message of connection) await connection.send(message);
 *   },
 * );
 * const script = await fetch(server.endpoints[0].replace("ws", "http").replace(/\?.*|$/, "lengthwise.js"));
 * console.log(script.status, await script.text().then((text) => text.includes("connect"))); // 200 true
 * ```
 */
export function browserClient(request: Request): Response | undefined {
  const { pathname } = new URL(request.url);
  const file = Object.hasOwn(FILES, pathname) ? FILES[pathname] : undefined;
  if (file === undefined) return undefined;
  if (request.method !== "GET" && request.method !== "HEAD") {
    return new Response("This file can only be read\n", {
      status: 405,
      headers: { ...COMMON, "Allow": "GET, HEAD", "Content-Type": "text/plain; charset=utf-8" },
    });
  }
  const isPacked = /\bgzip\b(?!\s*;\s*q=0(?:\.0*)?(?:,|$))/.test(
    request.headers.get("Accept-Encoding") ?? "",
  );
  const headers: Record<string, string> = {
    ...COMMON,
    "Content-Type": file.type,
    "ETag": `"${file.tag}${isPacked ? "-gzip" : ""}"`,
    ...(isPacked && { "Content-Encoding": "gzip" }),
  };
  if (request.headers.get("If-None-Match") === headers.ETag) {
    return new Response(null, { status: 304, headers });
  }
  const packed = Uint8Array.from(atob(file.packed), (character) => character.charCodeAt(0));
  if (isPacked) return new Response(packed, { headers });
  const unpacked = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(unpacked, { headers });
}
