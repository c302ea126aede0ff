/** Notices: what the chat says in its own words, each with a code for programs. */

/**
 * What a notice means. The words of a notice may change. Its code does not change. docs/chat.md
 * says when each code is used.
 */
export type NoticeCode =
  // Why the connection ends.
  | "kicked"
  | "banned"
  | "disconnected-flood"
  | "disconnected-token"
  | "taken-over"
  | "closing"
  | "bye"
  // Lines that were not taken.
  | "usage"
  | "no-such-command"
  | "slow-down"
  | "line-dropped"
  | "line-too-long"
  | "not-said"
  | "said-already"
  // Names and members.
  | "name-taken"
  | "name-banned"
  | "name-invalid"
  | "key"
  | "no-such-member"
  | "not-heard"
  | "not-yourself"
  // Rooms and history.
  | "room-invalid"
  | "room-full"
  | "room-already"
  | "rooms-full"
  | "topic"
  | "topic-too-long"
  | "topic-not-kept"
  | "history-failed"
  | "query-too-long"
  | "crowd"
  // Being away, and ignoring.
  | "away-too-long"
  | "not-away"
  | "ignoring"
  | "ignore-list"
  | "ignored-too-many"
  | "not-ignored"
  | "hearing-again"
  // Operators.
  | "operator"
  | "operator-none"
  | "operator-wrong-token"
  | "operator-too-many-tokens"
  | "member-kicked"
  | "member-banned"
  | "ban-list"
  | "ban-added"
  | "ban-not-kept"
  | "ban-ended"
  | "not-banned"
  | "announcement"
  | "stats"
  // A chat of many servers.
  | "apart"
  | "together"
  | "name-lost"
  // Answers.
  | "help";

/** Further fields of a notice. docs/chat.md says which code has which fields. */
export interface NoticeFields {
  /** The member that it is about. */
  readonly name?: string;
  /** Names of members, or banned names. */
  readonly names?: readonly string[];
  /** The room that it is about. */
  readonly room?: string;
  /** The member who did it. */
  readonly by?: string;
  /** Why it was done, in the words of the member who did it. */
  readonly reason?: string;
  /** The command that it is about, without its slash. */
  readonly command?: string;
  /** The largest allowed value. */
  readonly limit?: number;
  /** What the member called its message with `/once`. */
  readonly ref?: string;
  /** The id of the message. */
  readonly id?: number;
  /** What takes the member's name over from another connection. */
  readonly key?: string;
}

/** Something that the chat says in its own words. */
export interface NoticeEvent extends NoticeFields {
  /** Always this. */
  readonly type: "notice";
  /** What it means. */
  readonly code: NoticeCode;
  /** The words, for people. */
  readonly text: string;
  /** True if something was refused. Otherwise the field is missing. */
  readonly error?: true;
}

/** The codes that report no error. */
const NEWS: ReadonlySet<NoticeCode> = new Set(
  [
    "bye",
    "said-already",
    "topic",
    "crowd",
    "ignoring",
    "ignore-list",
    "hearing-again",
    "operator",
    "member-kicked",
    "member-banned",
    "ban-list",
    "ban-added",
    "ban-ended",
    "key",
    "announcement",
    "stats",
    "together",
    "help",
  ] as const,
);

/** Makes a notice. */
export function notice(code: NoticeCode, text: string, fields: NoticeFields = {}): NoticeEvent {
  const error = NEWS.has(code) ? {} : { error: true as const };
  return { type: "notice", code, text, ...error, ...fields };
}
