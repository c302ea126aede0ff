/** The script's names are shortened, and an error is told by the name of its class. */

/** Gives classes the names under which they are exported. */
export function nameErrors(classes: object): void {
  for (const [name, value] of Object.entries(classes)) {
    Object.defineProperty(value, "name", { value: name });
  }
}
