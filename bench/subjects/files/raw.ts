/**
 * The floor for files: read, hash and write to the socket; read from the socket, hash and write, then
 * compare the digest, `fsync`, and rename. No messages, no limits, no time-outs, nothing to go on with.
 */

import { createHash } from "node:crypto";
import { writeAll } from "../../../internal/bytes.ts";
import { bytes, copyPath, directory, ready, sourcePath, timed } from "./transfer.ts";

const HOST = "127.0.0.1";
/** The fastest size: larger blocks are sometimes much slower. */
const CHUNK_BYTES = 256 * 1024;
const DIGEST_BYTES = 32;
const partPath = `${copyPath}.part`;

/** A file or a socket. */
interface Stream {
  read(block: Uint8Array): Promise<number | null>;
  write(bytes: Uint8Array): Promise<number>;
}

/** Reads until the block is full, or the stream ends. */
async function readFull(stream: Stream, block: Uint8Array): Promise<Uint8Array> {
  let filled = 0;
  while (filled < block.length) {
    const count = await stream.read(filled === 0 ? block : block.subarray(filled));
    if (count === null) break;
    filled += count;
  }
  return filled === block.length ? block : block.subarray(0, filled);
}

/** One block is written and hashed while the other one is filled. */
function twoBlocks(): [Uint8Array, Uint8Array] {
  return [new Uint8Array(CHUNK_BYTES), new Uint8Array(CHUNK_BYTES)];
}

async function sendFile(conn: Deno.Conn): Promise<void> {
  using file = await Deno.open(sourcePath);
  const hash = createHash("sha256");
  const blocks = twoBlocks();
  let reading = readFull(file, blocks[0]);
  for (let turn = 1;; turn++) {
    const block = await reading;
    if (block.length === 0) break;
    const writing = writeAll(conn, block);
    reading = readFull(file, blocks[turn % 2]);
    hash.update(block); // While the system writes, and reads.
    await writing;
  }
  await writeAll(conn, hash.digest());
}

async function receiveFile(conn: Deno.Conn): Promise<void> {
  using file = await Deno.open(partPath, { write: true, create: true, truncate: true });
  const hash = createHash("sha256");
  const blocks = twoBlocks();
  const readBlock = (turn: number) => {
    const rest = Math.max(0, bytes - turn * CHUNK_BYTES);
    return readFull(conn, blocks[turn % 2].subarray(0, rest));
  };
  let writing = Promise.resolve();
  let reading = readBlock(0);
  let received = 0;
  for (let turn = 1; received < bytes; turn++) {
    const block = await reading;
    if (block.length === 0) throw new Error("Cannot receive file: its end is missing");
    received += block.length;
    await writing;
    writing = writeAll(file, block);
    reading = readBlock(turn);
    hash.update(block); // While the system writes, and reads.
  }
  const digest = await readFull(conn, new Uint8Array(DIGEST_BYTES));
  await writing;
  if (!hash.digest().equals(digest)) throw new Error("Cannot receive file: its hash differs");
  await file.sync();
  await Deno.rename(partPath, copyPath);
  using holder = await Deno.open(directory);
  await holder.sync();
}

/** Serves one connection after the other. */
function serve(handle: (conn: Deno.Conn) => Promise<void>): string {
  const listener = Deno.listen({ hostname: HOST, port: 0 });
  (async () => {
    for await (const conn of listener) {
      using _closed = conn;
      conn.setNoDelay(true);
      await handle(conn).catch((error) => console.error(`${error}`));
    }
  })();
  return `${listener.addr.port}`;
}

async function open(port: string): Promise<Deno.TcpConn> {
  const conn = await Deno.connect({ hostname: HOST, port: Number(port) });
  conn.setNoDelay(true);
  return conn;
}

/** Says that the file may come, or has come. */
const sayByte = (conn: Deno.Conn) => writeAll(conn, new Uint8Array(1));

async function hearByte(conn: Deno.Conn): Promise<void> {
  if (await conn.read(new Uint8Array(1)) === null) {
    throw new Error("Cannot go on: the peer is gone");
  }
}

const taking = serve(async (conn) => {
  await receiveFile(conn);
  await sayByte(conn);
});
const giving = serve(async (conn) => {
  await hearByte(conn);
  await sendFile(conn);
});

ready({ put: taking, get: giving }, {
  async put(to) {
    using conn = await open(to);
    return await timed(async () => {
      await sendFile(conn);
      await hearByte(conn);
    });
  },

  async get(to) {
    using conn = await open(to);
    return await timed(async () => {
      await sayByte(conn);
      await receiveFile(conn);
    });
  },
});
