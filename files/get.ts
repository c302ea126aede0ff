/** Fetching a file. */

import { basename, dirname, join } from "node:path";
import { ProtocolError } from "../errors.ts";
import { requireDenoFor } from "../internal/runtime/runtime.ts";
import { RequestError, type RequestPeer } from "../request.ts";
import { rememberedLimit } from "./chunk_size.ts";
import { fileError, fileFailure } from "./errors.ts";
import { entryOf } from "./list.ts";
import { checkName, storedName } from "./names.ts";
import { FilePart } from "./part.ts";
import { infoOf } from "./regular.ts";
import { type TransferOptions, type Transferred, Watch } from "./transfer.ts";
import { BEFORE, type FileMethods, isDigest, MAX_FILE_BYTES } from "./types.ts";

/** The target of the bytes of a file, for programs that do not want them in a file. */
export interface FileTarget {
  /** How many bytes the target has. */
  readonly offset: number;
  /** SHA-256 of these bytes, as hexadecimal digits. */
  digest(signal?: AbortSignal): Promise<string>;
  /** Adds bytes; resolves when there is space for more. */
  write(bytes: Uint8Array): Promise<void>;
  /** Throws the bytes away, or throws an error if it cannot. */
  restart(): Promise<void>;
  /** Verifies the bytes, which are now complete. */
  finish(sha256: string, options?: { replace?: boolean }): Promise<void>;
}

/** Options of {@linkcode getFile}. */
export interface GetOptions extends TransferOptions {
  /**
   * Lets the file replace another one at the path.
   *
   * @default false
   */
  replace?: boolean;
  /**
   * The largest file that is accepted, in bytes.
   *
   * @default 17_179_869_184
   */
  maxFileBytes?: number;
  /**
   * The largest chunk, in bytes, up to 1 MiB; messages are a little larger.
   *
   * @default what the connection accepts, if `fileRequests()` made the peer; otherwise 262_144
   */
  chunkBytes?: number;
}

/**
 * Fetches a file to a path. Bytes from an earlier attempt are not fetched again, if they are the
 * beginning of the file. Until the file is complete and verified, it is in the same directory under
 * another name. A {@linkcode FileTarget} may be used for several attempts. The caller closes it.
 *
 * @throws {RequestError} that the peer answers with, or with what is wrong at the path.
 * @throws {ProtocolError} for answers that are not possible.
 * @throws {ConnectionLostError} {ConnectionClosedError} when the connection ends before.
 * @throws what `signal` was aborted with.
 */
export async function getFile(
  peer: RequestPeer<FileMethods>,
  name: string,
  to: string | FileTarget,
  options: GetOptions = {},
): Promise<Transferred> {
  checkName(name);
  if (typeof to !== "string") return await getInto(peer, name, to, options);
  const part = await openTarget(to, options);
  try {
    return await getInto(peer, name, part, options);
  } catch (error) {
    throw fileFailure(error, `write ${basename(to)}`);
  } finally {
    await part.close();
  }
}

/**
 * Opens the part that has arrived of the file for a path.
 *
 * @throws {RequestError} `exists` unless it may be replaced, `busy`, `not-a-file`, `not-permitted`,
 * `invalid-name`, `io-error`
 */
export async function openTarget(
  path: string,
  { replace = false }: GetOptions = {},
): Promise<FilePart> {
  requireDenoFor("files on disk");
  const what = `write ${basename(path)}`;
  let stored = path;
  try {
    stored = join(dirname(path), await storedName(dirname(path), basename(path)));
    const there = await infoOf(stored);
    if (there !== undefined && !there.isFile) {
      throw fileError("not-a-file", what, "there is something that is not a regular file");
    }
    if (there !== undefined && !replace) {
      throw fileError("exists", what, "there is one of that name");
    }
  } catch (error) {
    throw fileFailure(error, what);
  }
  return await FilePart.open(stored, basename(stored));
}

async function getInto(
  peer: RequestPeer<FileMethods>,
  name: string,
  target: FileTarget,
  options: GetOptions,
): Promise<Transferred> {
  using watch = new Watch(`fetch ${name}`, options);
  try {
    return await fetchRest(peer, name, target, watch, options);
  } catch (error) {
    const isOther = error instanceof RequestError && error.code === "source-changed" &&
      error.data === BEFORE && target.offset > 0;
    if (!isOther) throw error;
  }
  await target.restart();
  options.onRestart?.();
  return await fetchRest(peer, name, target, watch, options);
}

async function fetchRest(
  peer: RequestPeer<FileMethods>,
  name: string,
  target: FileTarget,
  watch: Watch,
  options: GetOptions,
): Promise<Transferred> {
  const { maxFileBytes = MAX_FILE_BYTES, chunkBytes = rememberedLimit(peer) } = options;
  const { signal } = watch;
  const { offset } = target;
  const wanted = { name, offset, chunkBytes, sha256: await target.digest(signal) };
  let size: number | undefined;
  for await (const item of peer.stream("files.get", wanted, { signal })) {
    watch.moved();
    if (size === undefined) {
      size = entryOf(item).size;
      if (size > maxFileBytes) {
        throw fileError("too-large", `fetch ${name} of ${size} bytes`, `limit is ${maxFileBytes}`);
      }
    } else if (isContent(item) && item.length <= size - target.offset) {
      options.onProgress?.({ bytes: target.offset, size, offset });
      await target.write(item);
    } else if (isDigest(item) && target.offset === size) {
      const { sha256 } = item;
      watch.wait();
      options.onProgress?.({ bytes: size, size, offset });
      await target.finish(sha256, { replace: options.replace });
      return { name, size, sha256, resumedAt: offset };
    } else break;
  }
  const state = size === undefined
    ? "the peer sent nothing"
    : "the peer's data do not match the size it announced";
  throw new ProtocolError(`Cannot fetch ${name}: ${state}`);
}

/** Whether this is at least one byte. Empty items would look like progress for ever. */
function isContent(item: unknown): item is Uint8Array {
  return item instanceof Uint8Array && item.length > 0;
}
