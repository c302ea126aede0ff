/** The server's service `files`. */

import { openDirectory, serveFiles } from "../../files.ts";
import { UsageError } from "../shared/options.ts";
import type { ProgramContext } from "../shared/program.ts";
import { messageOf } from "../shared/report.ts";
import type { Service } from "./service.ts";

/** Makes the service, for the directory that `--dir` names. */
export async function files(
  { options, reporter }: ProgramContext,
): Promise<Service<Uint8Array>> {
  const path = options.text("dir");
  if (path === undefined) throw new UsageError("--service files needs --dir DIR");
  const readOnly = options.on("read-only");
  for (const name of ["read", "write"] as const) {
    if (name === "write" && readOnly) break;
    const { state } = await Deno.permissions.query({ name, path });
    if (state !== "granted") {
      throw new Error(`--dir ${path}: no permission; run with --allow-${name}=${path}`);
    }
  }
  const directory = await openDirectory(path, {
    readOnly,
    replace: options.on("replace"),
    maxFileBytes: options.number("max-file"),
    maxDirectoryBytes: options.number("max-dir"),
  });
  return {
    async handle(connection) {
      const onError = (error: unknown, method: string) =>
        reporter.error(`${connection.remote}, ${method}: ${messageOf(error)}`);
      await serveFiles(connection, directory, { onError }).closed;
    },
  };
}
