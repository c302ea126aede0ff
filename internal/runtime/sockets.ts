/** The stream sockets of this runtime: Deno's own, or those of `node:net`. */

import { sockets as ofDeno } from "./sockets/deno.ts";
import type { Sockets } from "./stream_socket.ts";
import { requireRuntime, runtime } from "./runtime.ts";

let chosen: Sockets | Promise<Sockets> | undefined;

/**
 * What opens sockets here.
 *
 * @throws {Error} if this runtime has none that can be used.
 */
export function sockets(): Sockets | Promise<Sockets> {
  return chosen ??= choose();
}

function choose(): Sockets | Promise<Sockets> {
  requireRuntime();
  return runtime.name === "Deno"
    ? ofDeno
    : import("./sockets/node.ts").then((node) => node.sockets);
}
