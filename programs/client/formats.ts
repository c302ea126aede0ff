/** The client's `formats`. */

import { likely } from "../../internal/nearest.ts";
import { factsOf } from "../formats/document.ts";
import type { ProgramFormat } from "../formats/format.ts";
import { FORMATS } from "../formats/table.ts";
import { EXIT, UsageError } from "../shared/options.ts";
import type { ToolContext } from "./context.ts";

const WIDTH = 80;

/** Prints the table of formats, or all that is known of one. It connects to nothing. */
export async function formats(
  { operands: names, options, reporter, host: { stdout } }: ToolContext,
): Promise<number> {
  if (names.length > 1) throw new UsageError(`"formats" takes one name, but got ${names.length}`);
  const shown = names.length === 0 ? FORMATS : [find(names[0])];
  if (options.on("json")) {
    for (const format of shown) reporter.event({ event: "format", ...format });
  } else {
    stdout.write(names.length === 0 ? overview() : describe(shown[0]));
  }
  await stdout.flush();
  return EXIT.done;
}

function find(name: string): ProgramFormat {
  const found = FORMATS.find((format) => format.name.toLowerCase() === name.toLowerCase());
  if (found !== undefined) return found;
  const near = likely(name, FORMATS.map((format) => format.name), { eager: true });
  const right = near === undefined ? "client.ts formats lists them" : `the nearest is "${near}"`;
  throw new UsageError(`unknown format "${name}", ${right}`);
}

function overview(): string {
  const width = Math.max(...FORMATS.map(({ name }) => name.length));
  return FORMATS.map(({ name, programs }) => `${name.padEnd(width)}  ${programs}\n`).join("");
}

function describe(format: ProgramFormat): string {
  const { name, programs, surprises } = format;
  const facts = [...factsOf(format), ...surprises.map((text) => ["surprise", text] as const)];
  const labels = Math.max(...facts.map(([label]) => label.length));
  const lines = facts.flatMap(([label, text]) =>
    wrapped(text, WIDTH - labels - 2).map((line, i) =>
      `${(i === 0 ? label : "").padEnd(labels)}  ${line}`
    )
  );
  return [`${name}: ${programs}`, "", `  | ${format.bytes} |`, "", ...lines, ""].join("\n");
}

/** The text in lines of at most so many characters, but for longer words. */
function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) {
      lines.push(`${lines.pop()} ${word}`);
    } else lines.push(word);
  }
  return lines;
}
