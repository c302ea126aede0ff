/** What a command is. */

import type { Engine } from "../engine/engine.ts";
import type { Member } from "../engine/member.ts";

/** A command that a member writes after a slash. */
export interface Command {
  /** How to write it. */
  readonly usage: string;
  /** What it does, for `/help`. */
  readonly help: string;
  /** How much it counts for the flood limits. */
  readonly cost: number;
  /** Whether it is no word to the others: a newcomer that says only this is not announced. */
  readonly isPrivate?: true;
  /**
   * Runs the command. Returns `"usage"` if it cannot be understood as it was written, and `"quit"`
   * if the member wants to leave.
   */
  run(chat: Engine, member: Member, argument: string): "quit" | "usage" | void;
}

/** The first word and the rest. */
export function split(argument: string): [first: string, rest: string] {
  const [, first, rest] = /^(\S*)\s*(.*)$/s.exec(argument)!;
  return [first, rest];
}
