/** A directory that is served, a place to send files from, and peers that do so. */

import { join } from "node:path";
import { Connection } from "../connection.ts";
import {
  type Directory,
  type DirectoryOptions,
  type FileMethods,
  fileRequests,
  openDirectory,
  serveFiles,
} from "../files.ts";
import type { RequestOptions, RequestPeer } from "../request.ts";
import { memoryPair } from "../testing.ts";

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
    const [served, here] = [await Deno.makeTempDir(), await Deno.makeTempDir()];
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
    await Deno.remove(this.served, { recursive: true });
    await Deno.remove(this.here, { recursive: true });
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
