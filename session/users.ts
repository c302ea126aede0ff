/** Whether two carriers of a session are of one user. */

/**
 * Compares what a server's `authorize` gave for two carriers: equal values; objects with the same `id`;
 * objects without one whose JSON is the same.
 */
export function isSameUser(one: unknown, other: unknown): boolean {
  if (Object.is(one, other)) return true;
  if (!isObject(one) || !isObject(other)) return false;
  if ("id" in one || "id" in other) return Object.is(one.id, other.id);
  try {
    return JSON.stringify(one) === JSON.stringify(other);
  } catch {
    return false; // They have no JSON.
  }
}

function isObject(value: unknown): value is { id?: unknown } {
  return typeof value === "object" && value !== null;
}
