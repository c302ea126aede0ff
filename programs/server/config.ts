/** `--config`: the options of a command line in a file, as JSON with comments. */

import type { Node, ParseError } from "jsonc-parser";
import { likely } from "../../internal/nearest.ts";
import { parseEndpoint } from "../../transport.ts";
import { readBytes } from "../shared/given.ts";
import { readLimit } from "../shared/limits.ts";
import { checkValue, type OptionSpec, type OptionSpecs, UsageError } from "../shared/options.ts";
import { messageOf } from "../shared/report.ts";

/** Named like this, it is downloaded for those servers only that read a file. */
const PARSER: string = "npm:jsonc-parser@^3.3.1";

/** A larger file is none, in bytes. */
const MAX_BYTES = 1024 * 1024;

/** What only the command line can say, and why. */
const NOT_HERE: Readonly<Record<string, string>> = {
  config: "a file names no other file",
  check: "it belongs on the command line",
  backup: "it belongs on the command line",
  help: "it belongs on the command line",
  version: "it belongs on the command line",
  token: 'a secret belongs in a file of its own, which "token-file" names',
  "operator-token": 'a secret belongs in a file of its own, which "operator-token-file" names',
};

/** What a file says. */
export interface Configuration {
  /** Its name. */
  readonly file: string;
  /** The endpoints; undefined if it names none. */
  readonly endpoints: readonly string[] | undefined;
  /** The values of options, as text. */
  readonly values: ReadonlyMap<string, string>;
  /** The switches that are on. */
  readonly switches: ReadonlySet<string>;
  /** The limits. */
  readonly limits: ReadonlyMap<string, string>;
}

/**
 * Reads a file with options under their names, and `endpoints`.
 *
 * @throws {UsageError} for what is wrong in it. The error has the line and the column.
 * @throws {Error} if it cannot be read.
 */
export async function readConfiguration(file: string, specs: OptionSpecs): Promise<Configuration> {
  const bytes = await readBytes(`--config ${file}`, file, MAX_BYTES);
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new UsageError(`--config ${file}: it is not UTF-8`);
  }
  return await new Reader(file, text, specs).read();
}

/** Reads one file. */
class Reader {
  readonly #file: string;
  readonly #text: string;
  readonly #specs: OptionSpecs;
  readonly #values = new Map<string, string>();
  readonly #switches = new Set<string>();
  readonly #limits = new Map<string, string>();
  #endpoints: string[] | undefined;

  constructor(file: string, text: string, specs: OptionSpecs) {
    this.#file = file;
    this.#text = text;
    this.#specs = specs;
  }

  async read(): Promise<Configuration> {
    const { parseTree, printParseErrorCode }: typeof import("jsonc-parser") = await import(PARSER);
    const errors: ParseError[] = [];
    const root = parseTree(this.#text, errors, { allowTrailingComma: true });
    if (errors.length > 0) {
      const [{ offset, error }] = errors;
      this.#refuse(offset, `it is not JSON: ${inWords(printParseErrorCode(error))}`);
    }
    if (root?.type !== "object") {
      this.#refuse(root?.offset ?? 0, `it must be an object, as in {"service": "echo"}`);
    }
    for (const { name, at, value } of this.#properties(root)) this.#take(name, at, value);
    return {
      file: this.#file,
      endpoints: this.#endpoints,
      values: this.#values,
      switches: this.#switches,
      limits: this.#limits,
    };
  }

  #take(name: string, at: number, value: Node): void {
    if (name === "endpoints") this.#takeEndpoints(value);
    else if (Object.hasOwn(NOT_HERE, name)) this.#refuse(at, `"${name}": ${NOT_HERE[name]}`);
    else if (!Object.hasOwn(this.#specs, name)) this.#refuseName(name, at);
    else if (name === "limit") this.#takeLimits(value);
    else if (this.#specs[name].value === undefined) {
      if (this.#typed(name, value, "boolean")) this.#switches.add(name);
    } else this.#values.set(name, this.#textOf(name, this.#specs[name], value));
  }

  #refuseName(name: string, at: number): never {
    const known = ["endpoints", ...Object.keys(this.#specs).filter((known) => !NOT_HERE[known])];
    const near = likely(name, known);
    this.#refuse(
      at,
      `there is no option "${name}"${near === undefined ? "" : `, the nearest is "${near}"`}`,
    );
  }

  #takeEndpoints(value: Node): void {
    this.#endpoints = this.#strings("endpoints", value).map(({ text, at }) => {
      this.#checked(at, () => parseEndpoint(text));
      return text;
    });
    if (this.#endpoints.length === 0) this.#refuse(value.offset, `"endpoints": it names none`);
  }

  #takeLimits(value: Node): void {
    if (value.type !== "object") {
      this.#refuse(value.offset, `"limit" must be an object, as in {"maxConnections": 20000}`);
    }
    for (const { name, at, value: limit } of this.#properties(value)) {
      const isWord = limit.type === "string" || limit.type === "number";
      if (!isWord) this.#refuse(limit.offset, `"limit": "${name}" must be a number or a word`);
      this.#checked(at, () => readLimit(`${name}=${limit.value}`, "server"));
      this.#limits.set(name, String(limit.value));
    }
  }

  /** A value as the command line would have it. */
  #textOf(name: string, spec: OptionSpec, value: Node): string {
    const text = spec.list
      ? this.#strings(name, value).map(({ text }) => text).join(",")
      : String(this.#typed(name, value, spec.range === undefined ? "string" : "number"));
    this.#checked(value.offset, () => checkValue(name, text, spec));
    return text;
  }

  /** A list of strings, or one string. */
  #strings(name: string, value: Node): { text: string; at: number }[] {
    const items = value.type === "array" ? value.children ?? [] : [value];
    return items.map((item) => {
      if (item.type === "string") return { text: item.value, at: item.offset };
      this.#refuse(item.offset, `"${name}" must be a list of strings, but has ${shown(item)}`);
    });
  }

  #typed(name: string, value: Node, type: "boolean" | "number" | "string"): unknown {
    if (value.type === type) return value.value;
    const wanted = type === "boolean" ? "true or false" : `a ${type}`;
    this.#refuse(value.offset, `"${name}" must be ${wanted}, but is ${shown(value)}`);
  }

  #properties({ children = [] }: Node): { name: string; at: number; value: Node }[] {
    const seen = new Set<string>();
    return children.map(({ children: [key, value] = [] }) => {
      if (seen.has(key.value)) this.#refuse(key.offset, `"${key.value}" is given twice`);
      seen.add(key.value);
      return { name: key.value, at: key.offset, value };
    });
  }

  /** Does a check of the command line, and tells of what it finds where it stands. */
  #checked(at: number, check: () => unknown): void {
    try {
      check();
    } catch (error) {
      this.#refuse(at, messageOf(error).replace(/^--/, ""), error);
    }
  }

  #refuse(at: number, message: string, cause?: unknown): never {
    const before = this.#text.slice(0, at).split(/\r\n|[\r\n]/);
    const place = `${this.#file}:${before.length}:${before.at(-1)!.length + 1}`;
    throw new UsageError(`${place}: ${message}`, { cause });
  }
}

function shown({ type, value }: Node): string {
  if (type === "array") return "a list";
  return type === "object" ? "an object" : JSON.stringify(value);
}

/** `CommaExpected` as "comma expected". */
function inWords(code: string): string {
  return code.replace(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter}`).toLowerCase();
}
