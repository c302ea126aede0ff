/** How whoever reads a hint starts one of the two programs. */

import { relative } from "node:path";
import { fileURLToPath } from "node:url";

/** What a program was started with. */
export interface Start {
  /** Where the module is: a folder as a URL, with a slash at its end. */
  readonly root: string;
  /** The working directory. */
  readonly cwd: string;
  /** The path of the Deno that runs it. */
  readonly deno: string;
  /** The version of that Deno. */
  readonly version: string;
  /** Whether it is a binary of its own, made by `deno compile`. */
  readonly standalone: boolean;
}

/** The two words to put a command together from, with Deno's flags between them. */
export interface StartCommand {
  /** What runs a program: `deno run`, or `npx -y deno@2.9.6 run` where npm brought Deno. */
  readonly run: string;
  /** The program, as a file or by its name on JSR. */
  readonly program: string;
}

/** How this program was started. None of it takes a permission. */
function ownStart(): Start {
  return {
    root: new URL("../../", import.meta.url).href,
    cwd: Deno.cwd(),
    deno: Deno.execPath(),
    version: Deno.version.deno,
    standalone: Deno.build.standalone,
  };
}

/**
 * How to start a program, in a terminal like the one that this program was started from: with the Deno
 * that runs this one, and from where this one came.
 */
export function commandOf(name: "server" | "client", start: Start = ownStart()): StartCommand {
  const { root, cwd, deno, version, standalone } = start;
  const run = /[\\/]_npx[\\/]/.test(deno) ? `npx -y deno@${version} run` : "deno run";
  if (standalone || !root.startsWith("file:")) {
    return { run, program: `jsr:@lengthwise/lengthwise/${name}` };
  }
  const path = fileURLToPath(new URL(`${name}.ts`, root));
  const near = relative(cwd, path);
  const shown = near.length < path.length ? near : path;
  return { run, program: /^[\w@%+=:,./\\-]+$/.test(shown) ? shown : `"${shown}"` };
}
