/** Why a session is refused or reset, as numbers on the wire. */

/** Codes of REFUSED and RESET frames; docs/protocol.md says when each is sent. */
export const SessionCode = {
  /** The peer speaks no version of the protocol that this end speaks. */
  VERSION: 1,
  /** There is no session with this id: it expired, was closed, or never was. */
  UNKNOWN: 2,
  /** The session belongs to another peer, by its certificate or its user. */
  DENIED: 3,
  /** There are too many sessions. Trying again later may help. */
  FULL: 4,
  /** The server is closing; another one may take its place. */
  CLOSING: 5,
  /** No HELLO came in time. */
  TIMEOUT: 6,
  /** A frame is too short, too long, or has an impossible value. */
  MALFORMED: 7,
  /** A frame has a type that this version does not have. */
  TYPE: 8,
  /** A frame is not allowed now: anything before HELLO, or a second HELLO. */
  UNEXPECTED: 9,
  /** A frame is larger than 65 536 bytes. */
  TOO_LARGE: 10,
  /** Bytes are missing before those that came. */
  GAP: 11,
  /** More is acknowledged than was sent, or less than before. */
  ACKNOWLEDGED: 12,
  /** Bytes beyond the receive limit. */
  CREDIT: 13,
  /** Bytes after the end, or a second end. */
  ENDED: 14,
  /** The program at the other end aborted the session. */
  ABORTED: 15,
  /** The peer stayed away for longer than the retention time; never on the wire. */
  EXPIRED: 16,
  /** The client has made a later attempt. */
  STALE: 17,
  /** The server wants a token, and the first message was not this token. */
  TOKEN: 18,
  /** The server's program has refused this client. */
  UNAUTHORIZED: 19,
  /** The server of the session has gone, says another one of its cluster. */
  GONE: 20,
} as const;

/** Whether trying again may help after a refusal with this code. */
export function isRetriableCode(code: number): boolean {
  return code === SessionCode.FULL || code === SessionCode.CLOSING ||
    code === SessionCode.TIMEOUT || code === SessionCode.STALE;
}
