/** What the end that has files answers. */

import { Deadline } from "../deadline.ts";
import { type Handlers, RequestError } from "../request.ts";
import type { OpenDirectory, Receiving } from "./directory.ts";
import { fileError, fileFailure } from "./errors.ts";
import { checkName } from "./names.ts";
import {
  BEFORE,
  type FileDigest,
  type FileEntry,
  type FileMethods,
  type FileOffer,
  type FileOffered,
  type FilePut,
  type FileWanted,
  isDigest,
  isSize,
  MAX_CHUNK_BYTES,
} from "./types.ts";

/** After these nothing is kept of what was received: nobody could go on with it. */
const HOPELESS = ["disk-full", "exists", "hash-mismatch", "invalid-params", "size-mismatch"];

/** Handlers for one directory. `chunkBytes` is the largest item that this end takes and sends. */
export function handlersOf(directory: OpenDirectory, chunkBytes: number): Handlers<FileMethods> {
  return {
    "files.list": () => list(directory),
    "files.offer": (params, { signal }) => offer(directory, paramsOf(params), chunkBytes, signal),
    "files.put": (params, context) => put(directory, paramsOf(params), context),
    "files.get": (params) => get(directory, paramsOf(params), chunkBytes),
  };
}

/** What comes may be anything. Other fields are looked at where they are used. */
function paramsOf<Params extends { readonly name: string }>(params: Params): Params {
  if (typeof params !== "object" || params === null) {
    throw fileError("invalid-params", "transfer file", "params are no object");
  }
  checkName(params.name);
  return params;
}

async function* list(directory: OpenDirectory): AsyncGenerator<FileEntry> {
  using _place = directory.enter("list files");
  yield* await directory.list();
}

async function offer(
  directory: OpenDirectory,
  params: FileOffer,
  chunkBytes: number,
  signal: AbortSignal,
): Promise<FileOffered> {
  using _place = directory.enter(`write ${params.name}`);
  const whole = await directory.whole(params);
  if (whole !== undefined) {
    try {
      const sha256 = await whole.digestOf(whole.size, signal);
      return { offset: whole.size, sha256, whole: true, chunkBytes };
    } finally {
      directory.release(whole);
    }
  }
  const stopped = new AbortController();
  const stop = (reason: unknown) => stopped.abort(reason);
  const receiving = await directory.open(params, { signal, stop });
  try {
    const sha256 = await receiving.part.digest(AbortSignal.any([signal, stopped.signal]));
    return { offset: receiving.part.offset, sha256, whole: false, chunkBytes };
  } finally {
    await receiving.leave(false);
  }
}

async function put(
  directory: OpenDirectory,
  params: FilePut,
  { items, signal }: { readonly items: AsyncIterable<unknown>; readonly signal: AbortSignal },
): Promise<FileDigest> {
  const { name, size, offset } = params;
  const what = `write ${name}`;
  using _place = directory.enter(what);
  const whole = await directory.whole(params);
  if (whole !== undefined) directory.release(whole);
  if (whole !== undefined && !directory.options.replace) {
    throw fileError("exists", what, "there is one of that name");
  }
  const content = new Content(items, what, directory.options.idleTimeout);
  const receiving = await directory.open(params, {
    signal,
    stop: (reason) => content.stop(reason),
  });
  let isHopeless = false;
  try {
    await directory.makeRoom(params);
    await begin(receiving, offset, size, what);
    const { sha256 } = await receive(receiving, content, size, what);
    await receiving.part.finish(sha256, { replace: directory.options.replace });
    return { sha256 };
  } catch (error) {
    const failure = fileFailure(error, what);
    isHopeless = HOPELESS.includes((failure as { code?: string }).code ?? "");
    throw failure;
  } finally {
    content.end();
    await receiving.leave(isHopeless);
  }
}

