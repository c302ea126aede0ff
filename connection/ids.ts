/** The numbers of connections. */

let last = 0;
/** The last number of all threads that count together, if this one does. */
let shared: BigInt64Array | undefined;

/** A number that no other connection of this process has. */
export function nextId(): number {
  return shared === undefined ? ++last : Number(Atomics.add(shared, 0, 1n) + 1n);
}

/** From now on, connections get other numbers than those of all threads with the same 8 bytes. */
export function shareIds(memory: SharedArrayBuffer): void {
  shared = new BigInt64Array(memory);
}
