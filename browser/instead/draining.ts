/** The server sends a session elsewhere: a page is only told. */

/** As the whole of it, for a client. */
export class Draining {
  /** Why the client is to go elsewhere; undefined as long as it need not. */
  reason: string | undefined;

  /** Only a server has something to do. */
  start(): void {}

  /** Only a server has something to do. */
  stop(): void {}

  /** Refuses. */
  tell(): never {
    throw new TypeError("Cannot drain session: only a server can");
  }

  /** The server has said it. */
  told(reason: string): void {
    this.reason = reason;
  }

  /** Only a server has something to say. */
  next(): undefined {}
}
