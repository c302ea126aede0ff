/** WebSockets (RFC 6455): `ws://HOST:PORT/PATH` over TCP, and `wss://` over TLS. */

import type { Framing } from "../codec.ts";
import type {
  TcpEndpoint,
  TlsEndpoint,
  TlsListenOptions,
  Transport,
  TransportAbilities,
  WebOptions,
  WebSocketEndpoint,
} from "../transport.ts";
import type { AcceptedPeer, TransportKind, TransportListener } from "./kind.ts";
import { tcp } from "./tcp.ts";
import { accept, type AcceptSettings, type Upgraded } from "./websocket/accept.ts";
import { webSocketFraming } from "./websocket/framing.ts";
import { parseOrigins } from "./websocket/origin.ts";
import { defaultRespond } from "./websocket/respond.ts";
import { handshake } from "./websocket/stream.ts";
import { pickBy } from "./websocket/subprotocol.ts";
import { offerFor, upgrade } from "./websocket/upgrade.ts";

/** Connections set their own limit. One framing for each role, so that settings are made only once. */
const maxMessageBytes = Number.MAX_SAFE_INTEGER;
const SERVER_FRAMING = webSocketFraming({ masks: false, maxMessageBytes });
const CLIENT_FRAMING = webSocketFraming({ masks: true, maxMessageBytes });

/** WebSockets over TCP. */
export const ws: TransportKind<WebSocketEndpoint> = webSocketOver("tcp", tcp);

/** WebSockets over another kind of transport: TLS, for `wss:`. */
export function webSocketOver<E extends TcpEndpoint | TlsEndpoint>(
  name: E["transport"],
  inner: TransportKind<E>,
): TransportKind<WebSocketEndpoint> {
  const below = ({ hostname, port }: WebSocketEndpoint) =>
    ({ transport: name, hostname, port }) as E;
  return {
    async listen(endpoint, options) {
      const settings = settingsFor(endpoint, options.web);
      return new WebSocketListener(
        await inner.listen(below(endpoint), options),
        endpoint,
        settings,
      );
    },
    async connect(endpoint, options) {
      const wanted = offerFor(endpoint, options.web);
      const transport = await inner.connect(below(endpoint), options);
      return await handshake(transport, options.signal, async () => {
        return new WebSocketTransport(transport, CLIENT_FRAMING, await upgrade(transport, wanted));
      });
    },
  };
}

function settingsFor(endpoint: WebSocketEndpoint, web: WebOptions = {}): AcceptSettings {
  const { origins = [], subprotocols, respond = defaultRespond(endpoint) } = web;
  return {
    isSecure: endpoint.transport === "wss",
    // The path in the form that it has in the URL of a request.
    path: new URL(endpoint.path, "ws://localhost").href.slice("ws://localhost".length),
    origins: parseOrigins(origins),
    pick: pickBy(subprotocols),
    respond,
  };
}

class WebSocketListener implements TransportListener {
  readonly endpoint: WebSocketEndpoint;
  readonly replaceCertificates?: (tls: TlsListenOptions) => void;
  readonly #inner: TransportListener;
  readonly #settings: AcceptSettings;

  constructor(inner: TransportListener, endpoint: WebSocketEndpoint, settings: AcceptSettings) {
    const { port } = inner.endpoint as TcpEndpoint | TlsEndpoint;
    this.endpoint = { ...endpoint, port };
    this.#inner = inner;
    this.#settings = settings;
    if (inner.replaceCertificates !== undefined) {
      this.replaceCertificates = (tls) => inner.replaceCertificates!(tls);
    }
  }

  async accept(): Promise<AcceptedPeer> {
    return new WebSocketPeer(await this.#inner.accept(), this.#settings);
  }

  close(): void {
    this.#inner.close();
  }
}

class WebSocketPeer implements AcceptedPeer {
  readonly #inner: AcceptedPeer;
  readonly #settings: AcceptSettings;

  constructor(inner: AcceptedPeer, settings: AcceptSettings) {
    this.#inner = inner;
    this.#settings = settings;
  }

  get hostname(): string {
    return this.#inner.hostname;
  }

  async open(options: { readonly signal: AbortSignal }): Promise<Transport | undefined> {
    const transport = await this.#inner.open(options);
    if (transport === undefined) return undefined;
    return await handshake(transport, options.signal, async () => {
      const upgraded = await accept(transport, this.#settings);
      if (upgraded === undefined) transport.close();
      else return new WebSocketTransport(transport, SERVER_FRAMING, upgraded);
    });
  }

  refuse(): void {
    this.#inner.refuse();
  }
}

/** The transport after the handshake. `rest` is what arrived behind it; the framing decodes it. */
class WebSocketTransport implements Transport {
  readonly abilities: TransportAbilities;
  readonly #inner: Transport;
  #rest: Uint8Array | undefined;

  constructor(inner: Transport, framing: Framing, { rest, subprotocol }: Upgraded) {
    this.abilities = speaking(framing, inner.abilities, subprotocol);
    this.#inner = inner;
    this.#rest = rest;
  }

  get local(): string {
    return this.#inner.local;
  }

  get remote(): string {
    return this.#inner.remote;
  }

  read(): Promise<Uint8Array | undefined> {
    const rest = this.#rest;
    if (rest === undefined) return this.#inner.read();
    this.#rest = undefined;
    return Promise.resolve(rest);
  }

  write(chunk: Uint8Array, endsMessage?: boolean): Promise<number> {
    return this.#inner.write(chunk, endsMessage);
  }

  /** Does nothing: the framing has written a Close frame, and the peer must still answer it. */
  closeWrite(): Promise<void> {
    return Promise.resolve();
  }

  close(error?: unknown): void {
    this.#inner.close(error);
  }
}

/**
 * The inner transport's abilities, with what was agreed on. Not a copy, because some abilities
 * change.
 */
function speaking(
  framing: Framing,
  abilities: TransportAbilities,
  subprotocol: string | undefined,
): TransportAbilities {
  return Object.create(abilities, {
    framing: { value: framing, enumerable: true },
    startTls: { value: undefined, enumerable: true }, // Only below the frames, where no message ends.
    ...(subprotocol !== undefined && { subprotocol: { value: subprotocol, enumerable: true } }),
  });
}
