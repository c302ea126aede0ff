/** The modules that Deno, Node and Bun have built in, and pages do not. */

/** The modules that are used, by name. */
interface Builtins {
  "node:buffer": typeof import("node:buffer");
  "node:crypto": typeof import("node:crypto");
  "node:dgram": typeof import("node:dgram");
  "node:dns/promises": typeof import("node:dns/promises");
  "node:fs": typeof import("node:fs");
  "node:http": typeof import("node:http");
  "node:net": typeof import("node:net");
  "node:os": typeof import("node:os");
  "node:process": typeof import("node:process");
  "node:stream": typeof import("node:stream");
  "node:tls": typeof import("node:tls");
  "node:url": typeof import("node:url");
  "node:zlib": typeof import("node:zlib");
}

/** The part of `process` that gives modules. A page has no `process`. */
interface ModuleGiver {
  getBuiltinModule?<Name extends keyof Builtins>(name: Name): Builtins[Name] | undefined;
}

/**
 * A module of the runtime; undefined where there is none.
 *
 * Bundlers find every import, also one that a page never gets to, and fail because a page has no such
 * modules. They do not find this.
 */
export function builtinOrNone<Name extends keyof Builtins>(name: Name): Builtins[Name] | undefined {
  const { process } = globalThis as { process?: ModuleGiver };
  return process?.getBuiltinModule?.(name);
}

/**
 * A module of the runtime. Where there is none, each of its functions and classes throws when it is used,
 * and not before: some bundlers run all modules of a page at once.
 */
export function builtin<Name extends keyof Builtins>(name: Name): Builtins[Name] {
  return builtinOrNone(name) ?? standIn(name);
}

function standIn<Name extends keyof Builtins>(name: Name): Builtins[Name] {
  function unavailable(): never {
    throw new Error(`Cannot use ${name}: this runtime does not have it`);
  }
  return new Proxy({}, { get: () => unavailable }) as Builtins[Name];
}
