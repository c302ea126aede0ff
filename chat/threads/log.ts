/** The log of a chat of several threads, as one of them sees it. */

import type { LogOwner, SavedState, SharedLog } from "../cluster/shared_log.ts";
import type { HistoryEntry } from "../history/history.ts";
import type { Down, Known, Up } from "./items.ts";

/** Entries that were taken are told when they have so many bytes. */
const GRAIN = 256 * 1024;

/** Who uses the log of threads. */
export interface ThreadLogOwner extends LogOwner {
  /** A thread has ended. */
  gone(server: string): void;
  /** The state as of the last entry. */
  write(): SavedState;
}

/** Writes and reads it. It is there as long as its thread. */
export class ThreadLog implements SharedLog {
  readonly isConnected = true;
  readonly isRefused = false;
  readonly problem = undefined;
  readonly #port: MessagePort;
  readonly #server: string;
  readonly #history: () => HistoryEntry[];
  readonly #loaded = Promise.withResolvers<Known>();
  #owner: ThreadLogOwner | undefined;
  #taken = 0;

  /** The log at a port, for the server of this name. `history` gives what was said. */
  constructor(port: MessagePort, server: string, history: () => HistoryEntry[]) {
    this.#port = port;
    this.#server = server;
    this.#history = history;
    port.onmessage = ({ data }) => this.#take(data as Down);
  }

  /** What the others know. */
  load(): Promise<Known> {
    this.#tell({ do: "load" });
    return this.#loaded.promise;
  }

  /** See {@linkcode SharedLog}. */
  append(_id: string, bytes: Uint8Array): Promise<void> {
    this.#tell({ do: "append", bytes });
    return Promise.resolve();
  }

  /** See {@linkcode SharedLog}. */
  read(after: number, owner: ThreadLogOwner): void {
    this.#owner = owner;
    this.#tell({ do: "read", after, server: this.#server });
  }

  /** See {@linkcode SharedLog}. */
  beat(bytes: Uint8Array): void {
    this.#tell({ do: "beat", bytes });
  }

  /** Writes and reads no more. */
  close(): void {
    this.#port.close();
  }

  #tell(item: Up): void {
    this.#port.postMessage(item);
  }

  #take(item: Down): void {
    switch (item.do) {
      case "loaded":
        return this.#loaded.resolve(item.known);
      case "entry":
        this.#took(item.bytes.length);
        return this.#owner?.entry(item);
      case "beat":
        return this.#owner?.beat(item.bytes);
      case "gone":
        return this.#owner?.gone(item.server);
      case "write": {
        const known = { ...this.#owner!.write(), history: this.#history() };
        return this.#tell({ do: "written", known });
      }
    }
  }

  #took(bytes: number): void {
    this.#taken += bytes;
    if (this.#taken < GRAIN) return;
    this.#tell({ do: "took", bytes: this.#taken });
    this.#taken = 0;
  }
}
