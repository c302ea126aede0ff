/** Completion for bash, without the package bash-completion. */

import {
  byReply,
  type CommandWords,
  type Operand,
  type OptionWord,
  type ProgramWords,
} from "./grammar.ts";

/** The script for one program. */
export function bash({ command, functionName, commands }: ProgramWords): string {
  const names = commands.map(({ name }) => name).filter((name) => name !== "");
  return `${functionName}() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} command= options= i
  # Bash takes the "=" of an option for a word of its own.
  if [[ $cur == = ]]; then cur=
  elif [[ $prev == = ]]; then prev=\${COMP_WORDS[COMP_CWORD-2]}; fi
  COMPREPLY=()
${names.length === 0 ? "" : search(names)}  case $prev in
${values(commands)}  esac
  case $command in
${
    commands.map(({ name, options }) => `    ${name || '""'}) options="${dashed(options)}" ;;\n`)
      .join("")
  }  esac
  if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "$options" -- "$cur")); return; fi
  case $command in
${
    commands.map((one) => `    ${one.name || '""'}) ${reply(operandsOf(one, names))} ;;\n`).join("")
  }  esac
}
complete -F ${functionName} ${command}
`;
}

/** Without a command, the next word may be one. */
function operandsOf({ name, operand }: CommandWords, names: readonly string[]): Operand {
  return name === "" && names.length > 0 ? names : operand;
}

function search(names: readonly string[]): string {
  return `  for ((i = 1; i < COMP_CWORD; i++)); do
    case \${COMP_WORDS[i]} in
      ${names.join("|")}) command=\${COMP_WORDS[i]}; break ;;
    esac
  done
`;
}

/** What stands behind each option with a value. */
function values(commands: readonly CommandWords[]): string {
  return byReply(commands, reply).map(([line, options]) =>
    `    ${options.flatMap(spellings).join("|")}) ${line}; return ;;\n`
  ).join("");
}

function reply(operand: Operand): string {
  if (operand === "nothing") return ":";
  if (operand === "file" || operand === "folder") {
    const kind = operand === "file" ? "-f" : "-d";
    return `compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen ${kind} -- "$cur"))`;
  }
  return `COMPREPLY=($(compgen -W "${operand.join(" ")}" -- "$cur"))`;
}

function dashed(options: readonly OptionWord[]): string {
  return options.flatMap(spellings).join(" ");
}

function spellings({ name, short }: OptionWord): string[] {
  return short === undefined ? [`--${name}`] : [`--${name}`, `-${short}`];
}
