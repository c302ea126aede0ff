/**
 * Names and texts, as they are compared and shown.
 *
 * @module
 */

import { MAX_SHOWN } from "./limits.ts";

/** The room in which everyone begins. */
export const LOBBY = "lobby";

/** What two names that are the same to people have in common. */
export function keyOf(name: string): string {
  return name.normalize("NFKC").toLowerCase();
}

/** Whether the server gave this name to somebody who had none. */
export function isGuest(name: string): boolean {
  return /^guest-\d+$/i.test(name);
}

/** A room's name with its sign. */
export function roomLabel(name: string): string {
  return name.startsWith("#") ? name : `#${name}`;
}

/** A value as text that is not too long to show. */
export function textOf(value: unknown): string {
  const text = String(value ?? "");
  return text.length > MAX_SHOWN
    ? `${text.slice(0, MAX_SHOWN)}… (${text.length} characters)`
    : text;
}

/** A number with its noun. */
export function plural(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** One of 24 hues, the same for a name wherever it is seen. */
export function hueOf(name: string): number {
  let hash = 2166136261;
  for (const character of keyOf(name)) {
    hash = Math.imul(hash ^ character.codePointAt(0)!, 16777619);
  }
  return ((hash >>> 8) % 24) * 15;
}

/** Finds a name where it stands as a word; undefined if there is no name to find. */
export function mentionPattern(name: string): RegExp | undefined {
  if (name === "") return undefined;
  const literal = name.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
  try {
    return new RegExp(`(?<![\\p{L}\\p{N}_-])${literal}(?![\\p{L}\\p{N}_-])`, "giu");
  } catch {
    // No name that a server gives; nothing is marked then.
    return undefined;
  }
}

/** The date of a time that a server told; now, if it is none. */
export function dateOf(time: unknown): Date {
  const date = new Date(Number(time));
  return Number.isNaN(date.getTime()) ? new Date() : date;
}

/** A part of a text: plain, or a link. */
export interface TextPart {
  readonly text: string;
  /** Where it leads to, if it is a link. */
  readonly href?: string;
}

/** Cuts a text at its links to http and https. */
export function* partsOf(text: string): Generator<TextPart> {
  let end = 0;
  for (const found of text.matchAll(/\bhttps?:\/\/[^\s<>"'`\\]+/giu)) {
    const address = found[0].replace(/[.,:;!?)\]}*_~]+$/u, "");
    const url = URL.canParse(address) ? new URL(address) : undefined;
    // An address with a user name in front looks like another host than it leads to.
    if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password) continue;
    yield { text: text.slice(end, found.index) };
    yield { text: address, href: url.href };
    end = found.index + address.length;
  }
  yield { text: text.slice(end) };
}
