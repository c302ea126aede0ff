/**
 * The connection to the server as the link uses it: text comes and goes, and it ends with a code. Where
 * the server has sessions it is one, and outlives its network.
 *
 * @module
 */

import { backoff, connect, openAt, SESSION_SUBPROTOCOL, textFormat } from "./library.ts";
import { HELLO_TIMEOUT, REPLY_TIMEOUT } from "./limits.ts";
import { isLoss, lossWords, WANTS_TOKEN, wantsToken } from "./losses.ts";

type Opened = Awaited<ReturnType<typeof connect<string>>>;
type OpenedSession = Awaited<ReturnType<typeof openAt<string>>>;

/** Where to connect to, and how. */
export interface Destination {
  readonly endpoint: string;
  /** Other servers of the chat, over which a session may go on. */
  readonly others: readonly string[];
  /** Whether the server has sessions, and this browser too. */
  readonly isSession: boolean;
  /** What the server wants first, if it wants something. */
  readonly token: string | undefined;
}

/** What a connection tells. */
export interface SocketUser {
  /** It is open. */
  opened(): void;
  /** A text has come. */
  took(text: string): void;
  /** It has no network; the next attempt is at `until`. `reason`: why, if that is known. */
  interrupted(reason: string, until: number): void;
  /** It goes on: nothing is lost. */
  resumed(): void;
  /** It cannot go on, and ends: what was sent last may be lost. */
  forgotten(reason: string): void;
  /** It has ended, or was never open. */
  ended(code: number | undefined, reason: string): void;
}

/** A connection that is open, or opens. */
export interface Socket {
  /** Whether it outlives its network. */
  readonly isSession: boolean;
  /** Sends a text; one that cannot be sent is lost. */
  send(text: string): void;
  /** Tries at once to go on. */
  hurry(): void;
  /** Ends it. */
  close(): void;
}

/** Connects to a server. */
export function openSocket(
  { endpoint, others, isSession, token }: Destination,
  user: SocketUser,
): Socket {
  const aborter = new AbortController();
  const options = {
    format: textFormat(),
    connectTimeout: HELLO_TIMEOUT,
    signal: aborter.signal,
  };
  let send = (_: string) => {};
  let close = () => aborter.abort();
  run().catch((error) => user.ended(wantsToken(error) ? WANTS_TOKEN : undefined, lossWords(error)));
  return {
    isSession,
    send: (text) => send(text),
    // For what waits for the network.
    hurry: () => void (isSession && globalThis.dispatchEvent(new Event("online"))),
    close: () => close(),
  };

  async function run(): Promise<void> {
    const connection = isSession ? await openSession() : await connect(endpoint, options);
    send = (text) => void connection.send(text);
    if (!isSession && token !== undefined) send(token);
    user.opened();
    await hear(connection);
  }

  async function openSession(): Promise<OpenedSession> {
    const wait = backoff();
    const session = await openAt(endpoint, others, {
      ...options,
      // It goes before all else on every connection that carries the session.
      ...(token !== undefined && { token }),
      web: { subprotocols: [SESSION_SUBPROTOCOL] },
      session: {
        heartbeatTimeout: REPLY_TIMEOUT,
        retry(failure) {
          const delay = wait(failure)!;
          user.interrupted(lossWords(failure.error), Date.now() + delay);
          return delay;
        },
      },
    });
    // In order: so the server takes what was sent, and waits no longer for this window.
    close = () => void session.close();
    watch(session);
    return session;
  }

  async function watch(session: OpenedSession): Promise<void> {
    for await (const _ of session.states()) {
      const { state } = session.status;
      if (state === "connected" || state === "draining") user.resumed();
    }
  }

  async function hear(connection: Opened): Promise<void> {
    try {
      for await (const text of connection) user.took(text);
    } catch {
      // How it ended is told below.
    }
    const { code, reason = "", error } = await connection.close();
    if (isLoss(error)) user.forgotten(lossWords(error));
    user.ended(code, reason || lossWords(error));
  }
}
