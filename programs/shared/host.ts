/**
 * What a program gets from the process in which it runs. Only this file, and the keyboard and screen of
 * programs/terminal/, ask `Deno` for it, so a test can run a program in its own process.
 */

import { variable } from "./given.ts";
import { Output } from "./output.ts";
import { WritingThread } from "./writing_thread.ts";

/** Where a program runs. */
export interface Host {
  /** Standard input. */
  readonly stdin: {
    readonly readable: ReadableStream<Uint8Array>;
    /** Whether it was a terminal at the start. */
    readonly isTerminal: boolean;
  };
  /** Standard output. */
  readonly stdout: Output;
  /** Standard error. */
  readonly stderr: Output;
  /** An environment variable. Undefined if it is not set or may not be read. */
  variable(name: string): string | undefined;
  /** Calls back at each signal of this name, which then no longer ends the process. */
  onSignal(signal: Deno.Signal, callback: () => void): void;
  /** Ends the process at once. */
  exit(code: number): never;
}

/** The process itself. */
export function ownProcess(): Host {
  const thread = new WritingThread();
  const isTerminal = Deno.stdout.isTerminal();
  return {
    stdin: {
      get readable() {
        return Deno.stdin.readable;
      },
      isTerminal: Deno.stdin.isTerminal(),
    },
    stdout: new Output("stdout", {
      write: (bytes) => Deno.stdout.write(bytes),
      writeMuch: isTerminal ? undefined : (bytes) => thread.write(bytes),
      keeps: true,
      isTerminal,
    }),
    stderr: new Output("stderr", {
      write: (bytes) => Deno.stderr.write(bytes),
      keeps: false,
      isTerminal: Deno.stderr.isTerminal(),
    }),
    variable,
    onSignal: (signal, callback) => Deno.addSignalListener(signal, callback),
    exit: (code) => Deno.exit(code),
  };
}
