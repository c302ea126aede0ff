/** Which servers there are, and whether they are heard. */

import type { ClusterServer } from "./options.ts";

/** A server that was not heard while so many of one's own beats came back is gone. One comes a second. */
const MAX_MISSED = 7;
/** How many servers that are gone are remembered, so that nothing of theirs counts. */
const MAX_GONE = 1_000;

/** What a server says of itself once a second. */
export interface Beat extends ClusterServer {
  /** Its name in the log, which changes when it was taken for gone. */
  readonly home: string;
}

/** A server, as the log knows it. */
interface Known {
  /** The number of its last entry. */
  number: number;
  /** How many beats of one's own came back since it was heard. */
  missed: number;
  beat: Beat | undefined;
}

/** The servers, in the order in which they came. */
export class Servers {
  readonly #known = new Map<string, Known>();
  readonly #gone = new Set<string>();

  /** How many there are. */
  get size(): number {
    return this.#known.size;
  }

  /** Their names and the numbers of their last entries. */
  get numbers(): [home: string, number: number][] {
    return Array.from(this.#known, ([home, { number }]) => [home, number]);
  }

  /** Those that are gone, the last ones. */
  get gone(): string[] {
    return [...this.#gone];
  }

  /** What each of them said last of itself. */
  get beats(): Beat[] {
    return [...this.#known.values()].flatMap(({ beat }) => beat ?? []);
  }

  /** The one that came first. */
  get first(): string | undefined {
    return this.#known.keys().next().value;
  }

  /** The names in the log that a server has had and was not taken out of. */
  homesOf(server: string): string[] {
    return [...this.#known.keys()].filter((home) => home.startsWith(`${server}.`));
  }

  has(home: string): boolean {
    return this.#known.has(home);
  }

  isGone(home: string): boolean {
    return this.#gone.has(home);
  }

  /** One has come. */
  add(home: string, number: number): void {
    this.#known.set(home, { number, missed: 0, beat: undefined });
  }

  /** One is gone. Returns false if it was not there. */
  remove(home: string): boolean {
    this.#gone.add(home);
    if (this.#gone.size > MAX_GONE) this.#gone.delete(this.#gone.values().next().value!);
    return this.#known.delete(home);
  }

  /** An entry of one has come. Returns false if it came before. */
  take(home: string, number: number): boolean {
    const known = this.#known.get(home);
    if (known === undefined || number <= known.number) return false;
    known.number = number;
    known.missed = 0;
    return true;
  }

  /** One was heard. */
  heard(beat: Beat): void {
    const known = this.#known.get(beat.home);
    if (known === undefined) return;
    known.beat = beat;
    known.missed = 0;
  }

  /** A beat of one's own has come back. Returns those that are silent for too long. */
  missing(own: string): string[] {
    const silent: string[] = [];
    for (const [home, known] of this.#known) {
      if (home !== own && ++known.missed >= MAX_MISSED) silent.push(home);
    }
    return silent;
  }
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Writes a beat. */
export function encodeBeat(beat: Beat): Uint8Array {
  return encoder.encode(JSON.stringify(beat));
}

/** Reads a beat; undefined if it is none of ours. */
export function decodeBeat(bytes: Uint8Array): Beat | undefined {
  const isText = (value: unknown) => typeof value === "string" && value.length <= 1024;
  const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;
  try {
    const { home, server, endpoints, members, read, version } = JSON.parse(decoder.decode(bytes));
    const isOurs = [home, server, version].every(isText) && [members, read].every(isCount) &&
      Array.isArray(endpoints) && endpoints.every(isText);
    return isOurs ? { home, server, endpoints, members, read, version } : undefined;
  } catch {
    return undefined; // It is no JSON.
  }
}
