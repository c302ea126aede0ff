/** Reading on, in a page: its WebSocket says its last word by itself. */

/** Nothing has to be read. */
export function drain(): void {}
