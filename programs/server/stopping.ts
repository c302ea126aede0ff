/** The signals of the server: when it ends, and when it reads or opens files again. */

import { delay } from "@std/async/delay";
import type { TlsListenOptions } from "../../transport.ts";
import type { LogFile } from "../shared/log_file.ts";
import type { ProgramContext } from "../shared/program.ts";
import { messageOf, type Reporter } from "../shared/report.ts";
import { onHangup, onStopSignal } from "../shared/signals.ts";
import type { Serving } from "./serving.ts";

/**
 * Presents certificates that were replaced. If they cannot be used, this is reported and the old
 * ones stay.
 */
export async function renew(
  servers: readonly (Pick<Serving, "replaceCertificates"> | undefined)[],
  reload: () => Promise<TlsListenOptions>,
  reporter: Reporter,
): Promise<void> {
  try {
    const tls = await reload();
    for (const server of servers) await server?.replaceCertificates(tls);
    reporter.event({ event: "renewed" }, "SIGHUP: new certificates are in use");
  } catch (error) {
    reporter.error(`SIGHUP: the old certificates stay: ${messageOf(error)}`);
  }
}

/** Opens the log file again, which another program may have moved away. */
export async function reopen(file: LogFile, reporter: Reporter): Promise<void> {
  if (!await file.reopen()) return;
  reporter.event({ event: "reopened", file: file.path }, `SIGHUP: ${file.path} is opened again`);
}

/**
 * Resolves when the server must end. SIGHUP does all of `again`; with nothing to do, it ends the server
 * only if it can mean that the server's terminal has gone.
 */
export function stopSignal(
  { reporter, host }: ProgramContext,
  again: readonly (() => Promise<void>)[],
): Promise<Deno.Signal> {
  const hasTerminal = [host.stdin, host.stdout, host.stderr].some(({ isTerminal }) => isTerminal);
  const hangup = new Promise<Deno.Signal>((resolve) =>
    onHangup(host, () => {
      if (again.length > 0) doInTurn(again);
      else if (hasTerminal) resolve("SIGHUP");
      else reporter.event({ event: "ignored", signal: "SIGHUP" }, "SIGHUP: nothing to read again");
    })
  );
  return Promise.race([onStopSignal(host), hangup]);
}

async function doInTurn(steps: readonly (() => Promise<void>)[]): Promise<void> {
  for (const step of steps) await step();
}

/**
 * Waits for `--drain`: whoever looks at `/ready` sends nobody any more, clients of sessions are asked to
 * go elsewhere, and who is here otherwise stays.
 */
export async function drained(
  server: { drain(reason: string): void },
  signal: Deno.Signal,
  { options, reporter }: ProgramContext,
): Promise<void> {
  const wait = options.number("drain") ?? 0;
  if (wait === 0) return;
  server.drain("the server will close");
  reporter.event(
    { event: "draining", signal, delay: wait },
    `${signal}: not ready any more, and closing in ${wait} ms; again to end at once`,
  );
  await delay(wait);
}
