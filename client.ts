/**
 * Connecting: `connect()` makes one connection, `reconnect()` makes one after another. This module
 * is also a program, the message client. `deno run --allow-net client.ts --help` shows how to use
 * it.
 *
 * @module
 */

import { isBundled } from "./internal/bundled/client.ts";

export * from "./connect/connect.ts";

/**
 * Runs the program with the arguments of a command line, and ends the process. This is for programs
 * that are bundled into one file: as a part of a bundle, this module starts nothing by itself.
 *
 * @example The message client, for esbuild and Rollup
 * ```ts ignore
 * import { main } from "@lengthwise/lengthwise/client";
 *
 * main(Deno.args);
 * ```
 */
export async function main(args: readonly string[]): Promise<never> {
  const program = await import("./programs/client/main.ts");
  return await program.main(args);
}

// In a bundle, the main module is the program that was bundled, and not this module.
if (import.meta.main && !isBundled) main(Deno.args);
