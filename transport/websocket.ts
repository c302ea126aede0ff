/** WebSockets (RFC 6455): `ws://HOST:PORT/PATH` over TCP, and `wss://` over TLS. */

import type { Framing } from "../codec.ts";
import { formatAddress } from "../transport.ts";
import type {
  TcpEndpoint,
  TlsEndpoint,
  TlsListenOptions,
  Transport,
  TransportAbilities,
  WebSocketEndpoint,
} from "../transport.ts";
import type {
  AcceptedPeer,
  OpenOptions,
  TransportKind,
  TransportListener,
  TransportListenOptions,
} from "./kind.ts";
import { tcp } from "./tcp.ts";
import {
  accept,
  type AcceptSettings,
  type Asked,
  readRequest,
  type Upgraded,
} from "./websocket/accept.ts";
import { type WebSocketFraming, webSocketFraming } from "./websocket/framing.ts";
import type { HttpServer, Respond } from "./websocket/http.ts";
import { parseOrigins } from "./websocket/origin.ts";
import { defaultRespond } from "./websocket/respond.ts";
import { RenamedTransport } from "./websocket/renamed.ts";
import { SlicedTransport } from "./websocket/slices.ts";
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
  const below = ({ hostname, port, proxy }: WebSocketEndpoint) =>
    ({ transport: name, hostname, port, proxy }) as E;
  return {
    async listen(endpoint, options) {
      const settings = settingsFor(endpoint, options);
      return new WebSocketListener(
        await inner.listen(below(endpoint), options),
        endpoint,
        settings,
        options,
      );
    },
    async connect(endpoint, options) {
      const wanted = offerFor(endpoint, options.web);
      const transport = await inner.connect(below(endpoint), options);
      return await handshake(transport, options.signal, async () => {
        return await speakOver(transport, CLIENT_FRAMING, await upgrade(transport, wanted));
      });
    },
  };
}

/** The framings that compress, by window, so that settings are made only once here too. */
const deflating = new Map<WebSocketFraming, Framing[]>();

async function speakOver(
  transport: Transport,
  plain: WebSocketFraming,
  upgraded: Upgraded,
): Promise<Transport> {
  const { rest, deflate } = upgraded;
  if (deflate === undefined) return new WebSocketTransport(transport, plain, upgraded);
  const { deflated } = await import("./websocket/deflate.ts");
  const framings = deflating.get(plain) ?? [];
  deflating.set(plain, framings);
  const framing = framings[deflate.windowBits] ??= deflated(plain, deflate.windowBits);
  const sliced = new SlicedTransport(transport, rest);
  return new WebSocketTransport(sliced, framing, { ...upgraded, rest: undefined });
}

function settingsFor(
  endpoint: WebSocketEndpoint,
  { web = {}, takesSessions }: TransportListenOptions,
): Settings {
  const { origins = [], subprotocols, respond = defaultRespond(endpoint) } = web;
  const { deflate = endpoint.deflate ?? false } = web;
  const isSecure = endpoint.transport === "wss";
  return {
    isSecure,
    // The path in the form that it has in the URL of a request.
    path: new URL(endpoint.path, "ws://localhost").href.slice("ws://localhost".length),
    origins: parseOrigins(origins),
    pick: pickBy(subprotocols, takesSessions),
    deflates: deflate,
    ...httpBy(respond, isSecure),
  };
}

interface Settings extends AcceptSettings {
  /** The listener has closed. */
  stop(): void;
}

/** Loads what speaks HTTP when a first request asks for it. */
function httpBy(respond: Respond, isSecure: boolean): Pick<Settings, "answer" | "stop"> {
  let isStopped = false;
  let http: HttpServer | undefined;
  return {
    async answer(transport, first, options) {
      const { HttpServer } = await import("./websocket/http.ts");
      http ??= new HttpServer(respond, isSecure);
      if (isStopped) http.close();
      await http.serve(transport, first, options);
    },
    stop() {
      isStopped = true;
      http?.close();
    },
  };
}

/** Who may say whose connection it is, and what it says. */
type Proxies = Pick<TransportListenOptions, "isProxy" | "clientOf">;

class WebSocketListener implements TransportListener {
  readonly endpoint: WebSocketEndpoint;
  readonly replaceCertificates?: (tls: TlsListenOptions) => void;
  readonly #inner: TransportListener;
  readonly #settings: Settings;
  readonly #proxies: Proxies;

  constructor(
    inner: TransportListener,
    endpoint: WebSocketEndpoint,
    settings: Settings,
    proxies: Proxies,
  ) {
    this.#proxies = proxies;
    const { port } = inner.endpoint as TcpEndpoint | TlsEndpoint;
    this.endpoint = { ...endpoint, port };
    this.#inner = inner;
    this.#settings = settings;
    if (inner.replaceCertificates !== undefined) {
      this.replaceCertificates = (tls) => inner.replaceCertificates!(tls);
    }
  }

  async accept(): Promise<AcceptedPeer> {
    return new WebSocketPeer(await this.#inner.accept(), this.#settings, this.#proxies);
  }

  close(): void {
    this.#inner.close();
    this.#settings.stop();
  }
}

class WebSocketPeer implements AcceptedPeer {
  readonly identify?: AcceptedPeer["identify"];
  readonly #inner: AcceptedPeer;
  readonly #settings: AcceptSettings;
  readonly #proxies: Proxies;
  /** What was opened and read already, to find out whose connection it is. */
  #opened: Transport | undefined;
  #asked: Asked;
  #client: string | undefined;

  constructor(inner: AcceptedPeer, settings: AcceptSettings, proxies: Proxies) {
    this.#inner = inner;
    this.#settings = settings;
    this.#proxies = proxies;
    if (inner.identify !== undefined || proxies.isProxy?.(inner.hostname)) {
      this.identify = (options) => this.#identify(options);
    }
  }

  get hostname(): string {
    return this.#client ?? this.#inner.hostname;
  }

  /** Reads the request of a named proxy, which tells whose it is. */
  async #identify(options: OpenOptions): Promise<boolean> {
    const { isProxy, clientOf } = this.#proxies;
    const isThere = await this.#inner.identify?.(options) ?? true;
    if (!isThere || clientOf === undefined || !isProxy?.(this.hostname)) return isThere;
    const transport = this.#opened = await this.#inner.open(options);
    if (transport === undefined) return false;
    this.#asked = await handshake(
      transport,
      options.signal,
      () => readRequest(transport, this.#settings),
    );
    if (this.#asked === undefined) return false;
    if ("error" in this.#asked) return true; // It will be told so.
    const client = clientOf(this.hostname, this.#asked.request.fields);
    if (client === this.hostname) return true;
    this.#client = client;
    this.#opened = new RenamedTransport(transport, formatAddress(client, 0));
    return true;
  }

  async open(options: OpenOptions): Promise<Transport | undefined> {
    const transport = this.#opened ?? await this.#inner.open(options);
    if (transport === undefined) return undefined;
    return await handshake(transport, options.signal, async () => {
      const upgraded = await accept(transport, this.#settings, options, this.#asked);
      if (upgraded === undefined) transport.close();
      else return await speakOver(transport, SERVER_FRAMING, upgraded);
    });
  }

  refuse(): void {
    this.#opened?.close();
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
