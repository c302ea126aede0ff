/** TLS in the middle of a connection, in a page. */

/** Refuses to start. */
export function startTls(): Promise<never> {
  return Promise.reject(new TypeError("Cannot start TLS in a page: use wss://"));
}
