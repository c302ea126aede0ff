/** Errors in the form that the peer gets. */

import { RequestError } from "../errors.ts";
import { type Encoded, encodeValue } from "./values.ts";

/** The parts of an ERROR. */
export interface Described {
  readonly code: string;
  readonly text: string;
  readonly data: Encoded;
}

/**
 * Describes an error for the peer. A `RequestError` is described as it is. Anything else becomes
 * `internal`, without details unless `expose` is set. Works with everything that can be thrown:
 * objects whose getters throw, circular objects, and undefined.
 */
export function describeError(
  error: unknown,
  method: string,
  expose: boolean,
  onError: (error: unknown, method: string) => void,
): Described {
  try {
    if (error instanceof RequestError) {
      const { code, message, data } = error;
      return { code: String(code), text: String(message), data: encodeData(data, method, onError) };
    }
  } catch {
    // Continues below, as with any other error.
  }
  onError(error, method);
  const hidden = `Cannot answer ${method}: its handler failed`;
  if (!expose) return { code: "internal", text: hidden, data: undefined };
  try {
    const isError = error instanceof Error;
    const text = isError ? String(error.message) : String(error);
    const stack = isError && error.stack !== undefined ? { stack: String(error.stack) } : undefined;
    return { code: "internal", text, data: encodeValue(stack, "stack") };
  } catch {
    return { code: "internal", text: hidden, data: undefined };
  }
}

function encodeData(
  data: unknown,
  method: string,
  onError: (error: unknown, method: string) => void,
): Encoded {
  try {
    return encodeValue(data, `error data of ${method}`);
  } catch (error) {
    onError(error, method);
    return undefined;
  }
}

/** The error if the caller has gone, or has cancelled the request. */
export function cancelled(method: string): RequestError {
  return new RequestError("cancelled", `Cannot answer ${method}: it was cancelled`);
}

/** The error if the caller used `request()` for a stream, or `stream()` for a value. */
export function wrongKind(method: string, given: "a stream" | "one value"): RequestError {
  const way = given === "a stream" ? "stream()" : "request()";
  return new RequestError("wrong-kind", `Cannot answer ${method}: it gives ${given}, use ${way}`);
}
