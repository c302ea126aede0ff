/** Checks of options that are numbers. */

/** The largest signed 32-bit integer. */
export const MAX_INT32: number = 2 ** 31 - 1;

/** The longest time that a timer can wait, in milliseconds: about 25 days. */
export const MAX_DELAY: number = MAX_INT32;

/**
 * Checks an integer option and returns it.
 *
 * @throws {RangeError} which names the option, its value and the range.
 */
export function checkInteger(name: string, value: number, min: number, max: number): number {
  if (!Number.isSafeInteger(value) || value < min || value > max) {
    throw new RangeError(
      `Cannot use ${name} ${value}: it must be an integer from ${min} to ${max}`,
    );
  }
  return value;
}

/** Checks a time in milliseconds and returns it. A timer must be able to wait that long. */
export function checkDelay(name: string, value: number, min = 1): number {
  return checkInteger(name, value, min, MAX_DELAY);
}
