/** Options of the programs: declared once, parsed, checked and shown by `--help`. */

import { parseArgs } from "@std/cli/parse-args";
import { framing, FRAMING_NAMES, type FramingText, FramingTextError } from "../../codec.ts";
import { likely } from "../../internal/nearest.ts";

/** Exit codes that scripts may rely on. */
export const EXIT = { done: 0, lost: 1, usage: 2, protocol: 3 } as const;

/** One option of a program. */
export interface OptionSpec {
  /** The name of its value in the help. A switch has none. */
  readonly value?: string;
  /** What it does, in a few words. */
  readonly help: string;
  /** The values that it can have, if they are words. */
  readonly choices?: readonly string[];
  /** Whether it is a framing: one of these names, or a kind with parameters. */
  readonly framing?: boolean;
  /** The smallest and the largest value, if it is a whole number. */
  readonly range?: readonly [min: number, max: number];
  /** A short form of one letter. */
  readonly short?: string;
  /** Whether the help leaves it out. */
  readonly hidden?: boolean;
  /** The heading under which the help lists it by its name only, without a line of its own. */
  readonly group?: string;
  /** Whether it has several values, with commas between them. */
  readonly list?: boolean;
  /** Whether it may be given several times, which is the same as a longer list. */
  readonly repeated?: boolean;
}

/** The options of a program by name. */
export type OptionSpecs = Record<string, OptionSpec>;

/** The options of a command line. */
export interface ParsedOptions {
  /** The words without an option's name. */
  readonly operands: string[];
  /** The value of a word option, or undefined. */
  text(name: string): string | undefined;
  /** The value of a number option, or undefined. */
  number(name: string): number | undefined;
  /** The values of a list option, or undefined. */
  list(name: string): string[] | undefined;
  /** Whether a switch was given. */
  on(name: string): boolean;
}

/** The command line is wrong: the program says so and ends with code 2. */
export class UsageError extends Error {}

/** The endpoint that both programs use if none is given. */
export const DEFAULT_ENDPOINT = "tcp://127.0.0.1:1234";

/** The lines of `--help` about endpoints. */
export const ENDPOINT_HELP = `\
  ENDPOINT  [HOST]:PORT, tls://[HOST]:PORT, udp://…, ws://…, wss://…, unix:PATH;
            ${DEFAULT_ENDPOINT} by default; ?framing=NAME says the framing
  NAME      ${FRAMING_NAMES.join(" ")}`;

/**
 * Reads a command line.
 *
 * @throws {UsageError} for a wrong option. The error names the option, its value, and the nearest
 * right one.
 */
export function parseOptions(args: readonly string[], specs: OptionSpecs): ParsedOptions {
  const names = Object.keys(specs);
  const isSwitch = (name: string) => specs[name].value === undefined;
  const valued = names.filter((name) => !isSwitch(name));
  refuseValues(args, specs);
  const values = parseArgs(withDashes(args, specs), {
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
      const near = portIn(key, args) ?? likely(key, names)?.replace(/^/, "the nearest is --");
      throw new UsageError(`unknown option ${option}${near === undefined ? "" : `, ${near}`}`);
    },
  });
  for (const name of valued) {
    if (specs[name].repeated && values[name].length > 1) values[name] = [values[name].join(",")];
    if (values[name].length > 1) throw new UsageError(`--${name} is given more than once`);
    values[name] = values[name][0];
    if (values[name] !== undefined) checkValue(name, values[name], specs[name]);
  }
  for (const name of names.filter(isSwitch)) {
    if (typeof values[name] === "boolean") continue;
    throw new UsageError(`--${name} takes no value, but got "${values[name]}"`);
  }
  return {
    operands: [...values._.map(String), ...values["--"] as string[] ?? []],
    text: (name) => typeof values[name] === "string" ? values[name] : undefined,
    number: (name) => values[name] === undefined ? undefined : Number(values[name]),
    list: (name) => values[name]?.split(",").map((text: string) => text.trim()),
    on: (name) => values[name] === true,
  };
}

/** What to say to who gives a port as an option, as many programs have it. */
function portIn(key: string, args: readonly string[]): string | undefined {
  if (!/^p(ort)?$/.test(key)) return undefined;
  const port = portAfter(key, args);
  return `a port is an endpoint without an option: say :${port ?? "PORT"}`;
}

