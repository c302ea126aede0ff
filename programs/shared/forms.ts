/** The forms in which messages go in and out of the programs: `--in` and `--out`. */

import { decodeBatches, lengthPrefix, line } from "../../codec.ts";
import { markText } from "../../connection.ts";
import { ProtocolError } from "../../errors.ts";
import { type OptionSpecs, UsageError } from "./options.ts";

/**
 * A form for input.
 * - `lines`: each line is a message.
 * - `bytes`: the bytes as they are, in pieces as they come.
 * - `hex`, `base64`: each line is a message.
 * - `json`: each line is a message: a string, or an object with `text`, `base64` or `hex`.
 * - `length`: four bytes, most significant first, say how long the message after them is.
 */
export type InForm = "lines" | "bytes" | "hex" | "base64" | "json" | "length";

/** A form for output. `pretty` is for people: JSON with indents, text, or a dump of the bytes. */
export type OutForm = InForm | "pretty";

/** The values of `--in`. */
export const IN_FORMS: readonly InForm[] = ["lines", "bytes", "hex", "base64", "json", "length"];
/** The values of `--out`. */
export const OUT_FORMS: readonly OutForm[] = [...IN_FORMS, "pretty"];

/** The options of commands whose messages come from the input and go to the output. */
export const FORM_OPTIONS: OptionSpecs = {
  in: {
    value: "FORM",
    choices: IN_FORMS,
    group: "talk, send",
    help: "lines, bytes, hex, base64, json or length",
  },
  out: {
    value: "FORM",
    choices: OUT_FORMS,
    group: "talk, send",
    help: "how messages are printed: the same, or pretty",
  },
};

/** The longest line of the input, in bytes: a message of 16 MiB in hexadecimal digits. */
const MAX_LINE_BYTES = 32 * 1024 * 1024 + 1;
/** The longest message of the form `length`, and the largest file that is one message, in bytes. */
export const MAX_INPUT_MESSAGE_BYTES = 2 ** 30;

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * The messages of an input, in batches: those of one chunk together.
 *
 * @throws {UsageError} for input that has not this form. The error names the line.
 */
export async function* readBatches(
  input: AsyncIterable<Uint8Array>,
  form: InForm,
): AsyncGenerator<Uint8Array[], void, void> {
  if (form === "bytes") {
    for await (const chunk of input) yield [chunk];
  } else if (form === "length") {
    yield* lengths(input);
  } else if (form === "lines") {
    for await (const lines of decodeBatches(input, line({ telnet: false }))) {
      yield lines.map(markText);
    }
  } else {
    let count = 0;
    const framing = line({ telnet: false, maxMessageBytes: MAX_LINE_BYTES });
    for await (const lines of decodeBatches(input, framing)) {
      yield lines.map((line) => parseMessage(textOf(line, ++count), form, `line ${count}`));
    }
  }
}

/** A stream that was cut is the user's matter here, and no peer's. */
async function* lengths(
  input: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array[], void, void> {
  try {
    yield* decodeBatches(input, lengthPrefix({ maxMessageBytes: MAX_INPUT_MESSAGE_BYTES }));
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw new UsageError(`the input is not in the form "length": ${error.message}`);
  }
}

function textOf(line: Uint8Array, number: number): string {
  try {
    return decoder.decode(line);
  } catch {
    throw new UsageError(`line ${number} of the input is no UTF-8`);
  }
}

/**
 * The message that a text stands for. Of `lines` and `bytes` it is the text itself; of `length` there
 * is none.
 *
 * @param where What to call the text in an error.
 * @throws {UsageError} for a text that has not this form.
 */
export function parseMessage(text: string, form: InForm, where: string): Uint8Array {
  switch (form) {
    case "lines":
      return markText(new TextEncoder().encode(text));
    case "bytes":
      return new TextEncoder().encode(text);
    case "hex":
      return parsed(() => Uint8Array.fromHex(text.replace(/[\s:]/g, "")), text, form, where);
    case "base64":
      return parsed(() => Uint8Array.fromBase64(text.trim()), text, form, where);
    case "json":
      return fromJson(text, where);
    case "length":
      throw new UsageError(`${where}: the form "length" is for files and pipes`);
  }
}

function parsed<T>(parse: () => T, text: string, form: string, where: string): T {
  try {
    return parse();
  } catch {
    throw new UsageError(`${where} is not ${form}: ${quote(text)}`);
  }
}

const JSON_MEMBERS = { text: "lines", base64: "base64", hex: "hex" } as const;

function fromJson(text: string, where: string): Uint8Array {
  const value: unknown = parsed(() => JSON.parse(text), text, "JSON", where);
  if (typeof value === "string") return parseMessage(value, "lines", where);
  if (typeof value === "object" && value !== null) {
    for (const [member, form] of Object.entries(JSON_MEMBERS)) {
      const given = (value as Record<string, unknown>)[member];
      if (typeof given === "string") return parseMessage(given, form, where);
    }
  }
  throw new UsageError(
    `${where} is no message: a string, or an object with text, base64 or hex; got ${quote(text)}`,
  );
}

/** The start of a text, as it may stand in an error. */
function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
