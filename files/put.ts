/** Sending a file. */

import { basename } from "node:path";
import { ProtocolError } from "../errors.ts";
import type { RequestPeer } from "../request.ts";
import { MAX_CHUNK_BYTES } from "./chunk_size.ts";
import { fileFailure } from "./errors.ts";
import { checkName } from "./names.ts";
import { FileSource } from "./source.ts";
import { type TransferOptions, type Transferred, Watch } from "./transfer.ts";
import { type FileDigest, type FileMethods, type FileOffered, isDigest, isSize } from "./types.ts";

/** Options of {@linkcode putFile}. */
export interface PutOptions extends TransferOptions {
  /**
   * The name of the file at the peer.
   *
   * @default the name of the file
   */
  name?: string;
}

/**
 * Sends a file. Bytes that the peer has from an earlier attempt are not sent again, if they are the
 * beginning of this file. A {@linkcode FileSource} may be used for several attempts; then bytes
 * that were read for the checksum are not read again.
 *
 * @throws {RequestError} that the peer answers with, or with what is wrong with the file.
 * @throws {ProtocolError} for answers that are not possible.
 * @throws {ConnectionLostError} {ConnectionClosedError} when the connection ends before.
 * @throws what `signal` was aborted with.
 */
export async function putFile(
  peer: RequestPeer<FileMethods>,
  file: string | FileSource,
  options: PutOptions = {},
): Promise<Transferred> {
  if (typeof file !== "string") return await putSource(peer, file, options);
  using source = await FileSource.open(file, basename(file));
  try {
    return await putSource(peer, source, options);
  } catch (error) {
    throw fileFailure(error, `read ${source.name}`);
  }
}

async function putSource(
  peer: RequestPeer<FileMethods>,
  source: FileSource,
  options: PutOptions,
): Promise<Transferred> {
  const { name = source.name } = options;
  checkName(name);
  const { size, id: owner } = source;
  using watch = new Watch(`send ${name}`, options);
  const { signal } = watch;
  const offer = { name, size, owner };
  const offered = offeredOf(await peer.request("files.offer", offer, { signal }));
  let { offset } = offered;
  const isBeginning = offset <= size && await source.digestOf(offset, signal) === offered.sha256;
  if (offered.whole && isBeginning) {
    return { name, size, sha256: offered.sha256, resumedAt: size };
  }
  if (offered.whole || !isBeginning) {
    if (!offered.whole) options.onRestart?.();
    offset = 0;
  }
  const chunkBytes = Math.min(offered.chunkBytes, MAX_CHUNK_BYTES);
  watch.moved();
  const chunks = watched(source, offset, chunkBytes, watch, options);
  try {
    const params = { ...offer, offset };
    const { sha256 } = digestOf(
      await peer.request("files.put", params, { signal, items: chunks }),
    );
    return { name, size, sha256, resumedAt: offset };
  } finally {
    await chunks.return();
  }
}

async function* watched(
  source: FileSource,
  offset: number,
  chunkBytes: number,
  watch: Watch,
  { onProgress }: PutOptions,
): AsyncGenerator<Uint8Array | FileDigest, void, void> {
  const { size } = source;
  let bytes = offset;
  for await (const chunk of source.chunks(offset, chunkBytes, watch.signal)) {
    onProgress?.({ bytes, size, offset });
    if (chunk instanceof Uint8Array) {
      watch.moved();
      bytes += chunk.length;
    } else watch.wait();
    yield chunk;
  }
}

function offeredOf(value: unknown): FileOffered {
  const { offset, chunkBytes, whole } = (value ?? {}) as Partial<FileOffered>;
  if (isSize(offset) && isSize(chunkBytes) && chunkBytes > 0 && isDigest(value)) {
    return { offset, chunkBytes, whole: whole === true, sha256: value.sha256 };
  }
  throw new ProtocolError("Cannot send file: the peer's answer does not say which bytes it has");
}

function digestOf(value: unknown): FileDigest {
  if (isDigest(value)) return value;
  throw new ProtocolError(
    "Cannot send file: the peer's answer has no digest of the bytes that arrived",
  );
}
