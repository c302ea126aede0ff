/** Reads a recording. */

import { decode, line } from "../../../codec.ts";
import { MessageTooLargeError } from "../../../errors.ts";
import { reasonOf } from "../../../internal/reason.ts";
import { requireFile } from "../../shared/given.ts";
import { type Entry, type Header, readEntry, RECORDING_VERSION } from "./format.ts";

/** The longest line, in bytes: a message of 64 MiB in Base64. */
const MAX_LINE_BYTES = 96 * 1024 * 1024;

const decoder = new TextDecoder();

/** An entry, and where it stands. */
export interface Read {
  readonly entry: Entry;
  /** From 1. */
  readonly number: number;
}

/**
 * The entries of a recording, in order. The first one is a header. A line that was cut when a recorder
 * was killed is passed over.
 *
 * @throws {Error} for a file that cannot be read or is no recording. The error names the line.
 */
export async function* readRecording(path: string): AsyncGenerator<Read, void, void> {
  await requireFile("read", path);
  let number = 0;
  /** The line before, if it is none. */
  let broken: number | undefined;
  const wrong = (at: number, why: string) => new Error(`${path}: line ${at} ${why}`);
  for await (const text of linesOf(path)) {
    const entry = readEntry(text);
    number++;
    if (number === 1 && entry?.type !== "recording") {
      throw new Error(`${path}: it is no recording, which begins with a line of that type`);
    }
    if (broken !== undefined && entry?.type !== "recording") {
      throw wrong(broken, "is no line of a recording");
    }
    broken = undefined;
    if (entry === undefined) broken = number;
    else {
      if (entry.type === "recording") checkVersion(entry, path);
      yield { entry, number };
    }
  }
  if (number === 0) throw new Error(`${path}: there is nothing in it`);
}

function checkVersion({ version }: Header, path: string): void {
  if (version === RECORDING_VERSION) return;
  throw new Error(
    `${path}: it has version ${version} of recordings, and this program reads version ` +
      `${RECORDING_VERSION}`,
  );
}

async function* linesOf(path: string): AsyncGenerator<string, void, void> {
  try {
    const file = await Deno.open(path);
    const framing = line({ telnet: false, maxMessageBytes: MAX_LINE_BYTES });
    for await (const bytes of decode(file.readable, framing)) yield decoder.decode(bytes);
  } catch (error) {
    if (error instanceof MessageTooLargeError) {
      throw new Error(`${path}: a line is too long; limit is ${MAX_LINE_BYTES} bytes`);
    }
    throw new Error(`${path}: ${reasonOf(error)}`, { cause: error });
  }
}
