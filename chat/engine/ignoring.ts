/** Who does not want to hear whom. */

import { keysOf } from "../names/names.ts";
import type { Member } from "./member.ts";

/** Names that one member may ignore. */
export const MAX_IGNORED = 100;

/** Ignored names, by member and by name. A member that takes another name stays ignored. */
export class Ignoring {
  readonly #byName = new Map<string, Set<Member>>();

  /** Those who do not hear this name; undefined for nobody. */
  of(name: string): ReadonlySet<Member> | undefined {
    return this.#byName.get(ignoreKey(name));
  }

  /** Whether a member does not hear this name. */
  has(member: Member, name: string): boolean {
    return member.ignored.has(ignoreKey(name));
  }

  /** Adds a name; returns false if there are too many. */
  add(member: Member, name: string): boolean {
    const key = ignoreKey(name);
    if (!member.ignored.has(key) && member.ignored.size >= MAX_IGNORED) return false;
    member.ignored.set(key, name);
    const members = this.#byName.get(key);
    if (members === undefined) this.#byName.set(key, new Set([member]));
    else members.add(member);
    return true;
  }

  /** Takes a name away; returns false if it was not ignored. */
  remove(member: Member, name: string): boolean {
    const key = ignoreKey(name);
    const members = this.#byName.get(key);
    if (members?.delete(member) && members.size === 0) this.#byName.delete(key);
    return member.ignored.delete(key);
  }

  /** Someone has taken another name, and stays ignored by those who ignored the old one. */
  follow(from: string, to: string): void {
    if (ignoreKey(from) === ignoreKey(to)) return;
    for (const member of [...this.of(from) ?? []]) {
      this.remove(member, from);
      this.add(member, to);
    }
  }

  /** A member has gone. */
  forget(member: Member): void {
    for (const name of [...member.ignored.values()]) this.remove(member, name);
  }

  /** Without what was said by those whom a member does not hear. */
  filter<M extends { readonly name: string }>(member: Member, messages: readonly M[]): M[] {
    return messages.filter(({ name }) => !this.has(member, name));
  }
}

function ignoreKey(name: string): string {
  return keysOf(name)[0];
}
