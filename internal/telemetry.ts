/**
 * What traces connections and requests, as the layers see it. Where nothing traces, they have none of it,
 * and ask for nothing but whether it is there.
 */

/**
 * The symbol under which whatever traces has registered itself: the contract of version 1 of OpenTelemetry's
 * API for JavaScript.
 */
export const REGISTERED: unique symbol = Symbol.for("opentelemetry.js.api.1");

/** A W3C trace context: what connects the spans of two processes. */
export interface TraceContext {
  /** The field `traceparent`: version, trace, span and flags, 55 characters in version 0. */
  readonly traceparent: string;
  /** The field `tracestate`; empty if there is none. */
  readonly tracestate: string;
}

/** What is traced of a connection. */
export interface TracedConnection {
  /** Its number in this process. */
  readonly id: number;
  /** Where it came in, or what it connected to. */
  readonly endpoint: string;
  /** The address of the peer. */
  readonly remote: string;
  /** What was counted. */
  readonly stats: {
    readonly messagesReceived: number;
    readonly messagesSent: number;
    readonly bytesReceived: number;
    readonly bytesSent: number;
  };
  /** How it ended. */
  readonly closed: Promise<{ readonly clean: boolean; readonly error?: unknown }>;
}

/** Something that is under way and is traced. */
export interface Trace {
  /** Runs work whose own spans belong to this one. */
  run<R>(work: () => R): R;
  /** It has ended, with an error or without. */
  end(error?: unknown): void;
}

/** A request of this end that is traced. */
export interface CallTrace {
  /** The context that the peer continues. */
  readonly context: TraceContext | undefined;
  /** It has ended, with an error or without. */
  end(error?: unknown): void;
}

/** Traces connections, requests and handlers. `telemetry()` of `./telemetry` makes one. */
export interface Telemetry {
  /** A connection is open. */
  connected(connection: TracedConnection, side: "server" | "client"): Trace;
  /** A request is made. */
  calling(method: string): CallTrace;
  /** A handler is about to run. `context` is what the request has carried. */
  handling(method: string, context: TraceContext | undefined): Trace;
}
