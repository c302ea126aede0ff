/** Whether this process may have workers that share ports. */

import { isOneFile } from "../../shared/one_file.ts";
import type { ParsedOptions } from "../../shared/options.ts";
import type { Reporter } from "../../shared/report.ts";

/** Where the modules of the program are. A worker reads them itself. */
const ROOT = new URL("../../../", import.meta.url);

/** How many workers there are to be, and how many there can be. */
export interface Possible {
  readonly wanted: number;
  /** As many as are wanted; or 1, where something is missing: the server works on one core then. */
  readonly workers: number;
  /** What would allow them. */
  readonly missing: readonly string[];
}

/** Looks how many there can be. */
export async function possibleWorkers(options: ParsedOptions): Promise<Possible> {
  const wanted = options.number("workers") ?? 1;
  const missing = wanted === 1 ? [] : await whatIsMissing();
  return { wanted, workers: missing.length === 0 ? wanted : 1, missing };
}

/** The same in a sentence. */
export function inWords({ wanted, workers, missing }: Possible): string {
  return missing.length === 0
    ? `${workers} workers share the ports`
    : `--workers ${wanted} needs ${missing.join(" and ")}: working on one core`;
}

/** Tells of it, where more than one are wanted. */
export function tellWorkers(possible: Possible, reporter: Reporter): void {
  if (possible.wanted === 1) return;
  const level = possible.missing.length === 0 ? "info" : "warn";
  reporter.event({ event: "workers", ...possible }, inWords(possible), level);
}

/** The flags of Deno that are missing, or what else keeps workers out. */
async function whatIsMissing(): Promise<string[]> {
  if (isOneFile) return ["the modules of the server, which are bundled"];
  const missing: string[] = [];
  // Deno would end the process where a port is shared without it.
  if (typeof Deno.listenDatagram !== "function") missing.push("--unstable-net");
  if (ROOT.protocol !== "file:") return missing;
  const { fileURLToPath } = await import("node:url");
  const path = fileURLToPath(ROOT);
  const { state } = await Deno.permissions.query({ name: "read", path });
  if (state !== "granted") missing.push(`--allow-read=${path}`);
  return missing;
}
