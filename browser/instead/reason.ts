/** Explains errors in a page, which has none of the system. */

/** The reason why something failed, as the last part of an error's message. */
export function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

/** The system's code for an error. */
export function codeOf(_: unknown): undefined {}

/** Whether an error is about what the caller gave. */
export function isMisuse(error: unknown): boolean {
  return error instanceof TypeError || error instanceof RangeError;
}
