/** The handshakes of an endpoint: TLS, and the upgrade to a WebSocket. */

import { connect, type ConnectOptions } from "../../../connect/connect.ts";
import type { WebSocketEndpoint } from "../../../transport.ts";
import { formatAddress } from "../../../transport.ts";
import type { TlsReport } from "../../../transport/internal.ts";
import { messageOf } from "../../shared/report.ts";
import { linesOf, lookAt, summaryOf, validity } from "../certificates.ts";
import { type Chart, ms } from "./chart.ts";
import { hear } from "./hearing.ts";

/** A certificate that ends sooner is told, in milliseconds. */
const SOON = 14 * 24 * 60 * 60 * 1000;
/** Two clocks may differ by so much, in milliseconds; HTTP tells seconds. */
const MAX_SKEW = 60_000;

/** What came of the TLS handshake. */
export type Secured = "trusted" | "not trusted" | "failed";

/** Looks at the certificates. */
export async function lookAtTls(
  endpoint: string,
  options: ConnectOptions,
  chart: Chart,
  stopped: AbortSignal,
): Promise<Secured> {
  let report: TlsReport;
  try {
    report = await lookAt(endpoint, options, stopped);
  } catch (error) {
    stopped.throwIfAborted();
    const reason = messageOf(error).replace(/^Cannot connect to \S+: /, "");
    chart.saw("tls", reason, { error: reason });
    chart.wrong(`there is no TLS handshake: ${reason}`, adviceForHandshake(reason));
    return "failed";
  }
  const summary = summaryOf(report);
  for (const [index, line] of linesOf(report).entries()) {
    chart.saw("tls", line.trim(), index === 0 ? summary : {});
  }
  const { fault, chain: [first] } = report;
  if (fault !== undefined) {
    chart.wrong(fault, adviceForFault(fault, report));
    return "not trusted";
  }
  if (first !== undefined && first.expiresAt - Date.now() < SOON) {
    chart.saw("tls", `the certificate should be renewed: ${validity(first)}`);
  }
  return "trusted";
}

function adviceForHandshake(reason: string): string {
  if (reason.includes("does not speak TLS")) {
    return "use tcp:// or ws://, or give the server a certificate";
  }
  if (reason.includes("no answer")) return "the peer waits for something else: try tcp:// or ws://";
  if (reason.includes("client certificate")) return "give --cert FILE --key FILE";
  return "use tcp:// or ws:// if it speaks without TLS; else check TLS at the server";
}

function adviceForFault(fault: string, { chain: [first] }: TlsReport): string {
  if (/expired on|not valid before/.test(fault)) {
    return `renew the certificate, or set this machine's clock, which says ${
      new Date().toISOString()
    }`;
  }
  if (fault.includes("--server-name")) {
    return "connect by a name of the certificate, or give --server-name NAME if it is the right server";
  }
  if (first?.isSelfSigned) {
    return `it was issued by itself: --fingerprint ${first.fingerprint} trusts it alone, if it is the right one`;
  }
  return "give the authority with --ca FILE, or let the server send the intermediate certificates";
}

/** Asks for a WebSocket, as the client does, and looks at the answer. Resolves to whether it is one. */
export async function lookAtUpgrade(
  endpoint: WebSocketEndpoint,
  options: ConnectOptions,
  chart: Chart,
  timeout: number,
): Promise<boolean> {
  const { transport, hostname, port, path } = endpoint;
  const below = `${transport === "ws" ? "tcp" : "tls"}://${formatAddress(hostname, port)}`;
  const { web, ...others } = options;
  await using connection = await connect(below, { ...others, token: undefined, framing: "none" });
  const key = crypto.getRandomValues(new Uint8Array(16)).toBase64();
  const offered = web?.subprotocols ?? [];
  const lines = [
    `GET ${path} HTTP/1.1`,
    `Host: ${formatAddress(hostname, port)}`,
    "Upgrade: websocket",
    "Connection: Upgrade",
    `Sec-WebSocket-Key: ${key}`,
    "Sec-WebSocket-Version: 13",
    ...(offered.length > 0 ? [`Sec-WebSocket-Protocol: ${offered.join(", ")}`] : []),
  ];
  const askedAt = performance.now();
  await connection.send(lines.map((line) => `${line}\r\n`).join("") + "\r\n");
  const { bytes, end, firstAfter = 0 } = await hear(connection, { first: timeout });
  connection.abort();
  const head = new TextDecoder("latin1").decode(bytes).split("\r\n\r\n")[0];
  const [, status, reason = ""] = /^HTTP\/1\.[01] (\d{3})(?: ([^\r]*))?/.exec(head) ?? [];
  if (status === undefined) {
    const what = bytes.length > 0
      ? "the peer does not answer as HTTP does"
      : end === "open"
      ? `no answer within ${timeout} ms`
      : "the peer ended without an answer";
    chart.saw("upgrade", what, { error: what });
    chart.wrong(`there is no WebSocket: ${what}`, "use tcp:// or tls:// if it is no web server");
    return false;
  }
  const field = (name: string) => new RegExp(`^${name}: *(.*)$`, "im").exec(head)?.[1].trim();
  const subprotocol = field("Sec-WebSocket-Protocol");
  chart.saw(
    "upgrade",
    `${status} ${reason}, ${
      subprotocol === undefined ? "no subprotocol" : `subprotocol ${subprotocol}`
    } (${ms(firstAfter || performance.now() - askedAt)})`,
    { status: Number(status), subprotocol },
  );
  lookAtClock(field("Date"), chart);
  if (status === "101") return picked(offered, subprotocol, chart);
  chart.wrong(
    `the server answers ${status} ${reason} to the request for a WebSocket at ${path}`,
    adviceForStatus(Number(status), field("Location")),
  );
  return false;
}

function picked(
  offered: readonly string[],
  subprotocol: string | undefined,
  chart: Chart,
): boolean {
  if (offered.length === 0 || offered.includes(subprotocol ?? "")) return true;
  chart.wrong(
    `the server picks none of the subprotocols ${offered.join(", ")}`,
    "offer one that it has with --subprotocol, or none",
  );
  return false;
}

/** A server tells its time, if it does, in an HTTP field. */
function lookAtClock(date: string | undefined, chart: Chart): void {
  const there = Date.parse(date ?? "");
  if (Number.isNaN(there)) return;
  const skew = Date.now() - there;
  const seconds = Math.round(skew / 1000);
  chart.saw("clock", `this machine is ${Math.abs(seconds)} s ${seconds < 0 ? "behind" : "ahead"}`, {
    skew,
  });
  if (Math.abs(skew) < MAX_SKEW) return;
  chart.wrong(
    `the clocks of both ends differ by ${Math.abs(seconds)} s`,
    "set the clock that is wrong: certificates and tokens depend on it",
  );
}

function adviceForStatus(status: number, location: string | undefined): string {
  if (status >= 300 && status < 400 && location !== undefined) {
    return `it sends to ${location}: connect there, if that is right`;
  }
  if (status === 404) return "check the path of the endpoint: ws://HOST:PORT/PATH";
  if (status === 401 || status === 403) return "it wants to know who asks, or from which page";
  if (status === 426 || status === 400) return "it is there, but not for WebSockets at this path";
  if (status >= 500) return "what stands before the server does not reach it: look at its log";
  return "it is a web server without WebSockets at this path: check the path";
}
