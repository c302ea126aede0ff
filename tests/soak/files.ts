/**
 * A large file there and back through a connection that is cut again and again.
 *
 * ```sh
 * deno run -A tests/soak/files.ts [--bytes N] [--cuts N] [--dir DIR]
 * ```
 *
 * Tells throughput, beside that of plain messages of 1 MiB over one connection and of a file that is
 * only written; the time on the CPU per GiB, which other work on the machine disturbs less; and the
 * memory of both processes. Ends with 1 when the bytes are wrong, or memory grew beyond `MAX_RSS_BYTES`.
 */

import { parseArgs } from "@std/cli/parse-args";
import { createHash } from "node:crypto";
import { join } from "node:path";
import process from "node:process";
import { connect } from "../../client.ts";
import type { Connection } from "../../connection.ts";
import { ConnectionClosedError, ConnectionLostError } from "../../errors.ts";
import {
  type FileMethods,
  fileRequests,
  FileSource,
  getFile,
  putFile,
  type TransferProgress,
} from "../../files.ts";
import { openTarget } from "../../files/get.ts";
import { writeAll } from "../../internal/bytes.ts";
import { RequestError, type RequestPeer } from "../../request.ts";
import { RunningServer } from "../support/program.ts";

const MAX_RSS_BYTES = 400 * 1024 * 1024;
const MIB = 1024 * 1024;

const args = parseArgs(Deno.args, { string: ["bytes", "cuts", "dir"] });
const bytes = Number(args.bytes ?? 1024 * MIB);
const cuts = Number(args.cuts ?? 10);

async function run(): Promise<void> {
  const source = join(here, "source");
  const digest = await makeFile(source);
  const bulk = await measureBulk();
  console.log(`bulk   ${rate(bulk)} plain messages of 1 MiB, one connection`);
  console.log(`sha256 ${rate(measureHash())} which either end needs for each byte`);
  // What the system needs to find memory for the first time is not what is measured.
  const [first, again] = [await measureWrite(), await measureWrite()];
  console.log(`write  ${rate(again)} to a file and nothing else, ${rate(first).trim()} at first`);

  const args = ["127.0.0.1:0", "--service", "files", "--dir", served, "--quiet"];
  await using server = await RunningServer.start(args, {
    flags: ["--allow-net", `--allow-read=${served}`, `--allow-write=${served}`],
  });
  const memory = new Memory(server.pid);
  {
    using file = await FileSource.open(source, "big");
    const done = await throughCuts(
      server,
      memory,
      (peer, onProgress) => putFile(peer, file, { onProgress }),
    );
    tell("put", done, bulk);
  }
  check("put: hash", await hashOf(join(served, "big")), digest);
  {
    const part = await openTarget(join(here, "copy"));
    const done = await throughCuts(
      server,
      memory,
      (peer, onProgress) => getFile(peer, "big", part, { onProgress }),
    );
    tell("get", done, bulk);
  }
  check("get: hash", await hashOf(join(here, "copy")), digest);
  check("left over", [...Deno.readDirSync(served)].map(({ name }) => name).join(), "big");
  memory.tell();
}

interface Done {
  readonly seconds: number;
  readonly attempts: number;
  readonly sent: number;
  /** Seconds on the CPU. */
  readonly cpu: readonly [client: number, server: number];
}

/** Attempts at a transfer, each but the last cut off when it has come a share further. */
async function throughCuts(
  server: RunningServer,
  memory: Memory,
  attempt: (
    peer: RequestPeer<FileMethods>,
    onProgress: (progress: TransferProgress) => void,
  ) => Promise<unknown>,
): Promise<Done> {
  const startedAt = performance.now();
  const [client, served] = cpuTimes(server.pid);
  let cut = 0;
  let sent = 0;
  for (let attempts = 1;; attempts++) {
    const connection: Connection = await connect(server.endpoints[0]);
    const peer = fileRequests(connection);
    let from: number | undefined;
    let at = 0;
    try {
      await attempt(peer, (progress) => {
        from ??= progress.offset;
        at = progress.bytes;
        memory.look();
        if (cut < cuts && at >= (cut + 1) * bytes / (cuts + 1)) {
          cut++;
          connection.abort();
        }
      });
      sent += at - (from ?? 0);
      await peer.close();
      const seconds = (performance.now() - startedAt) / 1000;
      const [clientNow, servedNow] = cpuTimes(server.pid);
      return { seconds, attempts, sent, cpu: [clientNow - client, servedNow - served] };
    } catch (error) {
      sent += at - (from ?? 0);
      const isCut = error instanceof ConnectionClosedError ||
        error instanceof ConnectionLostError ||
        error instanceof RequestError && error.code === "busy";
      if (!isCut) throw error;
      await peer.close();
    }
  }
}

/** Seconds that this process and the server have been on the CPU; of the server on Linux only. */
function cpuTimes(pid: number): [client: number, server: number] {
  const { user, system } = process.cpuUsage();
  const fields = Deno.build.os === "linux"
    ? Deno.readTextFileSync(`/proc/${pid}/stat`).split(") ")[1].split(" ")
    : [];
  const ticks = Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
  return [(user + system) / 1e6, ticks / 100];
}

