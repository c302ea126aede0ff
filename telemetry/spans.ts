/** Spans of connections, requests and handlers, under the names of OpenTelemetry's conventions. */

import { endReason } from "../listen/internal.ts";
import type {
  CallTrace,
  Telemetry,
  Trace,
  TraceContext,
  TracedConnection,
} from "../internal/telemetry.ts";
import { RequestError } from "../errors.ts";
import {
  type Api,
  type Attributes,
  type Context,
  FAILED,
  type Span,
  SpanKind,
  type Tracer,
  withSpan,
} from "./api.ts";

const NAME = "lengthwise";
const setter = {
  set(carrier: Record<string, string>, key: string, value: string): void {
    carrier[key] = value;
  },
};
const getter = {
  get: (carrier: Record<string, string>, key: string): string | undefined => carrier[key],
  keys: (carrier: Record<string, string>): string[] => Object.keys(carrier),
};

/** Called with the duration of each request, in milliseconds. */
export type OnDuration = (side: "server" | "client", time: number, attributes: Attributes) => void;

/** Makes spans. */
export class Spans implements Telemetry {
  readonly #api: Api;
  readonly #tracer: Tracer;
  readonly #onDuration: OnDuration;

  /** With what traces this process. */
  constructor(api: Api, onDuration: OnDuration) {
    this.#api = api;
    this.#tracer = api.trace.getTracer(NAME);
    this.#onDuration = onDuration;
  }

  /** A span for as long as the connection is open. */
  connected(connection: TracedConnection, side: "server" | "client"): Trace {
    const { id, endpoint, remote } = connection;
    const [, transport, framing] = /^(\w+):.*?(?:[?&]framing=([^&]*))?$/.exec(endpoint) ?? [];
    const attributes = {
      "network.transport": transport ?? "",
      "network.peer.address": remote,
      "lengthwise.connection.id": id,
      "lengthwise.endpoint": withoutQuery(endpoint),
      ...(framing !== undefined && { "lengthwise.framing": decodeURIComponent(framing) }),
    };
    const span = this.#span(`connection ${transport ?? ""}`, SpanKind[side], attributes);
    connection.closed.then((info) => {
      const { messagesReceived, messagesSent, bytesReceived, bytesSent } = connection.stats;
      span.span.setAttributes({
        "lengthwise.end": endReason({ undeliveredBytes: 0, unreadBytes: 0, ...info }),
        "lengthwise.messages.received": messagesReceived,
        "lengthwise.messages.sent": messagesSent,
        "lengthwise.bytes.received": bytesReceived,
        "lengthwise.bytes.sent": bytesSent,
      });
      end(span.span, info.error);
    });
    return this.#traceOf(span, () => {});
  }

  /** A span until the answer has come. */
  calling(method: string): CallTrace {
    const attributes = rpc(method);
    const { span, context } = this.#span(method, SpanKind.client, attributes);
    const startedAt = performance.now();
    return {
      context: this.#carried(context),
      end: (error) => {
        end(span, error);
        this.#onDuration("client", performance.now() - startedAt, outcome(attributes, error));
      },
    };
  }

  /** A span for as long as the handler runs, below that of the caller. */
  handling(method: string, carried: TraceContext | undefined): Trace {
    const attributes = rpc(method);
    const span = this.#span(method, SpanKind.server, attributes, this.#continued(carried));
    const startedAt = performance.now();
    return this.#traceOf(span, (error) => {
      end(span.span, error);
      this.#onDuration("server", performance.now() - startedAt, outcome(attributes, error));
    });
  }

  #span(
    name: string,
    kind: number,
    attributes: Attributes,
    parent: Context = this.#api.context.active(),
  ): { span: Span; context: Context } {
    const span = this.#tracer.startSpan(name, { kind, attributes }, parent);
    return { span, context: withSpan(parent, span) };
  }

  #traceOf({ context }: { context: Context }, end: (error?: unknown) => void): Trace {
    return { run: (work) => this.#api.context.with(context, work), end };
  }

  #carried(context: Context): TraceContext | undefined {
    const carrier: Record<string, string> = {};
    this.#api.propagation?.inject(context, carrier, setter);
    const { traceparent, tracestate = "" } = carrier;
    return traceparent === undefined ? undefined : { traceparent, tracestate };
  }

  /** The context of the caller, or this end's own if there is none that can be read. */
  #continued(carried: TraceContext | undefined): Context {
    const active = this.#api.context.active();
    if (carried === undefined || this.#api.propagation === undefined) return active;
    const { traceparent, tracestate } = carried;
    const carrier = { traceparent, ...(tracestate !== "" && { tracestate }) };
    return this.#api.propagation.extract(active, carrier, getter);
  }
}

function rpc(method: string): Attributes {
  return { "rpc.system": NAME, "rpc.method": method };
}

function outcome(attributes: Attributes, error: unknown): Attributes {
  const type = errorType(error);
  return type === undefined ? attributes : { ...attributes, "error.type": type };
}

/** A code, or the name of a class: few values, however many errors there are. */
function errorType(error: unknown): string | undefined {
  if (error === undefined) return undefined;
  if (typeof error === "string") return error;
  if (error instanceof RequestError) return error.code;
  return error instanceof Error ? error.constructor.name : typeof error;
}

function end(span: Span, error: unknown): void {
  const type = errorType(error);
  if (type !== undefined) {
    span.setAttributes({ "error.type": type });
    span.setStatus({ code: FAILED, message: error instanceof Error ? error.message : type });
  }
  span.end();
}

function withoutQuery(endpoint: string): string {
  return endpoint.replace(/\?.*$/, "");
}
