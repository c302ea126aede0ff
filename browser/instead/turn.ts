/** Turns of sockets in a page: its browser reads and writes them. */

/** Resolves at once. */
export function turnOver(): Promise<void> {
  return Promise.resolve();
}
