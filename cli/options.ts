/** Options of the programs: declared once, parsed, checked and shown by `--help`. */

import { parseArgs } from "@std/cli/parse-args";
import { FRAMING_NAMES } from "../codec.ts";
import { nearest } from "../nearest.ts";

/** Exit codes that scripts may rely on. */
export const EXIT = { done: 0, lost: 1, usage: 2, protocol: 3 } as const;

/** One option of a program. */
export interface OptionSpec {
  /** What its value is called in the help; none for a switch. */
  readonly value?: string;
  /** What it does, in a few words. */
  readonly help: string;
  /** The values that it can have, where they are words. */
  readonly choices?: readonly string[];
  /** The least and the greatest value, where it is a whole number. */
  readonly range?: readonly [min: number, max: number];
  /** One letter that stands for it. */
  readonly short?: string;
  /** Whether the help leaves it out. */
  readonly hidden?: boolean;
}

/** The options of a program by name. */
export type OptionSpecs = Record<string, OptionSpec>;

/** What a command line said. */
export interface ParsedOptions {
  /** What stood there without an option's name. */
  readonly operands: string[];
  /** The value of a word option, or undefined. */
  text(name: string): string | undefined;
  /** The value of a number option, or undefined. */
  number(name: string): number | undefined;
  /** Whether a switch was given. */
  on(name: string): boolean;
}

/** The command line is wrong: the program says so and ends with code 2. */
export class UsageError extends Error {}

/** Where the programs meet when nothing else is said. */
export const DEFAULT_ENDPOINT = "tcp://127.0.0.1:1234";

/** The lines of `--help` about endpoints. */
export const ENDPOINT_HELP = `\
  ENDPOINT  [HOST]:PORT or unix:PATH, ?framing=NAME; or ${DEFAULT_ENDPOINT}
  NAME      ${FRAMING_NAMES.join(" ")}`;

/** Options that every program has. */
export const COMMON_OPTIONS: OptionSpecs = {
  json: { help: "one JSON object per line on stdout" },
  help: { help: "show this; -V, --version the version", short: "h" },
  version: { help: "show the version", short: "V", hidden: true },
};

/**
 * Reads a command line.
 *
 * @throws {UsageError} naming the option, its value, and the nearest right one.
 */
export function parseOptions(args: readonly string[], specs: OptionSpecs): ParsedOptions {
  const names = Object.keys(specs);
  const isSwitch = (name: string) => specs[name].value === undefined;
  const valued = names.filter((name) => !isSwitch(name));
  const values = parseArgs(args, {
    "--": true,
    string: ["_", ...valued],
    collect: valued,
    boolean: names.filter(isSwitch),
    alias: Object.fromEntries(
      names.filter((name) => specs[name].short).map((name) => [name, specs[name].short!]),
    ),
    unknown: (given, key) => {
      if (key === undefined) return true;
      const option = given.replace(/=.*/s, "");
      throw new UsageError(`unknown option ${option}, the nearest is --${nearest(key, names)}`);
    },
  });
  for (const name of valued) {
    if (values[name].length > 1) throw new UsageError(`--${name} is given more than once`);
    values[name] = values[name][0];
    if (values[name] !== undefined) check(name, values[name], specs[name]);
  }
  return {
    operands: [...values._.map(String), ...values["--"] as string[] ?? []],
    text: (name) => values[name],
    number: (name) => values[name] === undefined ? undefined : Number(values[name]),
    on: (name) => values[name] === true,
  };
}

function check(name: string, text: string, spec: OptionSpec): void {
  if (text === "") throw new UsageError(`--${name} needs a value, ${spec.value}`);
  if (spec.choices !== undefined && !spec.choices.includes(text)) {
    throw new UsageError(
      `--${name} ${text}: it must be one of ${spec.choices.join(", ")}; the nearest is ${
        nearest(text, spec.choices)
      }`,
    );
  }
  if (spec.range !== undefined) {
    const [min, max] = spec.range;
    if (!/^\d+$/.test(text) || Number(text) < min || Number(text) > max) {
      throw new UsageError(`--${name} ${text}: it must be a whole number from ${min} to ${max}`);
    }
  }
}

/** The lines of `--help` about options. */
export function describeOptions(specs: OptionSpecs): string {
  const shown = Object.entries(specs).filter(([_, { hidden }]) => !hidden);
  const rows = shown.map(([name, { value, help, choices, short }]) => {
    const choice = choices !== undefined && choices.length <= 5 ? choices.join("|") : value;
    const left = `${short === undefined ? "" : `-${short}, `}--${name}${
      choice ? ` ${choice}` : ""
    }`;
    return [left, help];
  });
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, help]) => `  ${left.padEnd(width)}  ${help}`).join("\n");
}
