/** Reads files and variables for the programs, and never makes Deno ask for a permission. */

import { reasonOf } from "../../internal/reason.ts";

/**
 * Reads a text file.
 *
 * @throws {Error} if it cannot be read. The error names the option and says what to do.
 */
export async function readText(option: string, file: string): Promise<string> {
  const { state } = await Deno.permissions.query({ name: "read", path: file });
  if (state !== "granted") {
    throw new Error(`--${option} ${file}: no permission; run with --allow-read=${file}`);
  }
  try {
    return await Deno.readTextFile(file);
  } catch (error) {
    throw new Error(`--${option} ${file}: ${reasonOf(error)}`, { cause: error });
  }
}

/** An environment variable. Undefined if it is not set or may not be read. */
export function variable(name: string): string | undefined {
  const { state } = Deno.permissions.querySync({ name: "env", variable: name });
  return state === "granted" ? Deno.env.get(name) || undefined : undefined;
}
