/** What has arrived of each publisher, so that nothing is delivered twice, and gaps are noticed. */

/** Of so many publishers in a room the last number is remembered. The one that came first is forgotten. */
const MAX_PUBLISHERS = 1_000;

/** What a message is, seen from those before it. */
export type Arrival =
  /** It is the next one, or the first one that is known. */
  | "next"
  /** It, or a later one, came before. */
  | "again"
  /** It is new, but at least one before it did not come. */
  | "after a gap";

/** The number of the last message of each publisher, in the rooms that somebody here is in. */
export class Arrivals {
  readonly #rooms = new Map<string, Map<bigint, number>>();

  /** A message has come. */
  take(publisher: bigint, room: string, number: number, previous: number): Arrival {
    let numbers = this.#rooms.get(room);
    if (numbers === undefined) this.#rooms.set(room, numbers = new Map());
    const last = numbers.get(publisher);
    if (last !== undefined && number <= last) return "again";
    if (last === undefined && numbers.size === MAX_PUBLISHERS) {
      numbers.delete(numbers.keys().next().value!);
    }
    numbers.set(publisher, number);
    return last !== undefined && previous > last ? "after a gap" : "next";
  }

  /** Nobody here is in the room any more: what is said there meanwhile is no gap. */
  forget(room: string): void {
    this.#rooms.delete(room);
  }
}
