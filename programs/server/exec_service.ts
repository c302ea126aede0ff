/** The server's service `exec`: a program for each connection. */

import { execFrom, serveExec } from "../shared/exec.ts";
import { UsageError } from "../shared/options.ts";
import type { ProgramContext } from "../shared/program.ts";
import type { Service } from "./service.ts";

/** Makes the service, for the program that `--exec` or `--shell` names. */
export async function exec({ options, reporter }: ProgramContext): Promise<Service<Uint8Array>> {
  const command = await execFrom(options);
  if (command === undefined) {
    throw new UsageError("--service exec needs --exec COMMAND or --shell LINE");
  }
  return {
    async handle(connection) {
      try {
        await serveExec(connection, command, reporter);
      } catch (error) {
        connection.abort(error); // Its end is reported with this.
      }
    },
  };
}
