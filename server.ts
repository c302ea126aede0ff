/**
 * Listening: `listen()` opens endpoints and gives a stream of connections. Run as a program, this is
 * the message server; `deno run --allow-net server.ts --help` tells how.
 *
 * @module
 */

export * from "./listen/listen.ts";

if (import.meta.main) {
  import("./programs/server/main.ts").then(({ main }) => main(Deno.args));
}
