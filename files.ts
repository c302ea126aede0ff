/**
 * Files over a connection: list, fetch and send them. They are verified, and a transfer that was
 * cut continues.
 *
 * @module
 */

import type { RequestConnection, RequestOptions, RequestPeer } from "./request.ts";
import { requests } from "./request.ts";
import { chunkLimit, rememberLimit } from "./files/chunk_size.ts";
import { type Directory, OpenDirectory } from "./files/directory.ts";
import { handlersOf } from "./files/handlers.ts";
import type { FileMethods } from "./files/types.ts";

export { type Directory, openDirectory } from "./files/directory.ts";
export type { DirectoryOptions } from "./files/directory_options.ts";
export type { FileErrorCode } from "./files/errors.ts";
export { checkName, isName, MAX_NAME_BYTES } from "./files/names.ts";
export { FileSource } from "./files/source.ts";
export { type FileTarget, getFile, type GetOptions } from "./files/get.ts";
export { putFile, type PutOptions } from "./files/put.ts";
export { listFiles } from "./files/list.ts";
export type { TransferOptions, TransferProgress, Transferred } from "./files/transfer.ts";
export type {
  FileDigest,
  FileEntry,
  FileMethods,
  FileOffer,
  FileOffered,
  FilePut,
  FileWanted,
} from "./files/types.ts";

/** How many bytes of a stream of chunks may be under way: enough to keep a connection busy. */
const WINDOW_BYTES = 4 * 1024 * 1024;
/** How many transfers of one connection run at a time; further ones wait. */
const MAX_CONCURRENT = 8;

/**
 * Serves the files of a directory over one connection, until the connection ends. No other code may
 * read from the connection or send on it. All connections to one directory share one {@linkcode
 * Directory}.
 *
 * @throws {TypeError} {RangeError} as `requests()`.
 *
 * @example A directory, one file there and back
 * ```ts
 * import { connect, listen } from "@lengthwise/lengthwise";
 * import { fileRequests, getFile, listFiles, openDirectory, putFile, serveFiles }
 *   from "@lengthwise/lengthwise/files";
 * import { assertEquals } from "@std/assert";
 *
 * const served = await Deno.makeTempDir();
 * const here = await Deno.makeTempDir();
 * await Deno.writeTextFile(`${here}/hello.txt`, "hello");
 *
 * const directory = await openDirectory(served);
 * await using server = await listen("tcp://127.0.0.1:0", async (connection) => {
 *   await serveFiles(connection, directory).closed;
 * });
 * await using peer = fileRequests(await connect(server.endpoints[0]));
 * await putFile(peer, `${here}/hello.txt`);
 * const [{ name, size }] = await Array.fromAsync(listFiles(peer));
 * assertEquals([name, size], ["hello.txt", 5]);
 * await getFile(peer, "hello.txt", `${here}/copy.txt`);
 * assertEquals(await Deno.readTextFile(`${here}/copy.txt`), "hello");
 *
 * await Deno.remove(served, { recursive: true });
 * await Deno.remove(here, { recursive: true });
 * ```
 */
export function serveFiles(
  connection: RequestConnection,
  directory: Directory,
  options: RequestOptions = {},
): RequestPeer {
  if (!(directory instanceof OpenDirectory)) {
    throw new TypeError("Cannot serve files: open their directory with openDirectory() first");
  }
  const handlers = handlersOf(directory, chunkLimit(connection));
  return requests<never, FileMethods>(connection, handlers, {
    maxConcurrent: MAX_CONCURRENT,
    maxStreamBytes: WINDOW_BYTES,
    ...options,
  }) as RequestPeer;
}

/**
 * Calls `requests()` for a peer that serves files, with windows that are right for files. Give the
 * result to {@linkcode putFile}, {@linkcode getFile} and {@linkcode listFiles}.
 *
 * @throws {TypeError} {RangeError} as `requests()`.
 */
export function fileRequests(
  connection: RequestConnection,
  options: RequestOptions = {},
): RequestPeer<FileMethods> {
  const peer = requests<FileMethods, never>(connection, {} as never, {
    maxStreamBytes: WINDOW_BYTES,
    ...options,
  });
  rememberLimit(peer, connection);
  return peer;
}
