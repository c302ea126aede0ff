/** Proves that the other side of a handshake speaks WebSocket (RFC 6455, section 1.3). */

import { toBase64 } from "../../internal/encoding.ts";

const KEY_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** The answer to a client's key. */
export async function acceptOf(key: string): Promise<string> {
  const bytes = new TextEncoder().encode(key + KEY_GUID);
  return toBase64(new Uint8Array(await crypto.subtle.digest("SHA-1", bytes)));
}

/** Whether a key is 16 bytes in base64. */
export function isKey(key: string): boolean {
  return /^[+/0-9A-Za-z]{22}==$/.test(key);
}

/** A new key: 16 bytes in base64. */
export function newKey(): string {
  return toBase64(crypto.getRandomValues(new Uint8Array(16)));
}
