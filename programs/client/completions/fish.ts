/** Completion for fish. */

import type { CommandWords, Operand, OptionWord, ProgramWords } from "./grammar.ts";

/** The script for one program. */
export function fish({ command, commands }: ProgramWords): string {
  const named = commands.filter(({ name }) => name !== "");
  const line = (...words: string[]) => `complete -c ${command} ${words.join(" ")}\n`;
  const none = named.length === 0 ? [] : ["-n", quoted(`not ${seen(named)}`)];
  return [
    line("-f"),
    ...named.map(({ name, help }) => line(...none, "-a", name, "-d", quoted(help))),
    ...named.filter(({ operand }) => operand !== "nothing").map((one) =>
      line("-n", quoted(seen([one])), ...operands(one.operand))
    ),
    ...optionLines(commands).map(({ option, owners }) =>
      line(...condition(owners, commands, named), ...optionWords(option))
    ),
  ].join("");
}

/** Each option once, with the commands that have it. */
function optionLines(commands: readonly CommandWords[]) {
  const pairs = commands.flatMap((owner) => owner.options.map((option) => ({ owner, option })));
  return [...Map.groupBy(pairs, ({ option }) => option.name).values()].map((group) => ({
    option: group[0].option,
    owners: group.map(({ owner }) => owner),
  }));
}

function condition(
  owners: readonly CommandWords[],
  commands: readonly CommandWords[],
  named: readonly CommandWords[],
): string[] {
  if (owners.length === commands.length) return [];
  const own = owners.filter(({ name }) => name !== "");
  const tests = [
    ...(own.length > 0 ? [seen(own)] : []),
    ...(own.length < owners.length ? [`not ${seen(named)}`] : []),
  ];
  return ["-n", quoted(tests.join("; or "))];
}

function seen(commands: readonly CommandWords[]): string {
  return `__fish_seen_subcommand_from ${commands.map(({ name }) => name).join(" ")}`;
}

function optionWords({ name, short, value, help }: OptionWord): string[] {
  const names = ["-l", name, ...(short === undefined ? [] : ["-s", short])];
  const words = value === undefined ? [] : ["-r", ...operands(value)];
  return [...names, ...words, "-d", quoted(help)];
}

function operands(operand: Operand): string[] {
  if (operand === "nothing") return ["-f"];
  if (operand === "file") return ["-F"];
  if (operand === "folder") return ["-f", "-a", quoted("(__fish_complete_directories)")];
  return ["-f", "-a", quoted(operand.join(" "))];
}

function quoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
