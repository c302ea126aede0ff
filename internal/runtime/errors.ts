/** The system's errors, by the names that Deno has for them. */

/** The names that are used here. */
const NAMES = [
  "AddrInUse",
  "AddrNotAvailable",
  "AlreadyExists",
  "BadResource",
  "BrokenPipe",
  "ConnectionAborted",
  "ConnectionRefused",
  "ConnectionReset",
  "Interrupted",
  "InvalidData",
  "IsADirectory",
  "NotADirectory",
  "NotCapable",
  "NotConnected",
  "NotFound",
  "PermissionDenied",
  "TimedOut",
  "UnexpectedEof",
] as const;

/** The name of a class of the system's errors. */
export type SystemErrorName = typeof NAMES[number];

/** A class of errors. */
type SystemErrorClass = new (message?: string, options?: ErrorOptions) => Error;

/** The classes of the system's errors: those of Deno, or our own of the same names. */
export const errors: Readonly<Record<SystemErrorName, SystemErrorClass>> =
  (globalThis as { Deno?: { errors: typeof Deno.errors } }).Deno?.errors ?? /* @__PURE__ */ own();

function own(): Record<SystemErrorName, SystemErrorClass> {
  const classes = NAMES.map((name) => {
    const SystemError = class extends Error {
      override readonly name: string = name;
    };
    return [name, SystemError] as const;
  });
  return Object.fromEntries(classes) as unknown as Record<SystemErrorName, SystemErrorClass>;
}

/** What Deno calls the errors of Node. */
const BY_CODE: Readonly<Record<string, SystemErrorName>> = {
  EACCES: "PermissionDenied",
  EADDRINUSE: "AddrInUse",
  EADDRNOTAVAIL: "AddrNotAvailable",
  ECONNABORTED: "ConnectionAborted",
  ECONNREFUSED: "ConnectionRefused",
  ECONNRESET: "ConnectionReset",
  EEXIST: "AlreadyExists",
  EISDIR: "IsADirectory",
  ENOENT: "NotFound",
  ENOTCONN: "NotConnected",
  ENOTDIR: "NotADirectory",
  EPERM: "PermissionDenied",
  EPIPE: "BrokenPipe",
  ETIMEDOUT: "TimedOut",
};

/** The error of one of Node's modules as Deno itself would throw it; one without such a code stays. */
export function systemError(error: Error): Error {
  const { code = "", message } = error as Error & { code?: string };
  const name = BY_CODE[code];
  if (name === undefined || error instanceof errors[name]) return error;
  return new errors[name](message, { cause: error });
}
