/** What the client's commands share. */

import type { Connection } from "../connection.ts";
import { ProtocolError } from "../errors.ts";
import { EXIT, type ParsedOptions } from "./options.ts";
import type { Reporter } from "./report.ts";

/** What the client's commands work with. */
export interface ClientContext {
  /** The command's own operands. */
  readonly operands: readonly string[];
  /** The command line's options. */
  readonly options: ParsedOptions;
  /** Where events and errors go. */
  readonly reporter: Reporter;
  /** Connects, also again; a signal closes the last connection in order. */
  connect(): Promise<Connection>;
}

/** The exit code that tells how a connection ended. */
export function exitCodeOf(error: unknown): number {
  return error instanceof ProtocolError ? EXIT.protocol : EXIT.lost;
}
