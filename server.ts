/**
 * Listening: `listen()` opens endpoints and gives a stream of connections. This module is also a
 * program, the message server. `deno run --allow-net server.ts --help` shows how to use it.
 *
 * @module
 */

import { isBundled } from "./internal/bundled/server.ts";

export * from "./listen/listen.ts";

// In a bundle, the main module is the program that was bundled, and not this module.
if (import.meta.main && !isBundled) {
  import("./programs/server/main.ts").then(({ main }) => main(Deno.args));
}
