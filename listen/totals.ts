/**
 * The sums of all connections of a server, of those that have ended too. A connection counts for
 * itself while it is open: so nothing is paid for a message, and little when a connection ends.
 */

import type { CloseInfo, Connection, ConnectionStats } from "../connection.ts";
import { Distribution, LONG_TIMES, SHORT_TIMES } from "../internal/distribution.ts";
import { END_REASONS, endReason } from "./ends.ts";
import type { DropCause, EndReason, ServerStats } from "./types.ts";

/** What is summed up here. */
export type TotalStats =
  & Omit<
    ServerStats,
    "accepted" | "refused" | "refusals" | "dropped" | "acceptErrors" | "handlerErrors" | "drops"
  >
  & { readonly drops: Readonly<Record<Exclude<DropCause, "stray">, number>> };

/** What a connection counts that goes into a sum. A session has more to tell. */
type Counts = ConnectionStats & { readonly resumes?: number };

/** The sums. */
export class Totals {
  /** Times of heartbeats and pings. */
  readonly roundTrips: Distribution = new Distribution(SHORT_TIMES);
  /** How long connections were open. */
  readonly #lifetimes = new Distribution(LONG_TIMES);
  readonly #ended = Object.fromEntries(END_REASONS.map((reason) => [reason, 0])) as Record<
    EndReason,
    number
  >;
  readonly #sum = newSum();
  #undeliveredBytes = 0;
  #discardedBytes = 0;

  /** A connection has ended, and counts no more. */
  ended({ stats }: Pick<Connection, "stats">, info: CloseInfo): void {
    add(this.#sum, stats);
    this.#ended[endReason(info)]++;
    this.#undeliveredBytes += info.undeliveredBytes;
    this.#discardedBytes += info.unreadBytes;
    // The clock of the system may have been set back.
    this.#lifetimes.add(Math.max(Date.now() - stats.openedAt, 0));
  }

  /** The sums as of now, with those of the open connections. */
  stats(open: ReadonlySet<Pick<Connection, "stats">>): TotalStats {
    const sum = { ...this.#sum };
    const waiting = { bufferedBytes: 0, unreadBytes: 0, unreadMessages: 0 };
    for (const { stats } of open) {
      add(sum, stats);
      waiting.bufferedBytes += stats.bufferedBytes;
      waiting.unreadBytes += stats.unreadBytes;
      waiting.unreadMessages += stats.unreadMessages;
    }
    const { refused, slowConsumer, missed, ...messages } = sum;
    return {
      open: open.size,
      ended: { ...this.#ended },
      ...messages,
      drops: { slowConsumer, refused, missed },
      undeliveredBytes: this.#undeliveredBytes,
      discardedBytes: this.#discardedBytes,
      ...waiting,
      lifetimes: this.#lifetimes.snapshot(),
      roundTripTimes: this.roundTrips.snapshot(),
    };
  }
}

function newSum() {
  return {
    messagesReceived: 0,
    messagesSent: 0,
    bytesReceived: 0,
    bytesSent: 0,
    slowConsumer: 0,
    refused: 0,
    missed: 0,
    resumes: 0,
  };
}

function add(sum: ReturnType<typeof newSum>, stats: Counts): void {
  sum.messagesReceived += stats.messagesReceived;
  sum.messagesSent += stats.messagesSent;
  sum.bytesReceived += stats.bytesReceived;
  sum.bytesSent += stats.bytesSent;
  sum.slowConsumer += stats.messagesDropped - stats.messagesRefused;
  sum.refused += stats.messagesRefused;
  sum.missed += stats.messagesMissed;
  sum.resumes += stats.resumes ?? 0;
}
