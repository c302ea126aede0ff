/** What most likely is the case when a measurement gets no answers, or others than it should. */

import { ProtocolError } from "../../../errors.ts";
import type { ClientContext } from "../context.ts";

/** What is known of a peer that has said nothing for too long. */
export interface Silence {
  /** How many answers came before. */
  readonly answers: number;
  /** How many bytes came, of messages or not. */
  readonly bytesReceived: number;
  /** For how long nothing came, in milliseconds. */
  readonly timeout: number;
}

/** Says in words that nothing comes, and why that may be. */
export function silenceOf(
  { options, endpoint }: Pick<ClientContext, "options" | "endpoint">,
  { answers, bytesReceived, timeout }: Silence,
): string {
  if (answers > 0) return `no answer within ${timeout} ms, after ${answers}`;
  if (options.on("chat")) {
    return `nothing that was said came back within ${timeout} ms: the peer is probably no chat`;
  }
  if (bytesReceived > 0) {
    return `${bytesReceived} bytes came within ${timeout} ms, but no whole message: the peer ` +
      `probably has another framing, and "client.ts guess" may tell which`;
  }
  const isWeb = /^(?:wss?|udp):/i.test(endpoint);
  return `nothing came back within ${timeout} ms: the peer is probably no echo server ` +
    `(server.ts --service echo is one)${isWeb ? "" : ", or it has another framing"}`;
}

/** What came, of so many bytes, is no echo of what was sent. */
export function noEcho(length: number, size?: number): ProtocolError {
  const sent = size === undefined ? "" : ` ${size} bytes`;
  return new ProtocolError(
    `the peer is no echo server: it answered${sent} with ${length} bytes; for a chat, say --chat`,
  );
}
