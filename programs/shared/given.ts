/** Files and variables that the programs are told to use, without ever asking for a permission. */

import { reasonOf } from "../../internal/reason.ts";

/**
 * The text of a file.
 *
 * @throws {Error} naming the option and what to do.
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

/** An environment variable, if it is set and may be read. */
export function variable(name: string): string | undefined {
  const { state } = Deno.permissions.querySync({ name: "env", variable: name });
  return state === "granted" ? Deno.env.get(name) || undefined : undefined;
}
