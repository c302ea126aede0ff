/** A directory that is served, a place to send files from, and peers that do so. */

import { assertEquals, assertRejects } from "@std/assert";
import { dirname, join } from "node:path";
import { Connection } from "../../connection.ts";
import {
  type Directory,
  type DirectoryOptions,
  type FileMethods,
  fileRequests,
  openDirectory,
  serveFiles,
} from "../../files.ts";
import type { OpenDirectory } from "../../files/directory.ts";
import { RequestError, type RequestOptions, type RequestPeer } from "../../request.ts";
import { memoryPair } from "../../testing.ts";

/** One peer, and how to cut it off. */
export interface Linked {
  readonly peer: RequestPeer<FileMethods>;
  /** The connection breaks, as when a cable is pulled out. Resolves when both ends know. */
  cut(): Promise<void>;
}

/** Temporary directories and connections, gone when it is disposed of. */
export class World implements AsyncDisposable {
  readonly served: string;
  readonly here: string;
  readonly directory: Directory;
  readonly #ends: AsyncDisposable[] = [];

  private constructor(served: string, here: string, directory: Directory) {
    this.served = served;
    this.here = here;
    this.directory = directory;
  }

  /** Makes one. */
  static async create(options: DirectoryOptions = {}): Promise<World> {
    const base = await Deno.makeTempDir();
    const [served, here] = [join(base, "served"), join(base, "here")];
    await Deno.mkdir(served);
    await Deno.mkdir(here);
    return new World(served, here, await openDirectory(served, options));
  }

  /** A new peer. */
  link(options: RequestOptions = {}, directory = this.directory): Linked {
    const [near, far] = memoryPair().map((transport) => new Connection(transport));
    const server = serveFiles(far, directory, options);
    const peer = fileRequests(near);
    this.#ends.push(peer, server);
    return {
      peer,
      async cut() {
        near.abort();
        await Promise.all([peer.closed, server.closed]);
      },
    };
  }

  /** Something to end with the rest. */
  add<End extends AsyncDisposable>(end: End): End {
    this.#ends.push(end);
    return end;
  }

  /** A file to send; returns its path. */
  async write(name: string, content: Uint8Array | string): Promise<string> {
    const path = join(this.here, name);
    await Deno.writeFile(path, typeof content === "string" ? encoder.encode(content) : content);
    return path;
  }

  /** What is in a directory, hidden files included, sorted. */
  names(directory = this.served): string[] {
    return [...Deno.readDirSync(directory)].map(({ name }) => name).sort();
  }

  /** Resolves when the served directory has a file of so many bytes. */
  async grown(bytes: number): Promise<void> {
    while (!this.names().some((name) => sizeOf(join(this.served, name)) === bytes)) {
      await new Promise((resolve) => setTimeout(resolve));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#ends.map((end) => end[Symbol.asyncDispose]()));
    // What was under way puts its things in order, for longer than its connection lasts.
    const { places } = this.directory as OpenDirectory;
    while (places.taken > 0) await new Promise((resolve) => setTimeout(resolve));
    await Deno.remove(dirname(this.served), { recursive: true });
  }
}

function sizeOf(path: string): number | undefined {
  try {
    return Deno.lstatSync(path).size;
  } catch {
    return undefined; // It was moved meanwhile.
  }
}

const encoder = new TextEncoder();

/** Bytes that differ from place to place, and by seed. */
export function content(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let state = seed;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    bytes[i] = state >> 16;
  }
  return bytes;
}

/** SHA-256 in hexadecimal digits. */
export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

/** A thousand bytes, and their digest. */
export const SOME: Uint8Array<ArrayBuffer> = content(1000);
export const SOME_DIGEST: string = await sha256(SOME);

type Peer = Pick<RequestPeer<FileMethods>, "closed">;

/** Rejects with an error of this code. */
export async function assertCode(
  action: () => Promise<unknown>,
  code: string,
): Promise<RequestError> {
  const error = await assertRejects(action, RequestError);
  assertEquals(error.code, code, error.message);
  return error;
}

/** A put that sends just these items. */
export function rawPut(
  peer: Peer,
  params: object,
  items: AsyncIterable<unknown> | Iterable<unknown>,
) {
  const all = { name: "x", size: SOME.length, offset: 0, ...params };
  return (peer as unknown as RequestPeer).request("files.put", all, { items });
}

/** A get, read to its end. */
export function rawGet(peer: Peer, params: object): Promise<unknown[]> {
  const all = { name: "x", offset: 0, chunkBytes: 1000, ...params };
  return Array.fromAsync((peer as unknown as RequestPeer).stream("files.get", all));
}

/** Items that never end, and a promise that the first was sent. */
export function endless(first: Uint8Array = SOME.subarray(0, 10)) {
  const sent = Promise.withResolvers<void>();
  const stop = Promise.withResolvers<void>();
  async function* items() {
    yield first;
    sent.resolve();
    await stop.promise;
  }
  return { items: items(), sent: sent.promise, stop: stop.resolve };
}
