/** Names of files that are safe on every system, and the names of unfinished files. */

import { createHash } from "node:crypto";
import { join } from "node:path";
import { fileError } from "./errors.ts";
import { infoOf } from "./regular.ts";

/** The longest name, in bytes of UTF-8: common file systems accept so many. */
export const MAX_NAME_BYTES = 255;
const PART_SUFFIX = ".lengthwise-part";

/** Control characters, line separators, and characters that change the direction of text. */
// deno-lint-ignore no-control-regex
const UNSEEN = /[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/;
const SPECIAL = /[<>:"/\\|?*]/;
const DEVICE = /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$) *(\.|$)/i;

const encoder = new TextEncoder();

/**
 * Checks that a name is that of a plain file in one directory, with the same rules on every system.
 * A name must not begin with a dot: dots hide files and mark unfinished files.
 *
 * @throws {RequestError} `invalid-name`
 */
export function checkName(name: unknown): asserts name is string {
  const state = stateOf(name);
  if (state === undefined) return;
  const shown = typeof name === "string" ? JSON.stringify(name.slice(0, 64)) : typeof name;
  throw fileError("invalid-name", `take name ${shown}`, state);
}

/** Whether {@linkcode checkName} accepts a name. */
export function isName(name: string): boolean {
  return stateOf(name) === undefined;
}

function stateOf(name: unknown): string | undefined {
  if (typeof name !== "string") return "it is no text";
  if (name === "") return "it is empty";
  if (name.length > MAX_NAME_BYTES || encoder.encode(name).length > MAX_NAME_BYTES) {
    return `it is longer than ${MAX_NAME_BYTES} bytes`;
  }
  if (!name.isWellFormed()) return "it is not Unicode";
  if (UNSEEN.test(name)) return "it has control characters";
  if (SPECIAL.test(name)) return 'none of < > : " / \\ | ? * may be in it';
  if (name.startsWith(".")) return "it begins with a dot";
  if (/[. ]$/.test(name)) return "it ends with a dot or a space";
  if (DEVICE.test(name)) return "some systems keep it for a device";
}

/**
 * What names are compared by. One letter can be written in several ways in Unicode: `é` is one
 * character for most keyboards, and a letter with an accent behind it in the names of a Mac's files.
 */
export function nameKey(name: string): string {
  return name.normalize("NFC");
}

/**
 * The name under which a file is in a directory: the name itself, or another one that is the same to
 * its readers. If there is none, the name itself.
 */
export async function storedName(directory: string, name: string): Promise<string> {
  // What has no letter that could be written otherwise need not be looked for.
  if (/^[\0-\x7f]*$/.test(name) || await infoOf(join(directory, name)) !== undefined) return name;
  const key = nameKey(name);
  let found: string | undefined;
  for await (const { name: other } of Deno.readDir(directory)) {
    // Always the same one, if there are several.
    if (nameKey(other) === key && (found === undefined || other < found)) found = other;
  }
  return found ?? name;
}

/** The name of a file while it is unfinished, the same however its letters are written. If the name is long, only its digest fits. */
export function partName(name: string): string {
  const key = nameKey(name);
  const part = `.${key}${PART_SUFFIX}`;
  if (encoder.encode(part).length <= MAX_NAME_BYTES) return part;
  return `.${createHash("sha256").update(key).digest("hex")}${PART_SUFFIX}`;
}

/** Whether this is the name of an unfinished file. */
export function isPartName(name: string): boolean {
  return name.startsWith(".") && name.endsWith(PART_SUFFIX);
}
