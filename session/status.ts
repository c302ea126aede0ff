/** What a session is doing, for programs that want to watch it. */

/** What a session is doing. */
export interface SessionStatus {
  /**
   * `connected`; `reconnecting` while there is no carrier; `draining` when the server asks its
   * clients to open another session elsewhere; `closed` in order or by this end; `lost`.
   */
  readonly state: "connected" | "reconnecting" | "draining" | "lost" | "closed";
  /** The reason in words: the server's text when it drains. */
  readonly reason?: string;
  /** What went wrong. */
  readonly error?: unknown;
  /** The number of the next attempt to reconnect, from 1. Only a client makes attempts. */
  readonly attempt?: number;
}

/** The current status, and the readers that wait for the next one. */
export class StatusBoard {
  #current: SessionStatus = { state: "connected" };
  #version = 1;
  #changed: PromiseWithResolvers<void> | undefined;

  /** The current status. */
  get current(): SessionStatus {
    return this.#current;
  }

  /** Whether the current status is the last one. */
  get isFinal(): boolean {
    return this.#current.state === "closed" || this.#current.state === "lost";
  }

  /** Shows a new status. After the last one, nothing is shown. */
  show(status: SessionStatus): void {
    if (this.isFinal) return;
    this.#current = status;
    this.#version++;
    this.#changed?.resolve();
    this.#changed = undefined;
  }

  /**
   * The current status and those that follow, up to the last. A slow reader gets only the newest.
   */
  async *watch(): AsyncGenerator<SessionStatus, void, void> {
    for (let seen = 0; !this.isFinal || seen < this.#version;) {
      if (seen === this.#version) await (this.#changed ??= Promise.withResolvers<void>()).promise;
      seen = this.#version;
      yield this.#current;
    }
  }
}
