/**
 * What the server means by a notice, as far as the page does more than to show its words.
 *
 * @module
 */

import type { EventOf } from "./events.ts";

/** A code of a notice. */
export type NoticeCode = EventOf<"notice">["code"];

/** What a notice is about. */
export type Meaning = "sent away" | "room refused" | "name refused" | "other";

/** Codes that mean more than their words; the server closes after the first ones. */
const MEANINGS: Partial<Record<NoticeCode, Meaning>> = {
  "kicked": "sent away",
  "banned": "sent away",
  "disconnected-flood": "sent away",
  "disconnected-token": "sent away",
  "taken-over": "sent away",
  "room-invalid": "room refused",
  "room-full": "room refused",
  "rooms-full": "room refused",
  "name-invalid": "name refused",
  "name-banned": "name refused",
  "name-taken": "name refused",
};

/** What a notice of this code means for the page. */
export function meaningOf(code: NoticeCode): Meaning {
  return MEANINGS[code] ?? "other";
}
