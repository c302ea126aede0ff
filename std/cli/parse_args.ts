/** `@std/cli/parse-args`, from the npm build of the same library. */
import { parseArgs as parseArgs_ } from "deno-std/cli/parse_args.js";

export interface ParseOptions {
  "--"?: boolean;
  alias?: Record<string, string | readonly string[]>;
  boolean?: boolean | string | readonly string[];
  collect?: string | readonly string[];
  default?: Record<string, unknown>;
  negatable?: string | readonly string[];
  stopEarly?: boolean;
  string?: string | readonly string[];
  unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}

export interface Args {
  _: Array<string | number>;
  // deno-lint-ignore no-explicit-any
  [name: string]: any;
}

export const parseArgs: (args: readonly string[], options?: ParseOptions) => Args = parseArgs_;
