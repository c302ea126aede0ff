/**
 * Connecting: `connect()` makes one connection, `reconnect()` one after another. Run as a program,
 * this is the message client; `deno run --allow-net client.ts --help` tells how.
 *
 * @module
 */

import { isBundled } from "./internal/bundled.ts";

export * from "./connect/connect.ts";

// In a bundle, the main module is the program that was bundled, and not this one.
if (import.meta.main && !isBundled) {
  import("./programs/client/main.ts").then(({ main }) => main(Deno.args));
}
