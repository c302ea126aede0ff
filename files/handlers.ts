/** The answers of the end that has the files. */

import { type Handlers, type RequestContext, RequestError } from "../request.ts";
import { MAX_CHUNK_BYTES } from "./chunk_size.ts";
import type { OpenDirectory, Receiving } from "./directory.ts";
import { fileError, fileFailure } from "./errors.ts";
import { checkName } from "./names.ts";
import { Pace, type PaceOptions } from "./pace.ts";
import type { Guest } from "./places.ts";
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
} from "./types.ts";

/** After these errors the received bytes are removed, because no attempt could continue them. */
const HOPELESS = ["disk-full", "exists", "hash-mismatch", "invalid-params", "size-mismatch"];

/** What a handler works with: for whom, and in which directory. */
interface Host {
  readonly directory: OpenDirectory;
  readonly guest: Guest;
  /** The largest item that this end accepts and sends. */
  readonly chunkBytes: number;
}

/**
 * Handlers for one connection to a directory. `chunkBytes` is the largest item that this end
 * accepts and sends.
 */
export function handlersOf(directory: OpenDirectory, chunkBytes: number): Handlers<FileMethods> {
  const host: Host = { directory, guest: { transfers: 0, promised: 0 }, chunkBytes };
  return {
    "files.list": (_, { signal }) => streamed(listEntries(host), signal),
    "files.offer": (params, { signal }) =>
      answered(answerOffer(host, paramsOf(params), signal), signal),
    "files.put": (params, context) =>
      answered(answerPut(host, paramsOf(params), context), context.signal),
    "files.get": (params, { signal }) =>
      streamed(answerGet(host, paramsOf(params), signal), signal),
  };
}

async function answered<T>(answer: Promise<T>, signal: AbortSignal): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw failureOf(error, signal);
  }
}

async function* streamed<T>(
  items: AsyncIterable<T>,
  signal: AbortSignal,
): AsyncGenerator<T, void, void> {
  try {
    yield* items;
  } catch (error) {
    throw failureOf(error, signal);
  }
}

/**
 * The error to throw. A caller that is gone is not a failure. A failure of the system is this end's
 * own.
 */
function failureOf(error: unknown, { aborted, reason }: AbortSignal): unknown {
  if (aborted && error === reason) {
    return fileError("cancelled", "transfer file", "its caller is gone", { cause: error });
  }
  return error instanceof RequestError && error.code === "io-error" ? error.cause : error;
}

/** The peer may send anything. Other fields are checked where they are used. */
function paramsOf<Params extends { readonly name: string }>(params: Params): Params {
  if (typeof params !== "object" || params === null) {
    throw fileError("invalid-params", "transfer file", "params are not an object");
  }
  checkName(params.name);
  return params;
}

async function* listEntries({ directory, guest }: Host): AsyncGenerator<FileEntry> {
  let entries: FileEntry[];
  {
    using _place = directory.places.enter("list files", guest);
    entries = await directory.list();
  }
  let stalled: RequestError | undefined;
  using pace = new Pace(directory.options, (state) => {
    stalled = fileError("stalled", "list files", state);
    entries.length = 0;
  });
  for (const entry of entries) {
    pace.wait();
    yield entry;
    if (stalled !== undefined) throw stalled;
  }
}

async function answerOffer(
  { directory, guest, chunkBytes }: Host,
  params: FileOffer,
  signal: AbortSignal,
): Promise<FileOffered> {
  using _place = directory.places.enter(`write ${params.name}`, guest);
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
  const receiving = await directory.open(params, guest, { signal, stop });
  try {
    const sha256 = await receiving.part.digest(AbortSignal.any([signal, stopped.signal]));
    return { offset: receiving.part.offset, sha256, whole: false, chunkBytes };
  } finally {
    await receiving.leave(false);
  }
}

