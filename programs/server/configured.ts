/** The options of a command line, and those of a file beneath it. */

import { TWINS } from "../shared/limits.ts";
import type { ParsedOptions } from "../shared/options.ts";
import type { ProgramContext } from "../shared/program.ts";
import type { Configuration } from "./config.ts";
import { OPTIONS } from "./options.ts";

/** What an option of the command line takes the place of, besides itself. */
const INSTEAD: Readonly<Record<string, readonly string[]>> = {
  token: ["token-file"],
  "operator-token": ["operator-token-file"],
  cert: ["key", "tls-self-signed"],
  "tls-self-signed": ["cert", "key"],
  exec: ["shell"],
  shell: ["exec"],
  quiet: ["log-level"],
  "log-level": ["quiet"],
};

/**
 * The program with the options of its command line, and of the file of `--config` where the command
 * line does not say otherwise.
 *
 * @throws {UsageError} for what is wrong in the file.
 * @throws {Error} if it cannot be read.
 */
export async function configured(program: ProgramContext): Promise<ProgramContext> {
  const file = program.options.text("config");
  if (file === undefined) return program;
  const { readConfiguration } = await import("./config.ts");
  return { ...program, options: above(program.options, await readConfiguration(file, OPTIONS)) };
}

/** Tells each option that is in effect, and where it was given. Secrets are not told. */
export function tellOptions({ options, reporter }: ProgramContext, given: ParsedOptions): void {
  for (const [name, { value: kind }] of Object.entries(OPTIONS)) {
    const text = options.text(name);
    if (text === undefined && !options.on(name)) continue;
    const isGiven = given.text(name) !== undefined || given.on(name);
    const from = isGiven ? "command line" : given.text("config");
    const value = kind === "TOKEN" ? "…" : text ?? true;
    const shown = value === true ? "" : ` ${value}`;
    reporter.event(
      { event: "option", name, value, from },
      `--${name}${shown}, of ${from}`,
      "debug",
    );
  }
}

function above(given: ParsedOptions, file: Configuration): ParsedOptions {
  const isGiven = (name: string) => given.text(name) !== undefined || given.on(name);
  const replaced = new Set(
    Object.keys(INSTEAD).filter(isGiven).flatMap((name) => INSTEAD[name]),
  );
  const limits = (given.list("limit") ?? []).map((text) => text.split("=", 1)[0]);
  for (const name of limits) if (TWINS[name] !== undefined) replaced.add(TWINS[name]);
  const values = new Map([...file.values].filter(([name]) => !replaced.has(name)));
  for (const name of Object.keys(OPTIONS)) {
    const text = given.text(name);
    if (text !== undefined) values.set(name, text);
  }
  const more = [...file.limits]
    .filter(([name]) => !limits.includes(name) && given.text(TWINS[name] ?? name) === undefined)
    .map(([name, value]) => `${name}=${value}`);
  const all = [...given.list("limit") ?? [], ...more];
  if (all.length > 0) values.set("limit", all.join(","));
  const text = (name: string) => values.get(name);
  return {
    operands: given.operands.length > 0 ? given.operands : [...file.endpoints ?? []],
    text,
    number: (name) => text(name) === undefined ? undefined : Number(text(name)),
    list: (name) => text(name)?.split(",").map((item) => item.trim()),
    on: (name) => given.on(name) || file.switches.has(name) && !replaced.has(name),
  };
}
