/**
 * Connecting: `connect()` makes one connection, `reconnect()` makes one after another. This module
 * is also a program, the message client. `deno run --allow-net client.ts --help` shows how to use
 * it.
 *
 * @module
 */

import { isBundled } from "./internal/bundled/client.ts";

export * from "./connect/connect.ts";

// In a bundle, the main module is the program that was bundled, and not this module.
if (import.meta.main && !isBundled) {
  import("./programs/client/main.ts").then(({ main }) => main(Deno.args));
}
