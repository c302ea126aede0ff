/** The history as the chat uses it: what fails is told once, and keeps nobody from talking to others. */

import type { SaidEvent } from "../engine/events.ts";
import type { History, HistoryEntry } from "./history.ts";

/** Calls a history, and remembers whether it works. */
export class Archive {
  readonly #history: History;
  readonly #onError: (error: unknown) => void;
  #state: "works" | "fails" = "works";

  /** `onError` is told when the history begins to fail. */
  constructor(history: History, onError: (error: unknown) => void) {
    this.#history = history;
    this.#onError = onError;
  }

  /** Keeps a message; undefined when that failed, and the message must not be shown. */
  add(entry: Omit<HistoryEntry, "id">): HistoryEntry | undefined {
    return this.#try((history) => history.add(entry));
  }

  /** The last messages of a room, under the name that it has now. */
  last(place: NamedArchive, count: number, before?: number): SaidEvent[] | undefined {
    return this.#try((history) => said(history.last(place.archive, count, before), place));
  }

  /** Messages of a room with all the words. */
  search(place: NamedArchive, query: string, count: number): SaidEvent[] | undefined {
    return this.#try((history) => said(history.search(place.archive, query, count), place));
  }

  /** The id of a room's newest message, 0 for none. */
  lastId(archive: string): number {
    return this.#try((history) => history.lastId(archive)) ?? 0;
  }

  /** A value that outlives the process. */
  get(key: string): string | undefined {
    return this.#try((history) => history.get(key));
  }

  /** Keeps a value; returns whether that worked. */
  set(key: string, value: string | undefined): boolean {
    return this.#try((history) => (history.set(key, value), true)) ?? false;
  }

  #try<R>(call: (history: History) => R): R | undefined {
    try {
      const result = call(this.#history);
      this.#state = "works";
      return result;
    } catch (error) {
      if (this.#state === "works") this.#onError(error);
      this.#state = "fails";
    }
  }
}

/** A room's name, and the one that its messages are kept under. */
interface NamedArchive {
  readonly name: string;
  readonly archive: string;
}

function said(entries: readonly HistoryEntry[], { name: room }: NamedArchive): SaidEvent[] {
  return entries.map(({ id, kind, name, text, time }) => ({
    type: kind,
    id,
    room,
    name,
    text,
    time,
  }));
}
