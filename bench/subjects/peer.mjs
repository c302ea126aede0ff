/** The npm packages that the bench installed, from outside of the repository. */

import { join } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";

/**
 * Imports a package from the directory that `LENGTHWISE_BENCH_PEERS` names.
 *
 * @param {string} name The package.
 * @param {string} entry Its main file: `exports` is not looked up for a path.
 */
export function peer(name, entry) {
  const directory = process.env.LENGTHWISE_BENCH_PEERS ?? ".";
  return import(pathToFileURL(join(directory, "node_modules", name, entry)).href);
}
