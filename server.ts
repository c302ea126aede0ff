/**
 * Listening: `listen()` opens endpoints and gives a stream of connections. This module is also a
 * program, the message server. `deno run --allow-net server.ts --help` shows how to use it.
 *
 * @module
 */

import { isBundled } from "./internal/bundled/server.ts";

export * from "./listen/listen.ts";

/**
 * Runs the program with the arguments of a command line, and ends the process. This is for programs
 * that are bundled into one file: as a part of a bundle, this module starts nothing by itself.
 *
 * @example The message server, for esbuild and Rollup
 * ```ts ignore
 * import { main } from "@lengthwise/lengthwise/server";
 *
 * main(Deno.args);
 * ```
 */
export async function main(args: readonly string[]): Promise<never> {
  const program = await import("./programs/server/main.ts");
  return await program.main(args);
}

// In a bundle, the main module is the program that was bundled, and not this module.
if (import.meta.main && !isBundled) main(Deno.args);
