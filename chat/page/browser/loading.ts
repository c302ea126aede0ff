/**
 * What is being loaded of a room's history. The server does not say which question a history
 * answers.
 *
 * @module
 */

import type { SaidEvent } from "./events.ts";

/** One thing at a time. `before`: the id before which messages were asked for; `since`: when. */
export type Loading<Anchor = unknown> =
  /** The history that comes on entering a room. */
  | { readonly kind: "entering" }
  /** Nothing that this page asked for by itself. */
  | { readonly kind: "idle" }
  /** Older messages, for a reader who scrolls up. */
  | { readonly kind: "older"; readonly before: number; readonly since: number }
  /** What was said during an outage. */
  | Gap<Anchor>;

/** A part of what was said during an outage: number `pages` of them, which goes before `anchor`. */
export interface Gap<Anchor = unknown> {
  readonly kind: "gap";
  readonly before: number;
  readonly since: number;
  readonly anchor: Anchor;
  readonly pages: number;
}

/** Whether messages answer what was asked for. */
export function answers(
  loading: Loading,
  messages: readonly Pick<SaidEvent, "id">[],
): boolean {
  if (loading.kind === "entering") return true;
  if (loading.kind === "idle") return false;
  const last = messages.at(-1);
  return last === undefined || last.id < loading.before;
}

/** What was asked for is awaited from now on. */
export function askedAgain<Anchor>(loading: Loading<Anchor>, now: number): Loading<Anchor> {
  return "since" in loading ? { ...loading, since: now } : loading;
}

/** What is still awaited: an answer that is late is not waited for. */
export function stillLoading<Anchor>(
  loading: Loading<Anchor>,
  now: number,
  timeout: number,
): Loading<Anchor> {
  const asked = loading.kind === "older" || loading.kind === "gap";
  return asked && now - loading.since > timeout ? { kind: "idle" } : loading;
}
