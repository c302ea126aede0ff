/** Which names members and rooms may have, and which names count as the same. */

import { skeleton, writtenSkeleton } from "./confusables.ts";

/** The longest name, in characters. */
const MAX_NAME_LENGTH = 32;

/** So many marks in a row would reach into the lines above and below. */
const TOO_MANY_MARKS = /\p{M}{4,}/u;

/** Alphabets that resemble each other. A name may use only one of them. */
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

/** Nobody may have these names, because their lines could be taken for the chat's own. */
const RESERVED = new Set(
  ["you", "everyone", "server", "system", "operator", "admin", "announcement"].map(skeleton),
);

/**
 * The keys by which names are compared. Two names count as the same if they have a key in common.
 * The second key is for capitals that look like another letter than their lower-case form does.
 */
export function keysOf(name: string): readonly string[] {
  const text = shown(name);
  const key = skeleton(text);
  const written = writtenSkeleton(text);
  return key === written ? [key] : [key, written];
}

/**
 * A name as it is shown: in composed form (NFC), and without the character that only chooses the
 * style of an emoji.
 */
export function shown(name: string): string {
  return name.normalize("NFC").replaceAll("\ufe0f", "");
}

/** Why a member cannot have this name, or undefined if it can. */
export function memberNameProblem(name: string): string | undefined {
  const problem = nameProblem(name, "/nick NAME");
  if (problem !== undefined) return problem;
  const keys = keysOf(name);
  if (keys.some((key) => /^guest-[\dlo]+$/.test(key))) return "such names are given to newcomers";
  if (keys.some((key) => RESERVED.has(key))) return "it is reserved";
}

/** Why a room cannot have this name, or undefined if it can. */
export function roomNameProblem(name: string): string | undefined {
  return nameProblem(name, "/join ROOM");
}

function nameProblem(name: string, usage: string): string | undefined {
  if (name === "") return `it is empty, say ${usage}`;
  // The length is checked before anything goes through the characters.
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

/** Values by name. All ways to write a name find the same value. */
export class NameIndex<V> {
  readonly #values = new Map<string, V>();

  /** The value with this name, if it is not `except`. */
  find(name: string, except?: V): V | undefined {
    for (const key of keysOf(name)) {
      const value = this.#values.get(key);
      if (value !== undefined && value !== except) return value;
    }
  }

  /** Adds a value under a name. The name must be free. */
  add(name: string, value: V): void {
    for (const key of keysOf(name)) this.#values.set(key, value);
  }

  /** Removes a value. A key that belongs to another value stays. */
  remove(name: string, value: V): void {
    for (const key of keysOf(name)) {
      if (this.#values.get(key) === value) this.#values.delete(key);
    }
  }
}
