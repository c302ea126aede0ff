/** What the client's commands share. */

import type { Connection } from "../connection.ts";
import type { ParsedOptions } from "./options.ts";
import type { Reporter } from "./report.ts";

/** What the client's commands work with. */
export interface ClientContext {
  /** The command's own operands. */
  readonly operands: readonly string[];
  /** The command line's options. */
  readonly options: ParsedOptions;
  /** Where events and errors go. */
  readonly reporter: Reporter;
  /** Aborted when the user wants the program to end. */
  readonly stopped: AbortSignal;
  /** Connects, also again; a signal closes the last connection in order. */
  connect(): Promise<Connection>;
}
