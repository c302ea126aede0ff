/** Which members ignore which names. */

import { keysOf } from "../names/names.ts";
import type { Person } from "./member.ts";

/** How many names one member may ignore. */
export const MAX_IGNORED = 100;

/** Ignored names, by member and by name. A member that changes its name stays ignored. */
export class Ignoring {
  readonly #byName = new Map<string, Set<Person>>();

  /** The members who ignore this name. Undefined if nobody does. */
  of(name: string): ReadonlySet<Person> | undefined {
    return this.#byName.get(ignoreKey(name));
  }

  /** Whether a member ignores this name. */
  has(member: Person, name: string): boolean {
    return member.ignored.has(ignoreKey(name));
  }

  /** Adds a name. Returns false if there are too many. */
  add(member: Person, name: string): boolean {
    const key = ignoreKey(name);
    if (!member.ignored.has(key) && member.ignored.size >= MAX_IGNORED) return false;
    member.ignored.set(key, name);
    const members = this.#byName.get(key);
    if (members === undefined) this.#byName.set(key, new Set([member]));
    else members.add(member);
    return true;
  }

  /** Removes a name. Returns false if it was not ignored. */
  remove(member: Person, name: string): boolean {
    const key = ignoreKey(name);
    const members = this.#byName.get(key);
    if (members?.delete(member) && members.size === 0) this.#byName.delete(key);
    return member.ignored.delete(key);
  }

  /** A member has changed its name. Those who ignored the old name ignore the new one. */
  follow(from: string, to: string): void {
    if (ignoreKey(from) === ignoreKey(to)) return;
    for (const member of [...this.of(from) ?? []]) {
      this.remove(member, from);
      this.add(member, to);
    }
  }

  /** Call it when a member has left the chat. */
  forget(member: Person): void {
    for (const name of [...member.ignored.values()]) this.remove(member, name);
  }

  /** The messages without those of members whom this member ignores. */
  filter<M extends { readonly name: string }>(member: Person, messages: readonly M[]): M[] {
    return messages.filter(({ name }) => !this.has(member, name));
  }
}

function ignoreKey(name: string): string {
  return keysOf(name)[0];
}
