/** The client's `doctor`: what is wrong with an endpoint, and what to do. */

import type { ConnectOptions } from "../../connect/connect.ts";
import { ConnectError } from "../../errors.ts";
import { type Endpoint, formatEndpoint, parseEndpoint } from "../../transport.ts";
import { UsageError } from "../shared/options.ts";
import { messageOf } from "../shared/report.ts";
import { isSecure } from "./certificates.ts";
import { connectOptionsFor } from "./connecting.ts";
import type { ToolContext } from "./context.ts";
import { Chart } from "./doctor/chart.ts";
import { lookAtTls, lookAtUpgrade } from "./doctor/handshakes.ts";
import { measure } from "./doctor/measures.ts";
import { examine, type Patient, patientAt } from "./doctor/probes.ts";
import { reach } from "./doctor/reach.ts";
import { adviceFor } from "./doctor/advice.ts";

/** How long each step may take if nothing else is said, in milliseconds. */
const TIMEOUT = 5_000;

/** Looks at an endpoint, step by step. Resolves to 1 if something is wrong. */
export async function doctor(context: ToolContext): Promise<number> {
  const { operands: [text, ...more], options } = context;
  if (text === undefined) throw new UsageError(`"doctor" needs an ENDPOINT to look at`);
  if (more.length > 0) throw new UsageError(`"doctor" takes one ENDPOINT, but got "${more[0]}"`);
  const endpoint = parseEndpoint(text);
  if (endpoint.transport === "memory") {
    throw new UsageError(`"${text}" is inside one program: there is nothing to look at`);
  }
  const timeout = options.number("timeout") ?? TIMEOUT;
  const connectOptions: ConnectOptions = {
    ...await connectOptionsFor(text, context),
    connectTimeout: timeout,
  };
  const chart = new Chart(context);
  chart.saw("endpoint", formatEndpoint(endpoint), { endpoint: formatEndpoint(endpoint) });
  try {
    await look({ text, endpoint, timeout, options: connectOptions }, chart, context);
  } catch (error) {
    context.stopped.throwIfAborted();
    if (!(error instanceof ConnectError)) throw error;
    const reason = messageOf(error);
    chart.saw("connect", reason, { error: reason });
    chart.wrong(
      reason,
      endpoint.transport === "unix"
        ? "start the server, or check the path and who may use it"
        : "check the endpoint; above is how far it came",
    );
  }
  return await chart.close();
}

interface Subject {
  readonly text: string;
  readonly endpoint: Endpoint;
  readonly timeout: number;
  readonly options: ConnectOptions;
}

async function look(subject: Subject, chart: Chart, context: ToolContext): Promise<void> {
  const { text, endpoint, timeout } = subject;
  let { options } = subject;
  const isUdp = endpoint.transport === "udp";
  if ("hostname" in endpoint && !isUdp) {
    if (!await reach({ target: endpoint, options, timeout }, chart, context)) return;
  }
  const plain = { isPassive: context.options.on("passive"), timeout };
  if (isSecure(endpoint)) {
    const secured = await lookAtTls(text, options, chart, context.stopped);
    if (secured === "failed") return await lookWithoutTls(subject, chart, plain);
    // A token is for a server that is trusted. What others speak can be told without it.
    if (secured === "not trusted") {
      options = { ...options, token: undefined, tls: { insecure: true } };
    }
  }
  if (endpoint.transport === "ws" || endpoint.transport === "wss") {
    if (!await lookAtUpgrade(endpoint, options, chart, timeout)) return;
  }
  const patient = patientAt(text, options, plain);
  const speech = await examine(patient);
  chart.saw("peer", speech.text, { kind: speech.kind, framing: speech.framing });
  const wantsSession = isSession(subject);
  const advice = adviceFor(speech, { patient, wantsSession });
  if (advice !== undefined) return chart.wrong(...advice);
  const { kind, firstAfter } = speech;
  await measure(
    { endpoint: measured(patient), options: known(options), kind, firstAfter, timeout },
    chart,
  );
}

/** What a peer speaks that has no TLS. Nothing secret is said to it. */
async function lookWithoutTls(
  { endpoint, options, timeout }: Subject,
  chart: Chart,
  plain: Pick<Patient, "isPassive">,
): Promise<void> {
  if (!("port" in endpoint)) return;
  const { hostname, port } = endpoint;
  const framing = endpoint.transport === "tls" ? endpoint.framing : undefined;
  const below = formatEndpoint({ transport: "tcp", hostname, port, framing });
  const { proxy, source, connectTimeout } = options;
  const bare = {
    proxy,
    source,
    connectTimeout,
    ...(framing === undefined && { framing: options.framing }),
  };
  const speech = await examine(patientAt(below, bare, { ...plain, timeout }));
  if (["silent", "turned away"].includes(speech.kind)) return;
  chart.saw("peer", `without TLS, ${speech.text}`, { kind: speech.kind, framing: speech.framing });
}

/** The endpoint without a session: what is measured is the connection. */
function measured({ endpoint, framing }: Patient): string {
  const name = formatEndpoint(endpoint);
  return framing === undefined ? name : `${name}?framing=${framing.name}`;
}

function known({ framing: _, session: __, ...options }: ConnectOptions): ConnectOptions {
  return options;
}

function isSession({ endpoint, options }: Subject): boolean {
  return "session" in endpoint && endpoint.session !== undefined
    ? endpoint.session === true
    : Boolean(options.session);
}
