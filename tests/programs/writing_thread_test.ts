/** Much output: the thread that writes it, and a process that needs one. */

import { assert, assertEquals } from "@std/assert";
import { equals } from "@std/bytes";
import { FULL_DELAY, isKept, PIECE_BYTES, pieceAt } from "../../programs/shared/writing.ts";
import { type Port, serve } from "../../programs/shared/writing_thread.ts";

const RULES = { pieceAt, isKept };
const CONSTANTS = { PIECE_BYTES, FULL_DELAY };

/** Runs what the thread does, with this in the place of standard output. */
function thread(write: (bytes: Uint8Array) => number): (bytes: Uint8Array) => number {
  const answers: number[] = [];
  const port: Port = { onmessage: null, postMessage: (taken) => answers.push(taken) };
  serve(port, write, CONSTANTS, RULES);
  assertEquals(answers, [0]);
  return (data) => {
    port.onmessage!({ data });
    return answers.at(-1)!;
  };
}

function noise(size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  for (let i = 0, x = 1; i < size; i++) {
    x = Math.imul(x, 1_103_515_245) + 12_345;
    bytes[i] = x >>> 16;
  }
  return bytes;
}

Deno.test("The writing thread writes in pieces that a pipe takes as a whole or not at all", () => {
  const bytes = noise(100_000);
  const pieces: Uint8Array[] = [];
  const send = thread((piece) => {
    pieces.push(piece.slice());
    return piece.length;
  });
  assertEquals(send(bytes), bytes.length);
  assert(pieces.every(({ length }) => length <= PIECE_BYTES));
  assertEquals(pieces.reduce((sum, { length }) => sum + length, 0), bytes.length);
});

Deno.test("The writing thread waits for a pipe that is full, and writes nothing twice", () => {
  const bytes = noise(20_000);
  const written = new Uint8Array(bytes.length);
  let [at, calls, kept] = [0, 0, 0];
  const send = thread((piece) => {
    // Deno keeps the end of a line that is not there yet, and then says that the pipe is full.
    if (kept === 0 && piece.length > 0 && isKept(piece)) {
      written.set(piece, at);
      at += kept = piece.length;
      throw new Deno.errors.WouldBlock("full");
    }
    if (piece.length === 0) return kept = 0;
    if (++calls % 3 === 0) throw new Deno.errors.WouldBlock("full");
    written.set(piece, at);
    at += piece.length;
    return piece.length;
  });
  assertEquals(send(bytes), bytes.length);
  assertEquals([at, equals(written, bytes)], [bytes.length, true]);
});

Deno.test("The writing thread tells how much was taken before a failure", () => {
  let left = 3;
  const send = thread((piece) => {
    if (left-- === 0) throw new Deno.errors.BrokenPipe("gone");
    return piece.length;
  });
  const bytes = noise(50_000);
  const taken = send(bytes);
  assert(taken > 0 && taken <= 3 * PIECE_BYTES, `${taken} bytes`);
});

Deno.test("client.ts hands over many bytes as they are, to a pipe that blocks", async () => {
  const bytes = noise(6_000_000);
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = (async () => {
    using connection = await listener.accept();
    for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
  })();
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-net", "client.ts", `127.0.0.1:${listener.addr.port}?framing=none`],
    cwd: new URL("../../", import.meta.url),
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  await serving;
  assertEquals([code, new TextDecoder().decode(stderr), stdout.length], [0, "", bytes.length]);
  assert(equals(stdout, bytes));
});
