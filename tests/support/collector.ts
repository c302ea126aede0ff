/** A collector of OpenTelemetry's data, for OTLP over HTTP with JSON. */

/** A span, as far as we look at it. */
export interface CollectedSpan {
  readonly name: string;
  readonly kind: number;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly status: { readonly code: number };
  readonly attributes: Readonly<Record<string, unknown>>;
  /** The `service.name` of its process. */
  readonly service: string;
}

interface Attribute {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}

/** Takes what processes export, until it is disposed of. */
export class Collector implements AsyncDisposable {
  readonly spans: CollectedSpan[] = [];
  /** The names of metrics. */
  readonly metrics: Set<string> = new Set();
  readonly #server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async (request) => {
      const { pathname } = new URL(request.url);
      // deno-lint-ignore no-explicit-any
      this.#take(pathname, await request.json() as any);
      return Response.json({});
    },
  );

  /**
   * The environment of a process that exports to here under this name. It exports metrics at its end, not
   * meanwhile: a Deno 2.9.6 that calls Deno.exit() while it exports may stay for ever.
   */
  env(service: string): Record<string, string> {
    return {
      OTEL_DENO: "true",
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${this.#server.addr.port}`,
      OTEL_SERVICE_NAME: service,
    };
  }

  /** The spans of a process with this name. */
  find(service: string, name: string): CollectedSpan[] {
    return this.spans.filter((span) => span.service === service && span.name === name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }

  // deno-lint-ignore no-explicit-any
  #take(pathname: string, exported: any): void {
    if (pathname === "/v1/traces") {
      for (const { resource, scopeSpans } of exported.resourceSpans) {
        const service = String(plain(resource.attributes)["service.name"]);
        for (const { spans } of scopeSpans) {
          for (const span of spans) {
            this.spans.push({ ...span, service, attributes: plain(span.attributes) });
          }
        }
      }
    } else if (pathname === "/v1/metrics") {
      for (const { scopeMetrics } of exported.resourceMetrics) {
        for (const { metrics } of scopeMetrics) {
          for (const { name } of metrics) this.metrics.add(name);
        }
      }
    }
  }
}

function plain(attributes: readonly Attribute[]): Record<string, unknown> {
  return Object.fromEntries(
    attributes.map(({ key, value }) => [key, Object.values(value)[0]]),
  );
}
