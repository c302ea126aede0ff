/**
 * The connection to the server as the link uses it: text comes and goes, and it ends with a code.
 *
 * @module
 */

import { HELLO_TIMEOUT } from "./limits.ts";
import { connect, textFormat } from "./library.ts";

/** What a connection tells. */
export interface SocketUser {
  /** It is open. */
  opened(): void;
  /** A text has come. */
  took(text: string): void;
  /** It has ended, or was never open. */
  ended(code: number | undefined, reason: string): void;
}

/** A connection that is open, or opens. */
export interface Socket {
  /** Sends a text; one that cannot be sent is lost. */
  send(text: string): void;
  /** Ends it. */
  close(): void;
}

/** Connects to a server. */
export function openSocket(endpoint: string, user: SocketUser): Socket {
  const aborter = new AbortController();
  const opening = connect(endpoint, {
    format: textFormat(),
    connectTimeout: HELLO_TIMEOUT,
    signal: aborter.signal,
  });
  let send = (_: string) => {};
  run().catch(() => user.ended(undefined, ""));
  return { send: (text) => send(text), close: () => aborter.abort() };

  async function run(): Promise<void> {
    const connection = await opening;
    send = (text) => void connection.send(text);
    user.opened();
    try {
      for await (const text of connection) user.took(text);
    } catch {
      // How it ended is told below.
    }
    const { code, reason = "" } = await connection.close();
    user.ended(code, reason);
  }
}
