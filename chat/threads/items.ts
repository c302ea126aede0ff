/** What goes between a thread of the chat and the one that has its order. */

import type { HistoryEntry } from "../history/history.ts";

/** What a thread tells. */
export type Up =
  /** It wants to know what the others know. */
  | { readonly do: "load" }
  /** It is the server of this name, and wants all entries after a number. */
  | { readonly do: "read"; readonly after: number; readonly server: string }
  | { readonly do: "append" | "beat"; readonly bytes: Uint8Array }
  /** What the others know, as far as it has read. */
  | { readonly do: "written"; readonly known: Known }
  /** So many bytes of entries have been taken. */
  | { readonly do: "took"; readonly bytes: number };

/** What a thread is told. */
export type Down =
  /** What the others know; with nobody there, nothing but the number of the last entry. */
  | { readonly do: "loaded"; readonly known: Known }
  | {
    readonly do: "entry";
    readonly seq: number;
    readonly time: number;
    readonly bytes: Uint8Array;
  }
  | { readonly do: "beat"; readonly bytes: Uint8Array }
  /** Somebody wants to know what it knows. */
  | { readonly do: "write" }
  /** A thread has ended. */
  | { readonly do: "gone"; readonly server: string };

/** The state of the chat after an entry, and what was said. */
export interface Known {
  readonly at: number;
  readonly state?: string;
  readonly history?: readonly HistoryEntry[];
}
