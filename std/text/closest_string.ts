/** `@std/text/closest-string`, from the npm build of the same library. */
import { closestString as closestString_ } from "deno-std/text/closest_string.js";

export const closestString: (
  word: string,
  possibleWords: readonly string[],
  options?: { caseSensitive?: boolean },
) => string = closestString_;
