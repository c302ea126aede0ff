/** What `listen` does with messages that come: to standard output, and to a file. */

import type { Connection } from "../../../connection.ts";
import { reasonOf } from "../../../internal/reason.ts";
import { writeAll } from "../../../internal/bytes.ts";
import { eventLine } from "../../shared/events.ts";
import type { OutForm } from "../../shared/forms.ts";
import { requireFile } from "../../shared/given.ts";
import { OutputError } from "../../shared/output.ts";
import { jsonOf, messageForm } from "../../shared/shown.ts";
import type { ToolContext } from "../context.ts";
import { isStream } from "../messages.ts";

const encoder = new TextEncoder();

/** Prints messages, and copies them to the file of `--tee`. */
export class Printer implements Disposable {
  readonly #context: ToolContext;
  readonly #form: OutForm | undefined;
  readonly #name: string | undefined;
  readonly #file: Deno.FsFile | undefined;
  #copies: Uint8Array[] = [];

  private constructor(context: ToolContext, form: OutForm | undefined, file?: Deno.FsFile) {
    this.#context = context;
    this.#form = form;
    this.#file = file;
    this.#name = context.options.text("tee");
  }

  /**
   * Opens the file of `--tee`, to append to it, if there is one.
   *
   * @throws {Error} if it may not or cannot be written.
   */
  static async open(context: ToolContext, form: OutForm | undefined): Promise<Printer> {
    const path = context.options.text("tee");
    if (path === undefined) return new Printer(context, form);
    await requireFile("write", path, `--tee ${path}`);
    try {
      return new Printer(context, form, await Deno.open(path, { append: true, create: true }));
    } catch (error) {
      throw new Error(`--tee ${path}: ${reasonOf(error)}`, { cause: error });
    }
  }

  /** Prints a message. It is not out yet. */
  print(id: number, connection: Connection, message: Uint8Array): void {
    const { options, host: { stdout } } = this.#context;
    const usual = isStream(connection) ? "bytes" : "lines";
    if (options.on("json")) {
      const content = jsonOf(message);
      const { remote } = connection;
      const line = typeof content === "string"
        ? { event: "message", id, remote, text: content }
        : { event: "message", id, remote, ...content };
      stdout.write(eventLine(line));
    } else {
      const form = this.#form ?? (stdout.isTerminal ? "lines" : usual);
      stdout.write(messageForm(form, stdout.isTerminal)(message));
    }
    if (this.#file === undefined) return;
    const copy = messageForm(this.#form ?? usual, false)(message);
    this.#copies.push(typeof copy === "string" ? encoder.encode(copy) : copy);
  }

  /**
   * Waits until there is room for more, and the copies are in the file.
   *
   * @throws {OutputError} if something cannot be written.
   */
  async flush(): Promise<void> {
    const copies = this.#copies;
    this.#copies = [];
    try {
      for (const copy of copies) await writeAll(this.#file!, copy);
    } catch (cause) {
      const error = new OutputError(`Cannot write to ${this.#name}: ${reasonOf(cause)}`, { cause });
      this.#context.host.stdout.onFailure?.(error);
      throw error;
    }
    await this.#context.host.stdout.room();
  }

  [Symbol.dispose](): void {
    this.#file?.close();
  }
}
