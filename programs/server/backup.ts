/** `--backup`: copies the history of a chat, instead of serving. */

import { withoutPassword } from "../../internal/address.ts";
import { EXIT, type ParsedOptions, UsageError } from "../shared/options.ts";
import type { Reporter } from "../shared/report.ts";

/** Copies the history of a chat. The chat may be running in another process. */
export async function backUp(
  options: ParsedOptions,
  to: string,
  reporter: Reporter,
): Promise<number> {
  const file = options.text("history");
  if (file === undefined) throw new UsageError("--backup FILE needs --history FILE, to copy from");
  if (options.operands.length > 0) {
    throw new UsageError(
      `--backup listens nowhere, but got "${withoutPassword(options.operands[0])}"`,
    );
  }
  const { backUpHistory } = await import("../../chat/history/sqlite.ts");
  await backUpHistory(file, to);
  reporter.event({ event: "backup", file, to }, `${file} is copied to ${to}`);
  return EXIT.done;
}
