/** What the client's `--help` shows: one screen for all, and a page for each command. */

import { describeOptions, ENDPOINT_HELP, type OptionSpec } from "../shared/options.ts";
import { type Command, COMMANDS, optionsOf, TALK } from "./commands.ts";
import { CONNECT_OPTIONS, GENERAL_OPTIONS } from "./options.ts";

/** The help, from the operands on: of the command that is named among them, or of the whole. */
export function helpFor(operands: readonly string[]): string {
  const name = operands.find((word) => Object.hasOwn(COMMANDS, word));
  return name === undefined ? screen() : page(name, COMMANDS[name]);
}

function screen(): string {
  const { in: inForm, out: outForm, linger, "half-close": halfClose } = TALK.options!;
  const { expect } = COMMANDS.send.options!;
  return `[ENDPOINT…] [COMMAND] [OPTION…]
${ENDPOINT_HELP}
Commands (client.ts COMMAND --help tells all about one)
  (none)                 talk: lines typed or piped are sent, messages printed
  send TEXT…             send one message each; --expect N prints N answers
  request METHOD [JSON]  print the answer, or with --stream its items
  put FILE…|get NAME|ls  files, to and from server.ts --service files
  ping, bench            round-trip time, messages per second: chat or echo
  bridge, proxy, replay, listen, dump, guess, doctor, formats, completion
Options (docs/programs.md tells all about them)
${
    describeOptions({
      in: inForm,
      out: outForm,
      linger,
      "half-close": halfClose,
      expect,
      ...CONNECT_OPTIONS,
      source: { ...CONNECT_OPTIONS.source, hidden: true }, // There is a page for each command.
      ...GENERAL_OPTIONS,
    })
  }
Examples
  client.ts                                            join the chat
  client.ts :1234 send hello world --expect 2          send two messages
  printf 'a\\nb\\n' | client.ts ":9000?framing=u32le"   lines as messages
Exit codes: 0 done, 1 lost or refused, 2 wrong usage, 3 protocol broken`;
}

/** So many lines have most terminals. */
const SCREEN = 24;

/** With a line for each option of its own, or where a screen has no room for it, some in groups. */
function page(name: string, command: Command): string {
  const all = pageWith(name, command, (spec) => ({ ...spec, group: undefined, hidden: false }));
  if (all.split("\n").length <= SCREEN) return all;
  return pageWith(name, command, (spec) => ({ ...spec, hidden: false }));
}

function pageWith(name: string, command: Command, own: (spec: OptionSpec) => OptionSpec): string {
  const { kind, operands, help, examples } = command;
  const endpoints = kind === "tool" ? "" : command.hasOneEndpoint ? "[ENDPOINT]" : "[ENDPOINT…]";
  const words = [endpoints, name, operands, "[OPTION…]"];
  const options = Object.entries(optionsOf(command)).map(([name, spec]) =>
    [name, Object.hasOwn(command.options ?? {}, name) ? own(spec) : spec] as const
  );
  return `${words.filter(Boolean).join(" ")}
${indented(help.split("\n"))}
Options (docs/programs.md tells all about them)
${describeOptions(Object.fromEntries(options))}
Examples
${indented(examples.map((example) => `client.ts ${example}`))}`;
}

function indented(lines: readonly string[]): string {
  return lines.map((line) => `  ${line}`).join("\n");
}
