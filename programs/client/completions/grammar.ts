/** What can stand on the programs' command lines, from their tables. */

import { FRAMING_KINDS, FRAMING_NAMES } from "../../../codec.ts";
import { OPTIONS } from "../../server/options.ts";
import type { OptionSpec, OptionSpecs } from "../../shared/options.ts";

/** The shells that a script can be made for. */
export const SHELLS = ["bash", "zsh", "fish"] as const;

/** What stands where a word is expected. */
export type Operand = "file" | "folder" | "nothing" | readonly string[];

/** An option. */
export interface OptionWord {
  /** Its name, without dashes. */
  readonly name: string;
  readonly short: string | undefined;
  /** What its value is. Undefined for a switch. */
  readonly value: Operand | undefined;
  readonly help: string;
}

/** A command, or a program without one. */
export interface CommandWords {
  /** Its name; empty for none. */
  readonly name: string;
  /** The first sentence of its help. */
  readonly help: string;
  /** What its operands are. */
  readonly operand: Operand;
  readonly options: readonly OptionWord[];
}

/** A program. */
export interface ProgramWords {
  /** How it is started. */
  readonly command: string;
  /** What its shell function is called. */
  readonly functionName: string;
  /** All commands, the first of which has no name. */
  readonly commands: readonly CommandWords[];
}

/** A command as its table has it. */
export interface CommandTable {
  /** Its name; empty for what the program does without a command. */
  readonly name: string;
  readonly help: string;
  /** How its operands are called. */
  readonly operands?: string;
  readonly options: OptionSpecs;
}

/** Both programs, under the names by which they are started. */
export function programWords(
  tables: readonly CommandTable[],
  client: string,
  server: string,
): ProgramWords[] {
  return [
    { command: client, functionName: "_lengthwise_client", commands: tables.map(commandWords) },
    {
      command: server,
      functionName: "_lengthwise_server",
      commands: [commandWords({ name: "", help: "", options: OPTIONS })],
    },
  ];
}

function commandWords({ name, help, operands = "", options }: CommandTable): CommandWords {
  return {
    name,
    help: firstSentence(help),
    operand: operandOf(name, operands),
    options: wordsOf(options),
  };
}

function wordsOf(specs: OptionSpecs): OptionWord[] {
  return Object.entries(specs).map(([name, spec]) => ({
    name,
    short: spec.short,
    value: valueOf(spec),
    help: spec.help,
  }));
}

function valueOf({ value, choices, framing }: OptionSpec): Operand | undefined {
  if (value === undefined) return undefined;
  if (framing) return framings();
  if (choices !== undefined) return choices;
  return value === "FILE" ? "file" : value === "DIR" ? "folder" : "nothing";
}

function framings(): string[] {
  return [...new Set<string>([...FRAMING_NAMES, ...FRAMING_KINDS])];
}

function operandOf(name: string, operands: string): Operand {
  if (name === "completion") return SHELLS;
  if (name === "formats") return FRAMING_KINDS;
  return /FILE/.test(operands) ? "file" : "nothing";
}

function firstSentence(help: string): string {
  return help.replaceAll("\n", " ").split(/[.:;,](?= |$)/)[0];
}

/** Options with a value, once each, by what is offered behind them. */
export function byReply(
  commands: readonly CommandWords[],
  reply: (value: Operand) => string,
): [offered: string, options: OptionWord[]][] {
  const all = new Map(commands.flatMap(({ options }) => options).map((one) => [one.name, one]));
  const withValue = [...all.values()].filter(({ value }) => value !== undefined);
  return [...Map.groupBy(withValue, ({ value }) => reply(value!))];
}
