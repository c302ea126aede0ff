/**
 * Connecting: `connect()` makes one connection, `reconnect()` one after another. Run as a program,
 * this is the message client; `deno run --allow-net client.ts --help` tells how.
 *
 * @module
 */

export * from "./connect/connect.ts";

if (import.meta.main) {
  import("./programs/client/main.ts").then(({ main }) => main(Deno.args));
}
