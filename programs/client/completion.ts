/** The client's `completion`: a script for a shell, which completes the command lines of both programs. */

import { likely } from "../../internal/nearest.ts";
import { EXIT, UsageError } from "../shared/options.ts";
import type { ToolContext } from "./context.ts";
import { bash } from "./completions/bash.ts";
import { fish } from "./completions/fish.ts";
import { type CommandTable, programWords, SHELLS } from "./completions/grammar.ts";
import { zsh } from "./completions/zsh.ts";

const SCRIPTS = { bash, zsh, fish };
/** Names by which the programs are installed, as docs/programs.md says. */
const NAMES = ["lengthwise-client", "lengthwise-server"];

/** Prints the script, from the tables of the client's commands. */
export async function completion(
  { operands, host: { stdout } }: ToolContext,
  tables: readonly CommandTable[],
): Promise<number> {
  const [shell, client = NAMES[0], server = NAMES[1], ...more] = operands;
  if (shell === undefined) throw new UsageError(`"completion" needs a shell: ${SHELLS.join(", ")}`);
  if (!Object.hasOwn(SCRIPTS, shell)) {
    const near = likely(shell, SHELLS);
    const right = near === undefined ? `use one of ${SHELLS.join(", ")}` : `the nearest is ${near}`;
    throw new UsageError(`unknown shell "${shell}", ${right}`);
  }
  if (more.length > 0) {
    throw new UsageError(`"completion" takes a shell and two names, but got "${more[0]}"`);
  }
  for (const name of [client, server]) {
    if (/^[\w.+-]+$/.test(name) && !name.startsWith("-")) continue;
    throw new UsageError(`"${name}" cannot be the name of a command`);
  }
  const script = SCRIPTS[shell as keyof typeof SCRIPTS];
  stdout.write(programWords(tables, client, server).map(script).join(""));
  await stdout.flush();
  return EXIT.done;
}