async function begin({ part }: Receiving, offset: number, size: number, what: string) {
  if (offset === 0) return await part.restart();
  if (offset === part.offset && offset <= size) return;
  throw fileError("wrong-offset", what, `${part.offset} bytes of it are there`);
}

async function receive(
  { part }: Receiving,
  content: Content,
  size: number,
  what: string,
): Promise<FileDigest> {
  for (let item; (item = await content.next()) !== undefined;) {
    if (isDigest(item)) {
      if (part.offset === size) return item;
      throw fileError("size-mismatch", what, `${size} bytes were promised, ${part.offset} came`);
    }
    if (!(item instanceof Uint8Array) || item.length === 0) {
      throw fileError("invalid-params", what, "an item is neither bytes nor digest");
    }
    if (item.length > size - part.offset) {
      throw fileError("size-mismatch", what, `more than the ${size} bytes came that were promised`);
    }
    await part.write(item);
  }
  throw fileError("incomplete", what, `its end is missing after ${part.offset} of ${size} bytes`);
}

/** The items of an upload, which may be stopped from here when they do not come. */
class Content {
  readonly #iterator: AsyncIterator<unknown>;
  readonly #what: string;
  readonly #deadline: Deadline;
  #stopped: { readonly reason: unknown } | undefined;

  constructor(items: AsyncIterable<unknown>, what: string, idleTimeout: number) {
    this.#iterator = items[Symbol.asyncIterator]();
    this.#what = what;
    this.#deadline = new Deadline(idleTimeout, () => {
      this.stop(fileError("stalled", what, `nothing came within ${idleTimeout} ms`));
    });
  }

  /** The next item; undefined at the end. */
  async next(): Promise<unknown> {
    this.#deadline.start();
    try {
      const { done, value } = await this.#iterator.next();
      if (this.#stopped !== undefined) throw this.#stopped.reason;
      return done ? undefined : value;
    } catch (cause) {
      if (cause instanceof RequestError) throw cause;
      // The connection ended: the caller's affair, and no failure of this end.
      throw fileError("incomplete", this.#what, "its sender is gone", { cause });
    } finally {
      this.#deadline.stop();
    }
  }

  /** Makes whoever waits for the next item get this error. */
  stop(reason: unknown): void {
    this.#stopped ??= { reason };
    this.end();
  }

  /** No more is wanted. */
  end(): void {
    this.#deadline.clear();
    this.#iterator.return?.();
  }
}

async function* get(
  directory: OpenDirectory,
  params: FileWanted,
  ownChunkBytes: number,
): AsyncGenerator<FileEntry | Uint8Array | FileDigest> {
  const { name, offset, sha256, chunkBytes } = params;
  const what = `read ${name}`;
  if (!isSize(offset) || !isSize(chunkBytes) || chunkBytes < 1) {
    throw fileError("invalid-params", what, "offset and chunkBytes must be numbers");
  }
  using resources = new DisposableStack();
  resources.use(directory.enter(what));
  const source = await directory.source(name);
  resources.defer(() => directory.release(source));
  if (offset > 0 && (offset > source.size || await source.digestOf(offset) !== sha256)) {
    const state = "it does not begin with what is there already";
    throw fileError("source-changed", what, state, { data: BEFORE });
  }
  // While nobody asks for the next item nothing runs here that could notice, so the timer frees what
  // others may need.
  const { idleTimeout } = directory.options;
  const idle = new Deadline(idleTimeout, () => resources.dispose());
  resources.defer(() => idle.clear());
  const stalled = () => fileError("stalled", what, `nobody read on within ${idleTimeout} ms`);
  idle.start();
  yield { name, size: source.size, modified: source.modified };
  if (resources.disposed) throw stalled();
  const most = Math.min(ownChunkBytes, chunkBytes, MAX_CHUNK_BYTES);
  for await (const item of source.chunks(offset, most)) {
    idle.start();
    yield item;
    idle.stop();
    if (resources.disposed) throw stalled();
  }
}
