/**
 * One file there ("put") and back ("get") over one connection, both ends the subject's own, from the
 * beginning to where the copy is verified, on the disk and under its name; it is removed afterwards.
 * The file is made once for all, so that reading it takes it from memory.
 *
 * - Lengthwise: `putFile()` and `getFile()`, and `serveFiles()` in another process.
 * - Raw: the same work in a bare loop, which hashes each block while the system writes it.
 * - Plain: as many bytes in messages of 1 MiB over one connection, without files and hashes.
 *
 * The copies are in the directory for temporary files, and what its disk can do bounds all but plain.
 */

import { writeAll } from "../../internal/bytes.ts";
import { Child } from "../child.ts";
import type { Measure, Runs, Settings } from "../measure.ts";
import { program, type Subject } from "../programs.ts";

const FILES: Partial<Record<Subject, string>> = {
  lengthwise: "lengthwise.ts",
  plain: "plain.ts",
  raw: "raw.ts",
};
const SUBJECTS = Object.keys(FILES) as Subject[];
const WAYS = ["put", "get"] as const;
const MIB = 1024 * 1024;
/** The most that is made of random bytes at a time. */
const RANDOM_BYTES = 64 * 1024;

/** All of this kind. */
export const files: Measure[] = [{
  rows: WAYS.map((way) => ({
    name: `file ${way}`,
    unit: "B/s",
    goals: [{ against: ["plain"], ratio: 0.5 }, { against: ["raw"], ratio: 0.8 }],
  })),
  subjects: SUBJECTS,
  open,
}];

interface Ends {
  readonly client: Child;
  /** Where the server is. */
  readonly to: object;
}

/** A server and a client per subject, in processes of their own, and a directory with the file. */
async function open({ duration }: Settings): Promise<Runs> {
  const bytes = (duration < 300 ? 32 : 256) * MIB;
  await using stack = new AsyncDisposableStack();
  const directory = await Deno.makeTempDir({ prefix: "lengthwise-bench-" });
  stack.defer(() => Deno.remove(directory, { recursive: true }));
  await makeFile(`${directory}/source`, bytes);
  const start = async (subject: Subject) => {
    const child = stack.use(
      new Child(program(`subjects/files/${FILES[subject]}`, [directory, `${bytes}`])),
    );
    return { child, to: await child.next<object>() };
  };
  const started = new Map<Subject, Ends>();
  for (const subject of SUBJECTS) {
    const [{ to }, client] = await Promise.all([start(subject), start(subject)]);
    started.set(subject, { client: client.child, to });
  }
  const owned = stack.move();
  return {
    async run(subject) {
      const { client, to } = started.get(subject)!;
      const values = [];
      for (const way of WAYS) values.push(bytes / await client.ask<number>(way, to));
      return values;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function makeFile(path: string, bytes: number): Promise<void> {
  using file = await Deno.open(path, { write: true, createNew: true });
  const block = new Uint8Array(MIB);
  for (let made = 0; made < bytes; made += block.length) {
    for (let at = 0; at < block.length; at += RANDOM_BYTES) {
      crypto.getRandomValues(block.subarray(at, at + RANDOM_BYTES));
    }
    await writeAll(file, block);
  }
  await file.sync(); // Or the disk would be busy with it while the first copies are made.
}
