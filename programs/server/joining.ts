/** Tells how to join the chat with our program, with telnet or with a browser. */

import { browserClient } from "../../browser.ts";
import { type PageOptions, pageWith, respond } from "../../chat/page/respond.ts";
import { isWildcard, loopbackFor } from "../../internal/address.ts";
import { optionsResponse } from "../../internal/text_response.ts";
import { formatEndpoint, isProxied, parseEndpoint, withSession } from "../../transport.ts";
import type { Endpoint, TlsListenOptions, WebSocketEndpoint } from "../../transport.ts";
import type { StartCommand } from "../shared/command.ts";
import type { ProgramContext } from "../shared/program.ts";
import type { Reporter } from "../shared/report.ts";
import { hasSecret } from "../shared/secrets.ts";
import { DEFAULT_ENDPOINT } from "../shared/options.ts";

/** What somebody needs to join the chat. */
export interface JoinRequirements {
  /** Whether a token is wanted. */
  readonly token: boolean;
  /** The SHA-256 fingerprint of the certificate, for endpoints with TLS. */
  readonly fingerprint: string | undefined;
  /** Whether clients need a certificate. */
  readonly clientCertificate: boolean;
  /** The name that other machines use for this one. */
  readonly hostname: string | undefined;
}

/** The name of this machine. Undefined if Deno would ask for a permission to read it. */
export async function ownHostname(): Promise<string | undefined> {
  const { state } = await Deno.permissions.query({ name: "sys", kind: "hostname" });
  return state === "granted" ? Deno.hostname() : undefined;
}

/** Says where answers over UDP may leave from another address than the one that was asked. */
export async function tellOfAddresses(
  endpoints: readonly string[],
  reporter: Reporter,
): Promise<void> {
  const isUnsure = (endpoint: Endpoint) =>
    endpoint.transport === "udp" && endpoint.group === undefined && isWildcard(endpoint.hostname);
  const endpoint = endpoints.find((text) => isUnsure(parseEndpoint(text)));
  if (endpoint === undefined) return;
  const { state } = await Deno.permissions.query({ name: "sys", kind: "networkInterfaces" });
  if (state === "granted") return;
  reporter.event(
    { event: "addresses", endpoint },
    `${endpoint}: where this machine has several addresses, answers may leave from another one than ` +
      "was asked; name the address, or run with --allow-sys=networkInterfaces",
    "warn",
  );
}

/** How to start the client in a checkout. */
const CLIENT: StartCommand = { run: "deno run", program: "client.ts" };

/** The command to run or the page to open. `client` is how the reader starts the client. */
export function howToJoin(endpoint: string, entrance: JoinRequirements, client = CLIENT): string {
  const wanted = parseEndpoint(endpoint);
  const there = reachable(wanted, entrance.hostname);
  if (isWeb(wanted)) return howToOpen(wanted, there);
  if (!isForPeople(there)) return clientCommand(there, entrance, client);
  const { transport, hostname, port } = there;
  const program = transport === "udp" ? "nc -u" : "telnet";
  const first = entrance.token ? ", with the token as the first line" : "";
  return `${program} ${hostname} ${port}${first}`;
}

/**
 * On this machine the page is opened by address. If this machine's name means loopback, a page
 * under that name may not join.
 */
function howToOpen(wanted: WebSocketEndpoint, elsewhere: Endpoint): string {
  const [here, there] = [reachable(wanted, undefined), elsewhere]
    .map((endpoint) => formatEndpoint(withSession(endpoint, false)).replace("ws", "http"));
  return `${here} in a browser${here === there ? "" : `, from elsewhere ${there}`}`;
}

function clientCommand(
  endpoint: Endpoint,
  entrance: JoinRequirements,
  client: StartCommand,
): string {
  const { transport } = endpoint;
  const name = formatEndpoint(endpoint);
  const isSecure = transport === "tls" || transport === "wss";
  const words = [
    `${client.run} --allow-net`,
    transport === "unix" && !endpoint.path.startsWith("@") && "--allow-read --allow-write",
    isSecure && entrance.clientCertificate && "--allow-read",
    client.program,
    name !== `${DEFAULT_ENDPOINT}?framing=u32be` && `"${name}"`,
    isSecure && entrance.fingerprint && `--fingerprint ${entrance.fingerprint}`,
    isSecure && entrance.clientCertificate && "--cert FILE --key FILE",
    entrance.token && "--token TOKEN",
  ];
  return words.filter(Boolean).join(" ");
}

/** Whether messages are lines there, and plain text is enough to read and write them. */
function isForPeople(
  endpoint: Endpoint,
): endpoint is Extract<Endpoint, { transport: "tcp" | "udp" }> {
  const { transport } = endpoint;
  if (transport === "tcp") return endpoint.framing === "line" && !endpoint.session;
  return transport === "udp" && endpoint.framing === "line";
}

/**
 * The endpoint as others can reach it. 0.0.0.0 and :: mean all addresses, and nobody can connect to
 * them.
 */
function reachable(endpoint: Endpoint, hostname: string | undefined): Endpoint {
  if (!("hostname" in endpoint) || !isWildcard(endpoint.hostname)) return endpoint;
  return { ...endpoint, hostname: hostname ?? loopbackFor(endpoint.hostname) };
}

/**
 * Answers requests that want no WebSocket. At the path of an endpoint it sends the chat's page. `/health`
 * tells a load balancer that the server runs. `/lengthwise.js` and `/lengthwise-plain.js` are the clients
 * for other pages.
 */
export async function webPages(
  endpoints: () => readonly string[],
  options: PageOptions,
): Promise<(request: Request) => Response> {
  const page = await pageWith(options);
  return (request) => {
    const { pathname, port } = new URL(request.url);
    if (request.method === "OPTIONS") return optionsResponse();
    if (pathname === "/health") return new Response("ok\n");
    const client = browserClient(request);
    if (client !== undefined) return client;
    const all = endpoints().map(parseEndpoint).filter(isWeb);
    // A proxy between may use another port.
    const here = all.filter((endpoint) => String(endpoint.port) === port);
    const candidates = here.length > 0 ? here : all;
    const found = candidates.find(({ path }) => pathOf(path) === pathname) ?? candidates[0];
    return respond(request, found === undefined ? "/" : pathOf(found.path), page);
  };
}

function isWeb(endpoint: Endpoint): endpoint is WebSocketEndpoint {
  return endpoint.transport === "ws" || endpoint.transport === "wss";
}

function pathOf(path: string): string {
  return new URL(path, "http://localhost").pathname;
}

/** Tells how to join a chat at each of its endpoints. */
export async function tellHowToJoin(
  endpoints: readonly string[],
  tls: TlsListenOptions | undefined,
  context: ProgramContext,
): Promise<void> {
  const entrance = {
    token: hasSecret(context, "token"),
    fingerprint: tls && (await import("../../transport/tls.ts")).fingerprintOfPair(tls),
    clientCertificate: tls?.clientCa !== undefined,
    hostname: await ownHostname(),
  };
  const { commandOf } = await import("../shared/command.ts"); // It loads node:path.
  const client = commandOf("client");
  for (const endpoint of endpoints) {
    if (isProxied(parseEndpoint(endpoint))) continue; // The proxy's address is not known here.
    const how = howToJoin(endpoint, entrance, client);
    context.reporter.event({ event: "join", endpoint }, `join with: ${how}`);
  }
}
