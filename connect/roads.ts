/** Several roads to one service, and what it means if they fail. */

import type { ConnectionSettings } from "../connection/internal.ts";
import { ConnectError } from "../errors.ts";
import { type Endpoint, formatEndpoint } from "../transport.ts";
import { type ConnectOptions, resolveConnect } from "./options.ts";
import type { RoadSession } from "./road_session.ts";

/** An endpoint, and what to connect to it with. */
export interface Place<T> {
  readonly endpoint: string;
  readonly options: ConnectOptions<T>;
}

/** A place whose options were checked. */
export interface Road<T> extends Place<T> {
  readonly wanted: Endpoint;
  readonly name: string;
  readonly settings: ConnectionSettings<T>;
  /** Undefined without sessions. */
  readonly session: RoadSession | undefined;
}

/** Checks a place. */
export function roadTo<T>(place: Place<T>): Road<T> {
  const resolved = resolveConnect(place.endpoint, place.options);
  return { ...place, ...resolved, name: formatEndpoint(resolved.wanted) };
}

/** What was tried, and did not work, in one round over all endpoints. */
export function failuresOf(error: unknown): readonly unknown[] {
  const cause = error instanceof ConnectError ? error.cause : undefined;
  return cause instanceof AggregateError ? cause.errors : [error];
}

/** One error for all endpoints of a round. */
export function together(failures: readonly ConnectError[]): ConnectError {
  if (failures.length === 1) return failures[0];
  const each = failures.map(({ message }) => message.replace(/^Cannot connect to /, ""));
  return new ConnectError(
    `Cannot connect to any of ${failures.length} endpoints: ${each.join("; ")}`,
    { cause: new AggregateError(failures) },
  );
}

/** In an order in which each is equally likely to be at each place (Fisher and Yates). */
export function shuffled<R>(items: readonly R[], random: () => number): R[] {
  const shuffled = [...items];
  for (let i = shuffled.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [shuffled[i], shuffled[j]] = [shuffled[j], shuffled[i]];
  }
  return shuffled;
}
