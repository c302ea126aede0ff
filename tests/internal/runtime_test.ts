import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { builtin, builtinOrNone } from "../../internal/runtime/builtin.ts";
import { errors, systemError } from "../../internal/runtime/errors.ts";
import { decodeText } from "../../internal/runtime/short_text.ts";

/** Gives what a module exports in a realm that has neither Deno nor Node: as in a page. */
async function inPage<T>(module: string, run: string): Promise<T> {
  const url = new URL(`../../internal/runtime/${module}`, import.meta.url);
  const source = `
    for (const name of ["Deno", "process", "Buffer", "setImmediate", "clearImmediate"]) {
      delete globalThis[name];
    }
    const module = await import("${url}");
    const run = ${run};
    postMessage(await run(module));`;
  const script = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const worker = new Worker(script, { type: "module" });
  try {
    return await new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = (event) => {
        event.preventDefault();
        reject(new Error(event.message));
      };
    });
  } finally {
    worker.terminate();
    URL.revokeObjectURL(script);
  }
}

Deno.test("builtin() gives the runtime's modules", () => {
  assertEquals(builtin("node:net").isIP("::1"), 6);
  assertStrictEquals(builtinOrNone("node:net"), builtin("node:net"));
});

Deno.test("Where there are no modules, what builtin() gives throws when it is used", async () => {
  const message = await inPage(
    "builtin.ts",
    `({ builtin, builtinOrNone }) => {
      if (builtinOrNone("node:net") !== undefined) return "there is one";
      const { connect } = builtin("node:net");
      class Stream extends builtin("node:stream").Duplex {}
      const messages = [() => connect(), () => new Stream()].map((use) => {
        try { use(); } catch (error) { return error.message; }
      });
      return messages.join(", ");
    }`,
  );
  assertEquals(
    message,
    "Cannot use node:net: this runtime does not have it, Cannot use node:stream: this runtime does not have it",
  );
});

Deno.test("errors are Deno's classes", () => {
  for (const [name, value] of Object.entries(errors)) {
    assertStrictEquals(value, Deno.errors[name as keyof typeof Deno.errors]);
  }
});

Deno.test("Without Deno, errors are classes of the same names", async () => {
  const [isError, isOther, name, message] = await inPage<unknown[]>(
    "errors.ts",
    `({ errors }) => {
      const error = new errors.ConnectionReset("gone", { cause: 1 });
      return [error instanceof errors.ConnectionReset && error instanceof Error,
        error instanceof errors.BrokenPipe, error.name, error.message];
    }`,
  );
  assertEquals([isError, isOther, name, message], [true, false, "ConnectionReset", "gone"]);
});

Deno.test("systemError() gives an error of Node the class that Deno has for it", () => {
  const cause = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
  const error = systemError(cause);
  assert(error instanceof Deno.errors.ConnectionRefused);
  assertEquals(error.message, "connect ECONNREFUSED");
  assertStrictEquals(error.cause, cause);
  const other = Object.assign(new Error("odd"), { code: "EODD" });
  assertStrictEquals(systemError(other), other);
});

Deno.test("Without setImmediate(), messages end a turn: in order, each once, not what was taken back", async () => {
  const seen = await inPage(
    "immediate.ts",
    `async ({ setImmediate, clearImmediate }) => {
      const seen = [];
      globalThis.reportError = (error) => seen.push(error.message);
      setImmediate(() => { seen.push("a"); setImmediate(() => seen.push("d")); });
      const handle = setImmediate(() => seen.push("never"));
      setImmediate(() => { throw new Error("b"); });
      setImmediate(() => seen.push("c"));
      clearImmediate(handle);
      queueMicrotask(() => seen.push("microtask"));
      await new Promise((resolve) => setImmediate(() => setImmediate(() => setImmediate(resolve))));
      return seen.join(" ");
    }`,
  );
  assertEquals(seen, "microtask a b c d");
});

Deno.test("decodeText() reads UTF-8, and throws for anything else, with and without Buffer", async () => {
  const message = new TextEncoder().encode("<grüße \ufffd>");
  assertEquals(decodeText(message, 1, message.length - 1), "grüße \ufffd");
  assertThrows(() => decodeText(new Uint8Array([0xff]), 0, 1), TypeError);
  const texts = await inPage(
    "short_text.ts",
    `({ decodeText }) => {
      const message = new TextEncoder().encode("<grüße \\ufffd>");
      try { decodeText(new Uint8Array([0xff]), 0, 1); } catch (error) {
        return decodeText(message, 1, message.length - 1) + " " + (error instanceof TypeError);
      }
    }`,
  );
  assertEquals(texts, "grüße \ufffd true");
});
