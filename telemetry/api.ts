/**
 * What we need of OpenTelemetry's API for JavaScript. The API is a contract between programs and whatever
 * traces them: whoever traces registers itself under a symbol, where `@opentelemetry/api` looks it up as we
 * do. So no package is needed to find it. With `OTEL_DENO=true`, Deno registers its own.
 */

import { REGISTERED } from "../internal/telemetry.ts";

/** Under this key a context has its span. */
const SPAN_KEY = Symbol.for("OpenTelemetry Context Key SPAN");

/** Kinds of spans. */
export const SpanKind = { internal: 0, server: 1, client: 2 } as const;
/** The status of a span that failed. */
export const FAILED = 2;

/** Values of attributes. */
export type Attributes = Readonly<Record<string, string | number | boolean>>;

/** Values that go along with what runs. */
export interface Context {
  /** The same with another value. */
  setValue(key: symbol, value: unknown): Context;
}

/** Something that takes time. */
export interface Span {
  /** Adds attributes. */
  setAttributes(attributes: Attributes): unknown;
  /** Tells how it went. */
  setStatus(status: { code: number; message?: string }): unknown;
  /** It is over. */
  end(): void;
}

/** Makes spans. */
export interface Tracer {
  /** A span below that of the context. */
  startSpan(
    name: string,
    options: { kind: number; attributes: Attributes },
    context: Context,
  ): Span;
}

/** Something that is measured when somebody asks. */
export type Observable = object;

/** Makes instruments. */
export interface Meter {
  /** A number that rises. */
  createObservableCounter(name: string, options: InstrumentOptions): Observable;
  /** A number as it is. */
  createObservableGauge(name: string, options: InstrumentOptions): Observable;
  /** Counts of how large something was. */
  createHistogram(name: string, options: InstrumentOptions): {
    record(value: number, attributes: Attributes): void;
  };
  /** Asks for several at once. */
  addBatchObservableCallback(
    callback: (result: Observed) => void,
    observables: readonly Observable[],
  ): void;
  /** Asks no more. */
  removeBatchObservableCallback(
    callback: (result: Observed) => void,
    observables: readonly Observable[],
  ): void;
}

/** What an instrument is. */
export interface InstrumentOptions {
  /** What it means. */
  readonly description: string;
  /** The unit, in UCUM's words. */
  readonly unit?: string;
  /** How its values are best divided. */
  readonly advice?: { readonly explicitBucketBoundaries: readonly number[] };
}

/** Where measured numbers go. */
export interface Observed {
  /** A number of an instrument. */
  observe(observable: Observable, value: number, attributes?: Attributes): void;
}

/** The API. */
export interface Api {
  readonly trace: { getTracer(name: string, version?: string): Tracer };
  readonly context: {
    active(): Context;
    with<R>(context: Context, run: () => R): R;
  };
  readonly metrics?: { getMeter(name: string, version?: string): Meter };
  readonly propagation?: {
    inject(
      context: Context,
      carrier: Record<string, string>,
      setter: { set(carrier: Record<string, string>, key: string, value: string): void },
    ): void;
    extract(
      context: Context,
      carrier: Record<string, string>,
      getter: {
        get(carrier: Record<string, string>, key: string): string | undefined;
        keys(carrier: Record<string, string>): string[];
      },
    ): Context;
  };
}

/** What traces this process; undefined if nothing does. */
export function registered(): Api | undefined {
  const api = (globalThis as { [REGISTERED]?: Partial<Api> })[REGISTERED];
  return api?.trace === undefined || api.context === undefined ? undefined : api as Api;
}

/** A context with another span. */
export function withSpan(context: Context, span: Span): Context {
  return context.setValue(SPAN_KEY, span);
}
