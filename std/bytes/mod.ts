/** `@std/bytes`, from the npm build of the same library. */
import * as std from "deno-std/bytes/mod.js";

export { concat } from "./concat.ts";
export const copy: (src: Uint8Array, dst: Uint8Array, offset?: number) => number = std.copy;
export const equals: (a: Uint8Array, b: Uint8Array) => boolean = std.equals;
export const indexOfNeedle: (source: Uint8Array, needle: Uint8Array, start?: number) => number =
  std.indexOfNeedle;
export const startsWith: (source: Uint8Array, prefix: Uint8Array) => boolean = std.startsWith;
export const endsWith: (source: Uint8Array, suffix: Uint8Array) => boolean = std.endsWith;
