/** Completion for zsh. */

import {
  byReply,
  type CommandWords,
  type Operand,
  type OptionWord,
  type ProgramWords,
} from "./grammar.ts";

/** The script for one program. */
export function zsh({ command, functionName, commands }: ProgramWords): string {
  const named = commands.filter(({ name }) => name !== "");
  return `${functionName}() {
  local command= word prev=\${words[CURRENT-1]}
  local -a options commands
  if [[ $PREFIX == --*=* ]]; then prev=\${PREFIX%%=*}; compset -P '*='; fi
${named.length === 0 ? "" : search(named)}  case $prev in
${values(commands)}  esac
  case $command in
${
    commands.map(({ name, options }) =>
      `    (${name || "''"}) options=(${options.map(optionText).join(" ")}) ;;\n`
    ).join("")
  }  esac
  if [[ $PREFIX == -* ]]; then _describe -o option options; return; fi
  case $command in
${commands.map((one) => `    (${one.name || "''"}) ${operands(one, named)} ;;\n`).join("")}  esac
}
compdef ${functionName} ${command}
`;
}

function search(named: readonly CommandWords[]): string {
  return `  for word in \${words[2,CURRENT-1]}; do
    case $word in
      (${named.map(({ name }) => name).join("|")}) command=$word; break ;;
    esac
  done
  commands=(${named.map(({ name, help }) => described(name, help)).join(" ")})
`;
}

function operands({ name, operand }: CommandWords, named: readonly CommandWords[]): string {
  return name === "" && named.length > 0 ? "_describe command commands" : reply(operand);
}

function values(commands: readonly CommandWords[]): string {
  return byReply(commands, reply).map(([line, options]) =>
    `    (${options.map(({ name }) => `--${name}`).join("|")}) ${line}; return ;;\n`
  ).join("");
}

function reply(operand: Operand): string {
  if (operand === "nothing") return ":";
  if (operand === "file") return "_files";
  if (operand === "folder") return "_files -/";
  return `compadd -- ${operand.join(" ")}`;
}

function optionText({ name, help }: OptionWord): string {
  return described(`--${name}`, help);
}

/** A word and what it does, as _describe takes them. */
function described(word: string, help: string): string {
  const text = `${word}:${help.replaceAll("\\", "\\\\").replaceAll(":", "\\:")}`;
  return `'${text.replaceAll("'", "'\\''")}'`;
}
