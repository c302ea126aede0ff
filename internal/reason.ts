/** Explains the system's errors, in words that say what to do. */

import { errors } from "./runtime/errors.ts";

/** The reason why a call failed, as the last part of an error's message. */
export function reasonOf(cause: unknown): string {
  if (cause instanceof errors.ConnectionRefused) {
    return "connection refused, nothing listens there";
  }
  if (cause instanceof errors.AddrInUse) {
    return "the port is in use; choose another one, or 0 for any";
  }
  if (cause instanceof errors.NotADirectory) return "a part of its path is not a folder";
  if (cause instanceof errors.IsADirectory) return "it is a folder";
  if (cause instanceof errors.NotFound) return "there is no such file or folder";
  if (cause instanceof errors.AddrNotAvailable) {
    return "this machine does not have that address";
  }
  if (cause instanceof errors.NotCapable) {
    const flags = /--allow-\w+(=\S+)?( --allow-\w+(=\S+)?)*/.exec(cause.message)?.[0];
    return `no permission; run with ${flags ?? "--allow-net"}`;
  }
  if (cause instanceof errors.PermissionDenied) {
    return "the system does not permit it; a port below 1024 needs privileges, a file its owner's leave";
  }
  if (codeOf(cause) === "EMFILE") return "too many files are open; ulimit -n allows more";
  const message = cause instanceof Error ? cause.message : String(cause);
  if (/failed to lookup address|nodename nor servname/i.test(message)) {
    return "unknown host; check its name, or use its address";
  }
  return message.replace(/ \(os error \d+\)(: .*)?$/s, "").replace(
    /^./,
    (first) => first.toLowerCase(),
  );
}

/** The system's code for an error, such as `EINVAL`; undefined for an error that is not the system's. */
export function codeOf(error: unknown): string | undefined {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === "string" && /^E[A-Z0-9]+$/.test(code) ? code : undefined;
}

/**
 * Whether an error is about what the caller gave. Deno makes a `TypeError` also of the system's EINVAL,
 * which is about what the system could do.
 */
export function isMisuse(error: unknown): boolean {
  return (error instanceof TypeError || error instanceof RangeError) && codeOf(error) === undefined;
}
