/** `@std/fmt/bytes`, from the npm build of the same library. */
import { format as format_ } from "deno-std/fmt/bytes.js";

export interface FormatOptions {
  bits?: boolean;
  binary?: boolean;
  signed?: boolean;
  minimumFractionDigits?: number;
  maximumFractionDigits?: number;
}

export const format: (bytes: number, options?: FormatOptions) => string = format_;
