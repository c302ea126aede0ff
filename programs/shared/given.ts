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

/**
 * Reads a file of bytes.
 *
 * @param name What to call it in an error.
 * @throws {Error} if it cannot be read, or is larger than the limit. The error says what to do.
 */
export async function readBytes(
  name: string,
  file: string,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  await requireFile("read", file, name);
  try {
    const { size } = await Deno.stat(file);
    if (size <= maxBytes) return await Deno.readFile(file);
  } catch (error) {
    throw new Error(`${name}: ${reasonOf(error)}`, { cause: error });
  }
  throw new Error(`${name}: it is too large, limit is ${maxBytes} bytes`);
}

/**
 * Looks whether a file may be used.
 *
 * @throws {Error} if it may not. The error names the flag that permits it.
 */
export async function requireFile(
  permission: "read" | "write" | "run",
  file: string,
  name = file,
): Promise<void> {
  const { state } = await Deno.permissions.query(
    permission === "run" ? { name: permission, command: file } : { name: permission, path: file },
  );
  if (state === "granted") return;
  throw new Error(`${name}: no permission; run with --allow-${permission}=${file}`);
}

/**
 * The bytes of a file that is an operand. Whoever stops reading closes the file.
 *
 * @throws {Error} if it cannot be opened. The error names the file and says what to do.
 */
export async function readable(file: string): Promise<ReadableStream<Uint8Array>> {
  await requireFile("read", file);
  try {
    return (await Deno.open(file)).readable;
  } catch (error) {
    throw new Error(`${file}: ${reasonOf(error)}`, { cause: error });
  }
}

/** An environment variable. Undefined if it is not set or may not be read. */
export function variable(name: string): string | undefined {
  const { state } = Deno.permissions.querySync({ name: "env", variable: name });
  return state === "granted" ? Deno.env.get(name) || undefined : undefined;
}
