/**
 * Nothing in the page grows without end, and nothing waits for ever.
 *
 * @module
 */

/** Entries kept in the window. */
export const MAX_ENTRIES = 1000;
/** Characters of one line that is sent; the server has the last word. */
export const MAX_LINE = 4096;
/** Characters of one text that are shown. */
export const MAX_SHOWN = 20_000;
/** Lines kept for the arrow keys, lines waiting to be sent, private messages kept across rooms. */
export const MAX_KEPT = 100;
/** People and rooms listed. */
export const MAX_LISTED = 500;
/** Messages asked for at once. */
export const PAGE = 50;
/** Pages asked for after an outage before the gap is left to scrolling. */
export const MAX_GAP_PAGES = 9;

// From here on: milliseconds.

/** From asking for a socket to the server's welcome. */
export const HELLO_TIMEOUT = 10_000;
/** From a question, or a message, to what it brings. */
export const REPLY_TIMEOUT = 10_000;
/** The same over a session, which takes its time to notice that its network is gone, and goes on. */
export const SESSION_REPLY_TIMEOUT = 60_000;
/** Silence after which the server is asked whether it is still there. */
export const IDLE_TIMEOUT = 30_000;
/** For taking the name and the room from before an outage again. */
export const RESTORE_TIMEOUT = 5_000;
/** Messages of one person this close together are shown under one name. */
export const SAME_BREATH = 5 * 60_000;
