/** The table as a page of Markdown, docs/formats.md, which generate.ts writes. */

import type { ProgramFormat } from "./format.ts";

const INTRODUCTION = `# Formats

How programs frame their messages, to look it up in. Each name is a framing: in endpoints
(\`?framing=NAME\`), on the command line (\`--framing NAME\`), and in code, where it is a function of
\`@lengthwise/lengthwise/codec\`. \`client.ts formats\` shows the same in the terminal.

Each was run against the program and version that is told, in tests that ask something and look at
the answer (\`tests/interop/engines/\`). Where none is told, it follows the specification.

The limit is that of a message, by default. \`maxMessageBytes\` of the function sets another one. The
limit of the connection holds, too: 1 MiB for servers and 16 MiB for clients.
`;

/** The whole page. */
export function document(formats: readonly ProgramFormat[]): string {
  const rows = formats.map((format) =>
    `| [${format.name}](#${anchor(format)}) | ${format.programs} | ${format.order} | ` +
    `${bytes(format.limit)} | ${format.version ?? "by its specification"} |`
  );
  const table = [
    "| framing | programs | byte order | limit, bytes | run against |",
    "| --- | --- | --- | --- | --- |",
    ...rows,
  ].join("\n");
  return [INTRODUCTION, table, ...formats.map(section)].join("\n\n").replace(/\n{3,}/g, "\n\n") +
    "\n";
}

function section(format: ProgramFormat): string {
  const { name, programs, surprises } = format;
  const facts = factsOf(format).map(([label, text]) => `- **${label}**: ${text}`);
  const drawn = `\`\`\`text\n| ${format.bytes} |\n\`\`\``;
  return [
    `## ${name}`,
    `${programs}.`,
    drawn,
    facts.join("\n"),
    ...(surprises.length > 0 ? ["What surprised:", surprises.map((s) => `- ${s}`).join("\n")] : []),
  ].join("\n\n");
}

/** What is known of a format, but for its bytes and what surprised. */
export function factsOf(
  format: ProgramFormat,
): readonly (readonly [label: string, text: string])[] {
  return [
    ["parts", format.parts],
    ["message", format.message],
    ["endpoint", format.endpoint],
    [
      "length",
      format.order === "none" ? format.counts : `${format.order}; counts ${format.counts}`,
    ],
    ["limit", `${bytes(format.limit)} bytes`],
    ["above it", format.above],
    ["run against", format.version ?? "no program: it follows the specification"],
  ];
}

function bytes(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, " ");
}

function anchor({ name }: ProgramFormat): string {
  return name.toLowerCase();
}