function tell(verb: string, { seconds, attempts, sent, cpu }: Done, bulk: number): void {
  const own = bytes / seconds;
  const share = (own / bulk * 100).toFixed(0);
  const [client, server] = cpu.map((time) => (time / sent * 1024 * MIB).toFixed(2));
  console.log(
    `${verb}    ${rate(own)} ${share} % of bulk; ${attempts} attempts, ` +
      `${(sent / bytes * 100).toFixed(1)} % of the bytes sent, verified and on the disk; ` +
      `CPU per GiB: client ${client} s, server ${server} s`,
  );
}

function rate(bytesPerSecond: number): string {
  return `${(bytesPerSecond / 1e6).toFixed(0).padStart(5)} MB/s`;
}

function check(what: string, actual: string, expected: string): void {
  if (actual === expected) return;
  failures++;
  console.error(`${what}: ${actual} instead of ${expected}`);
}

/** Bytes per second of messages of 1 MiB to a server that drops them. */
async function measureBulk(): Promise<number> {
  await using server = await RunningServer.start(["127.0.0.1:0", "--service", "sink", "--quiet"]);
  await using connection = await connect(server.endpoints[0]);
  const message = new Uint8Array(MIB);
  const startedAt = performance.now();
  for (let sent = 0; sent < bytes; sent += message.length) await connection.send(message);
  await connection.close();
  return bytes / ((performance.now() - startedAt) / 1000);
}

/** Bytes per second of the hash alone. */
function measureHash(): number {
  const hash = createHash("sha256");
  const block = new Uint8Array(256 * 1024);
  const { user } = process.cpuUsage();
  for (let at = 0; at < 256 * MIB; at += block.length) hash.update(block);
  return 256 * MIB / (process.cpuUsage().user - user) * 1e6;
}

/** Bytes per second of a file that takes all the memory that is needed later, on the disk. */
async function measureWrite(): Promise<number> {
  const path = join(here, "written");
  const block = new Uint8Array(MIB).fill(1);
  const startedAt = performance.now();
  {
    using file = await Deno.open(path, { write: true, createNew: true });
    for (let at = 0; at < 2 * bytes; at += block.length) {
      await writeAll(file, block);
    }
    await file.sync();
  }
  const seconds = (performance.now() - startedAt) / 1000;
  await Deno.remove(path);
  return 2 * bytes / seconds;
}

/** Bytes that repeat nowhere near; resolves to their SHA-256. */
async function makeFile(path: string): Promise<string> {
  using file = await Deno.open(path, { write: true, createNew: true });
  const block = new Uint8Array(MIB);
  for (let at = 0; at < block.length; at += 65536) {
    crypto.getRandomValues(block.subarray(at, at + 65536));
  }
  const hash = createHash("sha256");
  const view = new DataView(block.buffer);
  for (let at = 0; at < bytes; at += block.length) {
    for (let mark = 0; mark < block.length; mark += 4096) view.setFloat64(mark, at + mark);
    const part = block.subarray(0, Math.min(block.length, bytes - at));
    hash.update(part);
    await writeAll(file, part);
  }
  return hash.digest("hex");
}

async function hashOf(path: string): Promise<string> {
  using file = await Deno.open(path);
  const hash = createHash("sha256");
  const block = new Uint8Array(MIB);
  for (let read; (read = await file.read(block)) !== null;) hash.update(block.subarray(0, read));
  return hash.digest("hex");
}

/** The resident memory of this process and of the server. */
class Memory {
  readonly #pid: number;
  readonly #first: readonly [own: number, server: number];
  #most: [own: number, server: number];
  #lookedAt = 0;

  constructor(pid: number) {
    this.#pid = pid;
    this.#first = this.#now();
    this.#most = [...this.#first];
  }

  look(): void {
    if (performance.now() - this.#lookedAt < 50) return;
    this.#lookedAt = performance.now();
    const [own, server] = this.#now();
    this.#most = [Math.max(this.#most[0], own), Math.max(this.#most[1], server)];
  }

  tell(): void {
    const [own, server] = this.#most.map((most, i) =>
      `${(this.#first[i] / MIB).toFixed(0)} to at most ${(most / MIB).toFixed(0)} MiB`
    );
    console.log(`memory client ${own}, server ${server}`);
    if (Math.max(...this.#most) > MAX_RSS_BYTES) {
      failures++;
      console.error(`memory: limit is ${MAX_RSS_BYTES / MIB} MiB`);
    }
  }

  #now(): [number, number] {
    const status = Deno.build.os === "linux"
      ? Deno.readTextFileSync(`/proc/${this.#pid}/status`)
      : "";
    const server = Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
    return [Deno.memoryUsage().rss, server];
  }
}

let failures = 0;
const base = await Deno.makeTempDir({ dir: args.dir });
const served = join(base, "served");
const here = join(base, "here");
try {
  await Deno.mkdir(served);
  await Deno.mkdir(here);
  await run();
} finally {
  await Deno.remove(base, { recursive: true });
}
Deno.exit(failures === 0 ? 0 : 1);
