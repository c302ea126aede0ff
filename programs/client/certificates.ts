/** The client's `ping --tls`: what a server shows of itself in the handshake, trusted or not. */

import type { Endpoint } from "../../transport.ts";
import { parseEndpoint } from "../../transport.ts";
import {
  type CertificateReport,
  endpointReason,
  inspectTls,
  type TlsReport,
} from "../../transport/internal.ts";
import type { ConnectOptions } from "../../connect/connect.ts";
import { ConnectError } from "../../errors.ts";
import { isMisuse } from "../../internal/reason.ts";
import { printable } from "../../internal/text.ts";
import { deadlineOf } from "../../internal/time.ts";
import { EXIT, UsageError } from "../shared/options.ts";
import type { ClientContext } from "./context.ts";

const DAY = 24 * 60 * 60 * 1000;

/** Tells what a server shows. Resolves to 1 if the client would not trust it. */
export async function pingTls(context: ClientContext): Promise<number> {
  const { endpoint, options, reporter, connectOptions, stopped, host: { stdout } } = context;
  const target = parseEndpoint(endpoint);
  if (!isSecure(target)) {
    throw new UsageError(
      `--tls looks at tls:// and wss://, and "${endpoint}" is neither; say tls://HOST:PORT ping --tls`,
    );
  }
  const report = await lookAt(endpoint, connectOptions, stopped);
  if (options.on("json")) reporter.event({ event: "tls", ...summaryOf(report) });
  else stdout.write(linesOf(report).map((line) => `${line}\n`).join(""));
  if (report.fault === undefined) return EXIT.done;
  reporter.error(`${endpoint} is not trusted: ${report.fault}`);
  return EXIT.lost;
}

/** Whether an endpoint has certificates. */
export function isSecure(endpoint: Endpoint): boolean {
  return endpoint.transport === "tls" || endpoint.transport === "wss";
}

/**
 * Looks at the certificates of an endpoint.
 *
 * @throws {ConnectError} if there is no handshake.
 */
export async function lookAt(
  endpoint: string,
  { connectTimeout = 10_000, tls, proxy, source }: ConnectOptions,
  stopped: AbortSignal,
): Promise<TlsReport> {
  const target = parseEndpoint(endpoint);
  if (!("port" in target)) throw new TypeError(`Cannot look at "${endpoint}": it has no port`);
  const late = new AbortController();
  const deadline = deadlineOf(connectTimeout, () =>
    late.abort(
      new ConnectError(`Cannot connect to ${endpoint}: no answer within ${connectTimeout} ms`),
    ));
  const signal = AbortSignal.any([stopped, late.signal]);
  try {
    return await inspectTls(target, { signal, tls, proxy, source });
  } catch (cause) {
    signal.throwIfAborted();
    if (isMisuse(cause)) throw cause;
    const reason = endpointReason(cause, target, "connect");
    throw new ConnectError(`Cannot connect to ${endpoint}: ${reason}`, { cause });
  } finally {
    deadline.clear();
  }
}

/** What a report says to programs. */
export function summaryOf(report: TlsReport): Record<string, unknown> {
  const { protocol, cipher, time, chain: [first], fault } = report;
  return {
    protocol,
    cipher,
    handshakeTime: time,
    trusted: fault === undefined,
    ...(fault !== undefined && { fault }),
    fingerprint: first?.fingerprint,
    names: first?.altNames,
    daysLeft: first && daysLeft(first),
    clock: new Date().toISOString(),
    chain: report.chain.map((one) => ({
      name: one.name,
      issuer: one.issuer,
      selfSigned: one.isSelfSigned,
      names: one.altNames,
      validFrom: new Date(one.validFrom).toISOString(),
      validTo: new Date(one.expiresAt).toISOString(),
      fingerprint: one.fingerprint,
    })),
  };
}

/** What a report says to people. */
export function linesOf({ protocol, cipher, time, chain, fault }: TlsReport): string[] {
  const lines = [`${protocol}, ${cipher}, handshake in ${time.toFixed(1)} ms`];
  chain.forEach((one, index) => {
    const issuer = one.isSelfSigned ? "itself" : quoted(one.issuer);
    lines.push(`${index + 1}. ${quoted(one.name)}, issued by ${issuer}`);
    if (one.altNames.length > 0) lines.push(`   for ${printable(one.altNames.join(", "))}`);
    lines.push(`   valid from ${day(one.validFrom)} to ${day(one.expiresAt)}, ${validity(one)}`);
  });
  if (chain.length === 0) return [...lines, "no certificate"];
  lines.push(`this machine's clock says ${day(Date.now())}`);
  lines.push(`--fingerprint ${chain[0].fingerprint}`);
  return fault === undefined ? [...lines, "trusted"] : lines;
}

function daysLeft({ expiresAt }: CertificateReport): number {
  return Math.floor((expiresAt - Date.now()) / DAY);
}

/** How long a certificate is still valid, in words. */
export function validity(certificate: CertificateReport): string {
  if (certificate.validFrom > Date.now()) return "not valid yet";
  const days = daysLeft(certificate);
  if (days < 0) return `expired ${-days} ${-days === 1 ? "day" : "days"} ago`;
  return `${days} ${days === 1 ? "day" : "days"} left`;
}

function day(time: number): string {
  return Number.isNaN(time)
    ? "?"
    : new Date(time).toISOString().replace("T", " ").slice(0, 19) + "Z";
}

/** A name that a stranger chose. */
function quoted(name: string): string {
  return JSON.stringify(printable(name));
}
