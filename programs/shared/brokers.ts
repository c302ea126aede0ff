/** The brokers of a cluster, as `--cluster` names them. */

import { ConnectError } from "../../errors.ts";
import { withoutPassword } from "../../internal/address.ts";
import { UsageError } from "./options.ts";
import { requireConnect } from "./permissions.ts";

const NATS_PORT = 4222;

/**
 * The addresses of brokers, each written as `nats://HOST[:PORT]` or `HOST[:PORT]`.
 *
 * @throws {UsageError} for one that cannot be meant.
 * @throws {ConnectError} if the program may not connect to one.
 */
export async function brokersFrom(texts: readonly string[]): Promise<string[]> {
  const brokers = texts.map(brokerOf);
  for (const broker of brokers) await requireConnect(`tcp://${broker}`);
  return brokers;
}

/**
 * What connects to the brokers. Whom they refuse is told which option has the token.
 *
 * @throws {ConnectError} if they cannot be used.
 */
export async function atBrokers<T>(connecting: Promise<T>): Promise<T> {
  try {
    return await connecting;
  } catch (error) {
    const isRefused = error instanceof ConnectError &&
      (error.cause as Error | undefined)?.name === "AuthorizationError";
    if (!isRefused) throw error;
    const hint = "--cluster-token-file FILE names the file with the token";
    throw new ConnectError(`${error.message}; ${hint}`, { cause: error });
  }
}

function brokerOf(text: string): string {
  const [, address] = /^(?:nats:\/\/)?([^/@]+)\/?$/.exec(text) ?? [];
  if (address === undefined) {
    throw new UsageError(
      `--cluster ${
        withoutPassword(text)
      }: write a broker as nats://HOST:PORT, and its token into ` +
        "the file of --cluster-token-file",
    );
  }
  return /:\d+$/.test(address) ? address : `${address}:${NATS_PORT}`;
}
