/** The programs' options for TLS. */

import type { TlsConnectOptions, TlsListenOptions } from "../../transport.ts";
import { readText } from "./given.ts";
import { type OptionSpecs, type ParsedOptions, UsageError } from "./options.ts";
import type { Reporter } from "./report.ts";

/** The TLS options of the server. */
export const SERVER_TLS_OPTIONS: OptionSpecs = {
  cert: { value: "FILE", group: "TLS", help: "certificate in PEM" },
  key: { value: "FILE", group: "TLS", help: "its private key" },
  "client-ca": { value: "FILE", group: "TLS", help: "who issues the certificates clients need" },
  "tls-self-signed": { group: "TLS", help: "makes a throw-away certificate" },
};

/** The TLS options of the client. */
export const CLIENT_TLS_OPTIONS: OptionSpecs = {
  ca: { value: "FILE", group: "TLS", help: "whom to trust instead of the system's authorities" },
  cert: { value: "FILE", group: "TLS", help: "this client's certificate in PEM" },
  key: { value: "FILE", group: "TLS", help: "its private key" },
  "server-name": { value: "NAME", group: "TLS", help: "the name in the server's certificate" },
  fingerprint: { value: "SHA256", group: "TLS", help: "the one certificate to trust" },
  insecure: { group: "TLS", help: "trusts anyone" },
};

/**
 * The certificates of the server, and a function that reads them again when the files have changed.
 */
export interface ServerTls {
  /** The options for `listen()`. */
  readonly tls: TlsListenOptions | undefined;
  /** The SHA-256 fingerprint of a throw-away certificate. */
  readonly fingerprint?: string;
  /** Reads the files again. Undefined if there are no files. */
  readonly reload?: () => Promise<TlsListenOptions>;
}

/**
 * Reads or makes the server's certificates.
 *
 * @throws {UsageError} for options that contradict each other.
 * @throws {Error} for files that cannot be read.
 */
export async function serverTls(
  options: ParsedOptions,
  endpoints: readonly string[],
): Promise<ServerTls> {
  const [cert, key, clientCa] = ["cert", "key", "client-ca"].map((name) => options.text(name));
  const isSecure = endpoints.some((endpoint) => /^(tls|wss):/i.test(endpoint));
  const selfSigned = options.on("tls-self-signed");
  if (selfSigned && cert !== undefined) {
    throw new UsageError("--tls-self-signed and --cert: give one of them");
  }
  if (cert === undefined && key !== undefined) {
    throw new UsageError("--key without --cert: give both or none");
  }
  if (!isSecure) {
    const given = selfSigned ? "tls-self-signed" : cert !== undefined ? "cert" : "client-ca";
    if (selfSigned || cert !== undefined || clientCa !== undefined) {
      throw new UsageError(`--${given} is for tls:// and wss://, and no endpoint is one`);
    }
    return { tls: undefined };
  }
  const withClientCa = async (tls: TlsListenOptions): Promise<TlsListenOptions> =>
    clientCa === undefined ? tls : { ...tls, clientCa: await readText("client-ca", clientCa) };
  if (selfSigned) {
    const { selfSigned } = await import("../server/self_signed.ts");
    const { fingerprint, ...pair } = await selfSigned(endpoints.map(secureHostOf).filter(Boolean));
    return { tls: await withClientCa(pair), fingerprint };
  }
  if (cert === undefined) {
    throw new UsageError("tls:// and wss:// need --cert FILE --key FILE, or --tls-self-signed");
  }
  const reload = async () =>
    await withClientCa({
      cert: await readText("cert", cert),
      ...(key !== undefined && { key: await readText("key", key) }),
    });
  return { tls: await reload(), reload };
}

function secureHostOf(endpoint: string): string {
  return /^(?:tls|wss):\/\/(?:\[([^\]]*)\]|([^:/]*))/i.exec(endpoint)?.slice(1).find(Boolean) ?? "";
}

/** Under which names the options of a client's own certificate are given. */
export interface OwnCertificateNames {
  /** The certificate. */
  readonly cert: string;
  /** Its key. */
  readonly key: string;
}

/**
 * The certificates that the client trusts over `tls://` and `wss://`. Warns the user about
 * `--insecure`.
 *
 * @throws {UsageError} for options that are useless here.
 * @throws {Error} for files that cannot be read.
 */
export async function clientTls(
  options: ParsedOptions,
  endpoint: string,
  reporter: Reporter,
  own: OwnCertificateNames = { cert: "cert", key: "key" },
): Promise<TlsConnectOptions | undefined> {
  const names = Object.keys(CLIENT_TLS_OPTIONS).map((name) =>
    name === "cert" || name === "key" ? own[name] : name
  );
  const given = names.filter((name) => options.text(name) !== undefined || options.on(name));
  if (given.length === 0) return undefined;
  if (!/^(tls|wss):/i.test(endpoint)) {
    throw new UsageError(`--${given[0]} is for tls:// and wss://, and "${endpoint}" is neither`);
  }
  const files = await Promise.all(
    Object.entries({ ca: "ca", ...own }).map(async ([name, option]) => {
      const file = options.text(option);
      return file === undefined ? {} : { [name]: await readText(option, file) };
    }),
  );
  const insecure = options.on("insecure");
  if (insecure) {
    const message =
      `--insecure: the certificate of ${endpoint} is not checked; anyone in between can read and change ` +
      "everything. --fingerprint or --ca is safe";
    reporter.event({ event: "warning", message }, `warning: ${message}`);
  }
  const [serverName, fingerprint] = ["server-name", "fingerprint"].map((name) =>
    options.text(name)
  );
  return Object.assign(
    {},
    ...files,
    serverName && { serverName },
    fingerprint && { fingerprint },
    insecure && { insecure },
  );
}
