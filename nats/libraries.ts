/**
 * The libraries of NATS. They are named in variables, so that Deno downloads them for those programs only
 * that connect to a broker, and not for all that could.
 */

const CORE: string = "npm:@nats-io/nats-core@^3.4.0/internal";
const JETSTREAM: string = "npm:@nats-io/jetstream@^3.4.0";

/** The client. */
export async function coreLibrary(): Promise<typeof import("@nats-io/nats-core/internal")> {
  return await import(CORE);
}

/** Its part for streams. */
export async function jetstreamLibrary(): Promise<typeof import("@nats-io/jetstream")> {
  return await import(JETSTREAM);
}
