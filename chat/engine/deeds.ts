/** What changes the chat. */

import type { SaidEvent } from "./events.ts";
import type { Person } from "./member.ts";

/**
 * Something that changes the chat. `who` does it. It is asked for when a member wants it, and happens
 * when its turn comes: in a chat of one process that is at once.
 */
export type Deed =
  /** A newcomer becomes a member, in the lobby. */
  | { readonly do: "come"; readonly who: Person }
  | { readonly do: "go"; readonly who: Person }
  | SayDeed
  | { readonly do: "move"; readonly who: Person; readonly room: string }
  /** Takes a name, perhaps from the connection that had it before. */
  | { readonly do: "name"; readonly who: Person; readonly name: string; readonly over?: Person }
  /** Wants to know the key that takes the name over from this connection. */
  | { readonly do: "key"; readonly who: Person }
  | { readonly do: "topic"; readonly who: Person; readonly text: string }
  | { readonly do: "away"; readonly who: Person; readonly text?: string }
  | { readonly do: "silent"; readonly who: Person }
  | {
    readonly do: "tell";
    readonly who: Person;
    readonly name: string;
    readonly to?: Person;
    readonly text: string;
  }
  | { readonly do: "ignore"; readonly who: Person; readonly name: string }
  | { readonly do: "unignore"; readonly who: Person; readonly name: string }
  /** Becomes an operator. */
  | { readonly do: "operate"; readonly who: Person }
  | {
    readonly do: "kick";
    readonly who: Person;
    readonly name: string;
    readonly whom?: Person;
    readonly reason: string;
  }
  | { readonly do: "ban"; readonly who: Person; readonly name: string; readonly whom?: Person }
  | { readonly do: "unban"; readonly who: Person; readonly name: string }
  | { readonly do: "announce"; readonly who: Person; readonly text: string };

/** Something is said. */
export interface SayDeed {
  readonly do: "say";
  readonly who: Person;
  readonly kind: SaidEvent["type"];
  readonly text: string;
  /** What its sender calls it: with the same name it is said once. */
  readonly ref?: string;
}

/** When and as what a deed happens, where that is not decided here. */
export interface Stamp {
  /** The number of the deed: a message's id. */
  readonly id: number;
  /** In milliseconds since 1970. */
  readonly time: number;
  /** What is said was shown to the members here already, under this name. */
  readonly provisional?: string;
}
