/** Carries a carrier to the server of its session, frame by frame. */

import { Connection } from "../connection.ts";
import { SessionProtocolError } from "../errors.ts";
import { handledResolvers } from "../internal/handled.ts";
import { deadlineOf } from "../internal/time.ts";
import { SessionCode } from "../session.ts";
import { carrierSettings, refusal } from "../session/internal.ts";
import type { RelayStream } from "./stream.ts";

/** How long the server of the session may take to answer, in milliseconds: less than a client waits. */
const ANSWER_TIME = 8_000;

/** How carriers travel between servers. */
export const WAY = carrierSettings("u32be", {});

/**
 * Joins a carrier, whose HELLO was read, with a stream to the server of its session. Resolves when both
 * have closed. `gone` resolves to true if that server has gone.
 *
 * @throws {SessionProtocolError} if that server does not answer. Then the carrier is still open.
 */
export async function carry(
  carrier: Connection<Uint8Array>,
  stream: RelayStream,
  hello: Uint8Array,
  gone: Promise<boolean>,
): Promise<void> {
  const far = new Connection<Uint8Array>(stream, WAY);
  const failed = handledResolvers<never>();
  const late = deadlineOf(
    ANSWER_TIME,
    () => failed.reject(refusal("its server does not answer", SessionCode.TIMEOUT)),
  );
  gone.then((isGone) => {
    if (isGone) failed.reject(refusal("the server of the session has gone", SessionCode.GONE));
  });
  try {
    far.send(hello);
    const answer = await Promise.race([far.receive(), failed.promise]);
    if (answer === undefined) throw refusal("its server does not answer", SessionCode.TIMEOUT);
    carrier.send(answer);
  } catch (error) {
    far.abort(error);
    await far.closed;
    throw error instanceof SessionProtocolError
      ? error
      : refusal("the way to its server broke", SessionCode.TIMEOUT);
  } finally {
    late.clear();
  }
  await Promise.all([pass(carrier, far), pass(far, carrier)]);
}

/** Passes messages on until one end closes. Then the other one is closed in the same way. */
async function pass(from: Connection<Uint8Array>, to: Connection<Uint8Array>): Promise<void> {
  try {
    for await (const batch of from.batches()) {
      let sent: Promise<void> | undefined;
      for (const message of batch) sent = to.send(message);
      await sent;
    }
    await to.close();
  } catch (error) {
    // One of both was lost: the session makes another carrier.
    from.abort(error);
    to.abort(error);
  }
  await Promise.all([from.close(), to.closed]);
}
