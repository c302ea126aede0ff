/** What the main thread and a worker tell each other. */

import type { ServerStats } from "../../../listen/listen.ts";
import type { TlsListenOptions } from "../../../transport.ts";
import type { ParsedOptions } from "../../shared/options.ts";
import { OPTIONS } from "../options.ts";
import type { Prepared } from "../preparing.ts";

/** Where a worker's output goes. */
export type OutputName = "stdout" | "stderr" | "log";

/** What a worker begins with. Files and secrets were read by the main thread. */
export interface Beginning {
  readonly do: "begin";
  /** Which worker it is, from 1 on. */
  readonly worker: number;
  readonly options: GivenOptions;
  readonly prepared: Omit<Prepared, "reload">;
  /** Which of the outputs are terminals. */
  readonly terminals: Readonly<Record<"stdout" | "stderr", boolean>>;
  /** Memory for the numbers of connections, and for the counts of those that are open. */
  readonly ids: SharedArrayBuffer;
  readonly counts: SharedArrayBuffer;
  readonly backplane: MessagePort;
  readonly chat: MessagePort;
}

/** What a worker is told. */
export type Down =
  | Beginning
  /** What it has put out last was taken. */
  | { readonly do: "taken"; readonly to: OutputName }
  | { readonly do: "certificates"; readonly tls: TlsListenOptions }
  | { readonly do: "drain"; readonly reason: string }
  | { readonly do: "stats" }
  | { readonly do: "close"; readonly grace: number };

/** What a worker tells. */
export type Up =
  | { readonly do: "listening"; readonly endpoints: readonly string[] }
  /** It cannot begin: because of the options, or of something else. */
  | { readonly do: "failed"; readonly message: string; readonly isUsage: boolean }
  /** Whole lines. */
  | { readonly do: "output"; readonly to: OutputName; readonly bytes: Uint8Array }
  | { readonly do: "stats"; readonly stats: ServerStats }
  /** It has tried the certificates. */
  | { readonly do: "renewed" }
  | { readonly do: "closed" };

/** The options of a command line, as values. */
export interface GivenOptions {
  readonly operands: readonly string[];
  readonly texts: Readonly<Record<string, string>>;
  readonly switches: readonly string[];
}

/** The options as values, with some of them replaced; undefined takes one away. */
export function given(
  options: ParsedOptions,
  instead: Readonly<Record<string, string | undefined>>,
): GivenOptions {
  const names = Object.keys(OPTIONS);
  const texts = Object.fromEntries(names.map((name) => [name, options.text(name)]));
  const kept = Object.entries({ ...texts, ...instead }).filter(([, text]) => text !== undefined);
  return {
    operands: options.operands,
    texts: Object.fromEntries(kept) as Record<string, string>,
    switches: names.filter((name) => options.on(name)),
  };
}

/** The options of those values. */
export function optionsOf({ operands, texts, switches }: GivenOptions): ParsedOptions {
  const text = (name: string): string | undefined => texts[name];
  return {
    operands: [...operands],
    text,
    number: (name) => text(name) === undefined ? undefined : Number(text(name)),
    list: (name) => text(name)?.split(",").map((item) => item.trim()),
    on: (name) => switches.includes(name),
  };
}
