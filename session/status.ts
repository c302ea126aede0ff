/** What a session is doing, for whoever wants to watch. */

/** What a session is doing. */
export interface SessionStatus {
  /**
   * `connected`; `reconnecting` while there is no carrier; `draining` when the server wants its clients
   * to go elsewhere; `closed` in order or by this end; `lost`.
   */
  readonly state: "connected" | "reconnecting" | "draining" | "lost" | "closed";
  /** Why, in words: what the server said when it drains. */
  readonly reason?: string;
  /** What went wrong. */
  readonly error?: unknown;
  /** Which attempt to reconnect in a row is next, from 1; only a client makes attempts. */
  readonly attempt?: number;
}

/** The current status, and those who wait for the next one. */
export class StatusBoard {
  #current: SessionStatus = { state: "connected" };
  #version = 1;
  #changed: PromiseWithResolvers<void> | undefined;

  /** The current one. */
  get current(): SessionStatus {
    return this.#current;
  }

  /** Whether there will be no other. */
  get isFinal(): boolean {
    return this.#current.state === "closed" || this.#current.state === "lost";
  }

  /** Shows another one; nothing follows the last. */
  show(status: SessionStatus): void {
    if (this.isFinal) return;
    this.#current = status;
    this.#version++;
    this.#changed?.resolve();
    this.#changed = undefined;
  }

  /** The current one and those that follow, up to the last. Whoever is slow gets the newest. */
  async *watch(): AsyncGenerator<SessionStatus, void, void> {
    for (let seen = 0; !this.isFinal || seen < this.#version;) {
      if (seen === this.#version) await (this.#changed ??= Promise.withResolvers<void>()).promise;
      seen = this.#version;
      yield this.#current;
    }
  }
}
