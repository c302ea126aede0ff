/** How the reader of a hint can start one of the two programs. */

import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { isOneFile } from "./one_file.ts";

/** How a program was started. */
export interface Start {
  /** The folder of the module, as a URL with a slash at its end. */
  readonly root: string;
  /** The working directory. */
  readonly cwd: string;
  /** The path of the Deno that runs it. */
  readonly deno: string;
  /** The version of that Deno. */
  readonly version: string;
  /** Whether the program is one file: a binary that `deno compile` made, or a bundle. */
  readonly standalone: boolean;
}

/** The two parts of a command. Deno's flags go between them. */
export interface StartCommand {
  /** What runs a program: `deno run`, or `npx -y deno@2.9.6 run` if npm installed Deno. */
  readonly run: string;
  /** The program, as a file or by its name on JSR. */
  readonly program: string;
}

/** How this program was started. This needs no permission. */
function ownStart(): Start {
  return {
    root: new URL("../../", import.meta.url).href,
    cwd: Deno.cwd(),
    deno: Deno.execPath(),
    version: Deno.version.deno,
    standalone: isOneFile,
  };
}

/**
 * The command that starts a program, in a terminal like the one where this program was started. It
 * uses the same Deno, and the module from the same place.
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
