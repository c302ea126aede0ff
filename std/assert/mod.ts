/** `@std/assert`, from the npm build of the same library. */
import * as std from "deno-std/assert/mod.js";

// deno-lint-ignore no-explicit-any
type ErrorClass<E extends Error> = abstract new (...args: any[]) => E;

export const assert: (value: unknown, message?: string) => asserts value = std.assert;
export const assertEquals: <T>(actual: T, expected: T, message?: string) => void = std.assertEquals;
export const assertStrictEquals: <T>(
  actual: unknown,
  expected: T,
  message?: string,
) => asserts actual is T = std.assertStrictEquals;
export const assertNotEquals: <T>(actual: T, expected: T, message?: string) => void =
  std.assertNotEquals;
export const assertMatch: (actual: string, expected: RegExp, message?: string) => void =
  std.assertMatch;
export const assertStringIncludes: (actual: string, expected: string, message?: string) => void =
  std.assertStringIncludes;
export const assertInstanceOf: <T>(
  actual: unknown,
  // deno-lint-ignore no-explicit-any
  expectedType: abstract new (...args: any[]) => T,
  message?: string,
) => asserts actual is T = std.assertInstanceOf;
export const assertLess: <T>(actual: T, expected: T, message?: string) => void = std.assertLess;
export const assertLessOrEqual: <T>(actual: T, expected: T, message?: string) => void =
  std.assertLessOrEqual;
export const assertGreater: <T>(actual: T, expected: T, message?: string) => void =
  std.assertGreater;
export const assertGreaterOrEqual: <T>(actual: T, expected: T, message?: string) => void =
  std.assertGreaterOrEqual;
export const assertThrows: <E extends Error = Error>(
  fn: () => unknown,
  errorClass?: ErrorClass<E>,
  messageIncludes?: string,
) => E = std.assertThrows;
export const assertRejects: <E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  errorClass?: ErrorClass<E>,
  messageIncludes?: string,
) => Promise<E> = std.assertRejects;
export const equal: (a: unknown, b: unknown) => boolean = std.equal;
export const fail: (message?: string) => never = std.fail;
