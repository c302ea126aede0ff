/** What both sides of a handshake do with the transport. */

import { writeAll } from "../../internal/bytes.ts";
import type { Transport } from "../../transport.ts";

const encoder = new TextEncoder();

/** Writes all of a text. */
export function writeText(transport: Transport, text: string): Promise<void> {
  return writeAll(transport, encoder.encode(text));
}

/**
 * Runs a handshake on a transport. Closes the transport if the handshake fails or the signal is
 * aborted. When the signal is aborted, rejects with its reason at once, even while the handshake
 * waits.
 */
export async function handshake<R>(
  transport: Transport,
  signal: AbortSignal,
  run: () => Promise<R>,
): Promise<R> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  try {
    signal.throwIfAborted();
    return await Promise.race([aborted, run()]);
  } catch (error) {
    transport.close();
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