async function answerPut(
  { directory, guest }: Host,
  params: FilePut,
  { items, signal }: Pick<RequestContext, "items" | "signal">,
): Promise<FileDigest> {
  const { name, size } = params;
  const what = `write ${name}`;
  using _place = directory.places.enter(what, guest);
  const whole = await directory.whole(params);
  if (whole !== undefined) directory.release(whole);
  if (whole !== undefined && !directory.options.replace) {
    throw fileError("exists", what, "there is one of that name");
  }
  const content = new Content(items, what, directory.options);
  const stopped = new AbortController();
  const stop = (reason: unknown) => {
    stopped.abort(reason);
    content.stop(reason);
  };
  const receiving = await directory.open(params, guest, { signal, stop });
  let isHopeless = false;
  try {
    await receiving.freeSpace();
    await begin(receiving, params, AbortSignal.any([signal, stopped.signal]));
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

async function begin({ part }: Receiving, { name, offset, size }: FilePut, signal: AbortSignal) {
  if (offset === 0) return await part.restart();
  if (offset !== part.offset || offset > size) {
    throw fileError("wrong-offset", `write ${name}`, `${part.offset} bytes of it are there`);
  }
  await part.digest(signal); // This may read the whole part, as long as somebody waits.
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
      throw fileError("invalid-params", what, "an item is neither bytes nor a digest");
    }
    if (item.length > size - part.offset) {
      throw fileError("size-mismatch", what, `more than the promised ${size} bytes came`);
    }
    await part.write(item);
  }
  throw fileError("incomplete", what, `its end is missing after ${part.offset} of ${size} bytes`);
}

/** The items of an upload. This end can stop waiting for them. */
class Content {
  readonly #iterator: AsyncIterator<unknown>;
  readonly #what: string;
  readonly #pace: Pace;
  #stopped: { readonly reason: unknown } | undefined;

  constructor(items: AsyncIterable<unknown>, what: string, options: PaceOptions) {
    this.#iterator = items[Symbol.asyncIterator]();
    this.#what = what;
    this.#pace = new Pace(options, (state) => this.stop(fileError("stalled", what, state)));
  }

  /** The next item; undefined at the end. */
  async next(): Promise<unknown> {
    this.#pace.wait();
    try {
      const { done, value } = await this.#iterator.next();
      this.#pace.moved(value instanceof Uint8Array ? value.length : 0);
      if (this.#stopped !== undefined) throw this.#stopped.reason;
      return done ? undefined : value;
    } catch (cause) {
      if (cause instanceof RequestError) throw cause;
      // The connection ended. That is the caller's business, and not a failure of this end.
      throw fileError("incomplete", this.#what, "its sender is gone", { cause });
    }
  }

  /** Gives this error to the code that waits for the next item. */
  stop(reason: unknown): void {
    this.#stopped ??= { reason };
    this.end();
  }

  /** Ends the waiting: no more items are wanted. */
  end(): void {
    this.#pace[Symbol.dispose]();
    this.#iterator.return?.();
  }
}

async function* answerGet(
  { directory, guest, chunkBytes: ownChunkBytes }: Host,
  params: FileWanted,
  signal: AbortSignal,
): AsyncGenerator<FileEntry | Uint8Array | FileDigest> {
  const { name, offset, sha256, chunkBytes } = params;
  const what = `read ${name}`;
  if (!isSize(offset) || !isSize(chunkBytes) || chunkBytes < 1) {
    throw fileError("invalid-params", what, "offset and chunkBytes must be numbers");
  }
  using resources = new DisposableStack();
  resources.use(directory.places.enter(what, guest));
  const source = await directory.source(name);
  resources.defer(() => directory.release(source));
  if (offset > 0 && (offset > source.size || await source.digestOf(offset, signal) !== sha256)) {
    const state = "it does not begin with the bytes that are there already";
    throw fileError("source-changed", what, state, { data: BEFORE });
  }
  // While nobody asks for the next item, no code runs here that could notice. So the timer frees
  // what others may need.
  let stalled: RequestError | undefined;
  const pace = resources.use(
    new Pace(directory.options, (state) => {
      stalled = fileError("stalled", what, state);
      resources.dispose();
    }),
  );
  pace.wait();
  yield { name, size: source.size, modified: source.modified };
  pace.moved(0);
  if (stalled !== undefined) throw stalled;
  const most = Math.min(ownChunkBytes, chunkBytes, MAX_CHUNK_BYTES);
  for await (const item of source.chunks(offset, most, signal)) {
    pace.wait();
    yield item;
    pace.moved(item instanceof Uint8Array ? item.length : 0);
    if (stalled !== undefined) throw stalled;
  }
}
