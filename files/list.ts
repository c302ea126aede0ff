/** Listing a peer's files. */

import { ProtocolError } from "../errors.ts";
import type { RequestPeer } from "../request.ts";
import { isName } from "./names.ts";
import { type FileEntry, type FileMethods, isSize } from "./types.ts";

/**
 * The files of a peer, sorted by name.
 *
 * @throws {RequestError} that the peer answers with.
 * @throws {ProtocolError} for an answer that is not a list of files.
 */
export async function* listFiles(
  peer: RequestPeer<FileMethods>,
  options: { signal?: AbortSignal } = {},
): AsyncGenerator<FileEntry, void, void> {
  for await (const entry of peer.stream("files.list", undefined, options)) yield entryOf(entry);
}

/**
 * Reads what a peer says about a file.
 *
 * @throws {ProtocolError} if it is not about a file.
 */
export function entryOf(value: unknown): FileEntry {
  if (typeof value === "object" && value !== null && "name" in value) {
    const { name, size, modified = null } = value as Partial<FileEntry>;
    const isTime = modified === null || typeof modified === "number";
    if (typeof name === "string" && isName(name) && isSize(size) && isTime) {
      return { name, size, modified };
    }
  }
  throw new ProtocolError("Cannot read files of peer: it sent something that is not a file entry");
}