/** The port that follows an option, if one does. */
export function portAfter(key: string, args: readonly string[]): string | undefined {
  const at = args.findIndex((arg) => arg.replace(/^--?/, "").split("=")[0] === key);
  const value = args[at]?.split("=")[1] ?? args[at + 1];
  return /^\d{1,5}$/.test(value ?? "") ? value : undefined;
}

/** Refuses a value after a switch. The switch would be on, whatever the value says. */
function refuseValues(args: readonly string[], specs: OptionSpecs): void {
  for (const arg of args) {
    if (arg === "--") return;
    const [, dashes, name, value] = /^(--?)([^=]+)=(.*)$/s.exec(arg) ?? [];
    const [found, spec] = Object.entries(specs)
      .find(([long, { short }]) => (dashes === "--" ? long : short) === name) ?? [];
    if (spec !== undefined && spec.value === undefined) {
      throw new UsageError(`--${found} takes no value, but got "${value}"`);
    }
  }
}

/**
 * Joins an option and its value if the parser would not see the value. This is a lone dash, or a
 * negative number after a number option.
 */
function withDashes(args: readonly string[], specs: OptionSpecs): string[] {
  const joined: string[] = [];
  for (const arg of args) {
    const last = joined.at(-1) ?? "";
    const name = last.startsWith("--") && !joined.includes("--") ? last.slice(2) : "";
    const spec = Object.hasOwn(specs, name) ? specs[name] : undefined;
    const isValue = spec?.value !== undefined &&
      (arg === "-" || spec.range !== undefined && /^-\d/.test(arg));
    if (isValue) joined[joined.length - 1] = `${last}=${arg}`;
    else joined.push(arg);
  }
  return joined;
}

/**
 * Checks the value of an option.
 *
 * @throws {UsageError} if it is not one. The error names the option, and the nearest right value.
 */
export function checkValue(name: string, text: string, spec: OptionSpec): void {
  if (text === "") throw new UsageError(`--${name} needs a value, ${spec.value}`);
  if (spec.framing && checkFraming(name, text)) return;
  if (spec.choices !== undefined && !spec.choices.includes(text)) {
    const near = likely(text, spec.choices);
    throw new UsageError(
      `--${name} ${text}: it must be one of ${spec.choices.join(", ")}` +
        (near === undefined ? "" : `; the nearest is ${near}`),
    );
  }
  if (spec.range !== undefined) {
    const [min, max] = spec.range;
    if (!/^\d+$/.test(text) || Number(text) < min || Number(text) > max) {
      throw new UsageError(`--${name} ${text}: it must be a whole number from ${min} to ${max}`);
    }
  }
}

/** Whether a text is a framing. Throws if it is meant to be one, and is wrong. */
function checkFraming(name: string, text: string): boolean {
  try {
    framing(text as FramingText);
    return true;
  } catch (cause) {
    if (!(cause instanceof FramingTextError)) return false;
    throw new UsageError(`--${name} ${text}: ${cause.reason}`, { cause });
  }
}

const WIDTH = 80;

/** The lines of `--help` about options. */
export function describeOptions(specs: OptionSpecs): string {
  const shown = Object.entries(specs).filter(([_, { hidden }]) => !hidden);
  const rows = shown.filter(([_, { group }]) => group === undefined).map(([name, spec]) =>
    [usageOf(name, spec), spec.help] as const
  );
  const width = Math.max(...rows.map(([left]) => left.length));
  const lines = rows.map(([left, help]) => `  ${left.padEnd(width)}  ${help}`);
  const groups = Map.groupBy(shown, ([_, { group }]) => group);
  for (const [group, members] of groups) {
    if (group === undefined) continue;
    let line = `  ${group}:`;
    for (const [name, spec] of members) {
      const usage = usageOf(name, spec);
      if (line.length + 1 + usage.length > WIDTH) {
        lines.push(line);
        line = "   ";
      }
      line += ` ${usage}`;
    }
    lines.push(line);
  }
  return lines.join("\n");
}

function usageOf(name: string, { value, choices, short }: OptionSpec): string {
  const choice = choices !== undefined && choices.length <= 5 ? choices.join("|") : value;
  return `${short === undefined ? "" : `-${short}, `}--${name}${choice ? ` ${choice}` : ""}`;
}
