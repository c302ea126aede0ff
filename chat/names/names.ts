/** What members and rooms may be called, and which names are one. */

import { skeleton, writtenSkeleton } from "./confusables.ts";

/** The longest name, in characters. */
export const MAX_NAME_LENGTH = 32;

/** More than these in a row reach into other people's lines. */
const TOO_MANY_MARKS = /\p{M}{4,}/u;

/** Alphabets that resemble each other: a name uses one of them. */
const ALPHABETS = [
  /\p{Script=Latin}/u,
  /\p{Script=Cyrillic}/u,
  /\p{Script=Greek}/u,
  /\p{Script=Armenian}/u,
  /\p{Script=Cherokee}/u,
  /\p{Script=Coptic}/u,
  /\p{Script=Lisu}/u,
  /\p{Script=Georgian}/u,
  /\p{Script=Hebrew}/u,
  /\p{Script=Arabic}/u,
];

/** Whose lines nobody may seem to write. */
const RESERVED = new Set(
  ["you", "everyone", "server", "system", "operator", "admin", "announcement"].map(skeleton),
);

/**
 * What names are compared by: two names are one if they have a key in common. The second key is
 * there for capitals that look like other letters than their small forms do.
 */
export function keysOf(name: string): readonly string[] {
  const text = shown(name);
  const key = skeleton(text);
  const written = writtenSkeleton(text);
  return key === written ? [key] : [key, written];
}

/** A name as it is shown: composed, and without what only picks an emoji's style. */
export function shown(name: string): string {
  return name.normalize("NFC").replaceAll("\ufe0f", "");
}

/** Why a member cannot be called so. */
export function memberNameProblem(name: string): string | undefined {
  const problem = nameProblem(name, "/nick NAME");
  if (problem !== undefined) return problem;
  const keys = keysOf(name);
  if (keys.some((key) => /^guest-[\dlo]+$/.test(key))) return "such names are given to newcomers";
  if (keys.some((key) => RESERVED.has(key))) return "it is reserved";
}

/** Why a room cannot be called so. */
export function roomNameProblem(name: string): string | undefined {
  return nameProblem(name, "/join ROOM");
}

function nameProblem(name: string, usage: string): string | undefined {
  if (name === "") return `it is empty, say ${usage}`;
  // Bounded before anything looks at each character.
  if (name.length > 2 * MAX_NAME_LENGTH || [...name].length > MAX_NAME_LENGTH) {
    return `it is longer than ${MAX_NAME_LENGTH} characters`;
  }
  const text = shown(name);
  if (/[\s\\\p{C}\p{Z}\p{Default_Ignorable_Code_Point}\u2800]/u.test(text)) {
    return "it has a space, a backslash or an invisible character";
  }
  if (!/[\p{L}\p{N}\p{S}]/u.test(text)) return "it has no letter";
  if (/^\p{M}/u.test(text) || TOO_MANY_MARKS.test(text)) return "it has marks without a letter";
  const key = skeleton(text);
  if (/[:,*/\\"]/.test(key)) return "it has punctuation that the chat's own lines use";
  const compatible = text.normalize("NFKC");
  if (/\s/.test(compatible)) return "it has a space, a backslash or an invisible character";
  if (ALPHABETS.filter((alphabet) => alphabet.test(compatible)).length > 1) {
    return "it mixes alphabets that look alike";
  }
}

/** Values by name, however it is written. */
export class NameIndex<V> {
  readonly #values = new Map<string, V>();

  /** The value with this name, other than the one given. */
  find(name: string, except?: V): V | undefined {
    for (const key of keysOf(name)) {
      const value = this.#values.get(key);
      if (value !== undefined && value !== except) return value;
    }
  }

  /** Files a value under a name that is free. */
  add(name: string, value: V): void {
    for (const key of keysOf(name)) this.#values.set(key, value);
  }

  /** Takes it away; a key that belongs to another stays. */
  remove(name: string, value: V): void {
    for (const key of keysOf(name)) {
      if (this.#values.get(key) === value) this.#values.delete(key);
    }
  }
}
