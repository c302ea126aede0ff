/** `@std/bytes/concat`, from the npm build of the same library. */
import { concat as concat_ } from "deno-std/bytes/concat.js";

export const concat: (buffers: readonly Uint8Array[]) => Uint8Array<ArrayBuffer> = concat_;
