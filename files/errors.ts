/** The errors of files, with codes that go over the connection. */

import { LengthwiseError } from "../errors.ts";
import { RequestError, type RequestErrorCode, type RequestErrorOptions } from "../request.ts";

/** Codes of the `RequestError`s of files, beside those of requests; docs/files.md says when. */
export type FileErrorCode =
  | "invalid-name"
  | "not-found"
  | "not-a-file"
  | "not-permitted"
  | "exists"
  | "read-only"
  | "too-large"
  | "quota"
  | "disk-full"
  | "io-error"
  | "incomplete"
  | "size-mismatch"
  | "hash-mismatch"
  | "wrong-offset"
  | "source-changed"
  | "stalled";

/** An error about a file: `Cannot <verb> <name>: <state>`. */
export function fileError(
  code: FileErrorCode | RequestErrorCode,
  what: string,
  state: string,
  options?: RequestErrorOptions,
): RequestError {
  return new RequestError(code, `Cannot ${what}: ${state}`, options);
}

const NO_ROOM = ["ENOSPC", "EDQUOT", "EFBIG"];

/**
 * Makes an error with a code of an error from the system about a file. Other errors stay as they
 * are, and so does the error for a permission that Deno does not have. The message contains no
 * path, because the peer reads it.
 */
export function fileFailure(error: unknown, what: string): unknown {
  if (!(error instanceof Error) || error instanceof LengthwiseError) return error;
  const code = (error as { code?: string }).code ?? "";
  const cause = { cause: error };
  if (error instanceof Deno.errors.NotFound) {
    return fileError("not-found", what, "there is no such file", cause);
  }
  if (NO_ROOM.includes(code) || /no space left|quota exceeded/i.test(error.message)) {
    return fileError("disk-full", what, "the disk is full", cause);
  }
  if (error instanceof Deno.errors.NotCapable) return error;
  if (error instanceof Deno.errors.PermissionDenied || code === "EROFS") {
    return fileError("not-permitted", what, "the system does not permit it", cause);
  }
  if (error instanceof Deno.errors.IsADirectory || error instanceof Deno.errors.NotADirectory) {
    return fileError("not-a-file", what, "it is not a regular file", cause);
  }
  if (error instanceof Deno.errors.AlreadyExists) {
    return fileError("exists", what, "there is one of that name", cause);
  }
  if (code === "ENAMETOOLONG" || /unexpected NUL byte/.test(error.message)) {
    return fileError("invalid-name", what, "the system does not accept such a path", cause);
  }
  const named = /^E[A-Z\d]+$/.test(code) ? code : /os error \d+/.exec(error.message)?.[0];
  if (named === undefined) return error;
  return fileError("io-error", what, `the system failed with ${named}`, cause);
}
