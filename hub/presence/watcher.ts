/** The changes of a room that one reader has not read yet. */

import type { PresenceChange, PresenceMember } from "./types.ts";

type Kind = PresenceChange["kind"];

/** What waits of one member, and what comes then, make one: or none, if the reader never saw it. */
const JOINED: Record<Kind, Record<Kind, Kind | undefined>> = {
  join: { join: "join", update: "join", leave: undefined },
  update: { join: "update", update: "update", leave: "leave" },
  leave: { join: "update", update: "update", leave: "leave" },
};

/** Keeps at most one change for each member. */
export class Watcher {
  readonly #waiting = new Map<string, PresenceChange>();
  #state: "open" | "ended" = "open";
  #news = Promise.withResolvers<void>();

  /** How many changes wait. */
  get size(): number {
    return this.#waiting.size;
  }

  /** Somebody has come or gone, or has other data. */
  add(kind: Kind, member: PresenceMember): void {
    const before = this.#waiting.get(member.id)?.kind;
    const joined = before === undefined ? kind : JOINED[before][kind];
    if (joined === undefined) this.#waiting.delete(member.id);
    else this.#waiting.set(member.id, { kind: joined, member });
    this.#news.resolve();
  }

  /** No further change will come. */
  end(): void {
    this.#state = "ended";
    this.#news.resolve();
  }

  /** Takes the next change, and waits for it; undefined at the end. */
  async next(signal?: AbortSignal): Promise<PresenceChange | undefined> {
    const aborted = () => this.#news.resolve();
    signal?.addEventListener("abort", aborted);
    try {
      for (;;) {
        signal?.throwIfAborted();
        const next = this.#waiting.entries().next();
        if (!next.done) {
          const [id, change] = next.value;
          this.#waiting.delete(id);
          return change;
        }
        if (this.#state === "ended") return undefined;
        this.#news = Promise.withResolvers();
        await this.#news.promise;
      }
    } finally {
      signal?.removeEventListener("abort", aborted);
    }
  }
}
