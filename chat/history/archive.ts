/**
 * The history as the chat uses it. When the history fails, this is reported once, and members can
 * go on talking privately.
 */

import type { SaidEvent } from "../engine/events.ts";
import type { History, HistoryEntry, NumberedHistory } from "./history.ts";

/** Calls a history, and remembers whether the last call worked. */
export class Archive {
  readonly #history: History;
  readonly #onError: (error: unknown) => void;
  #state: "works" | "fails" = "works";

  /** `onError` is called when the history begins to fail. */
  constructor(history: History, onError: (error: unknown) => void) {
    this.#history = history;
    this.#onError = onError;
  }

  /**
   * Keeps a message, which may have its id already if the history can take it. Returns undefined if
   * that failed. Then the message must not be shown.
   */
  add(entry: Omit<HistoryEntry, "id">, id?: number): HistoryEntry | undefined {
    return this.#try((history) =>
      id === undefined ? history.add(entry) : (history as NumberedHistory).put({ ...entry, id })
    );
  }

  /** The last messages of a room, under the name that it has now. */
  last(place: NamedArchive, count: number, before?: number): SaidEvent[] | undefined {
    return this.#try((history) => said(history.last(place.archive, count, before), place));
  }

  /** The first messages of a room with a higher id, under the name that it has now. */
  since(place: NamedArchive, count: number, after: number): SaidEvent[] | undefined {
    return this.#try((history) => said(history.since(place.archive, count, after), place));
  }

  /** The messages of a room that contain all words of the query. */
  search(place: NamedArchive, query: string, count: number): SaidEvent[] | undefined {
    return this.#try((history) => said(history.search(place.archive, query, count), place));
  }

  /** The id of a room's newest message. 0 if there is none. */
  lastId(archive: string): number {
    return this.#try((history) => history.lastId(archive)) ?? 0;
  }

  /** A value that was kept with `set()`, also by an earlier process. */
  get(key: string): string | undefined {
    return this.#try((history) => history.get(key));
  }

  /** Keeps a value. Returns whether that worked. */
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

/** The name of a room, and the name under which its messages are kept. */
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
