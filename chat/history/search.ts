/**
 * The form in which a search compares words and texts. It is the same for every kind of history.
 */

/** The longest query, in UTF-16 code units. This limits the cost of one search. */
export const MAX_QUERY_LENGTH = 256;

/**
 * The form in which texts are compared. Case and compatibility forms (Unicode NFKC) make no
 * difference: "Straße" and "STRASSE" are the same, and so are all sigmas, and the dotted and the
 * dotless I. Accents make a difference.
 */
export function fold(text: string): string {
  // Most messages are plain ASCII. The other way takes a few microseconds.
  // deno-lint-ignore no-control-regex
  if (/^[\x01-\x7f]*$/.test(text)) return text.toLowerCase();
  return text.toWellFormed().normalize("NFKC").toUpperCase().toLowerCase()
    .replaceAll("ς", "σ").replaceAll("i\u0307", "i").replaceAll("\0", " ");
}

/**
 * The different words of a query, folded.
 *
 * @throws {RangeError} for a query longer than {@linkcode MAX_QUERY_LENGTH}.
 */
export function queryWords(query: string): string[] {
  if (query.length > MAX_QUERY_LENGTH) {
    throw new RangeError(
      `Cannot search for ${query.length} characters: limit is ${MAX_QUERY_LENGTH} characters`,
    );
  }
  return [...new Set(fold(query).split(/\s+/).filter((word) => word !== ""))];
}
