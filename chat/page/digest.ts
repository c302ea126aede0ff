/**
 * What tells one text from another.
 *
 * @module
 */

import { toBase64 } from "../../internal/encoding.ts";

/** The SHA-256 of a text in UTF-8, as base64. */
export async function digest(text: string): Promise<string> {
  const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return toBase64(new Uint8Array(bytes));
}
