/** What a program that listens tells of peers that it did not serve. */

import { reasonOf } from "../../internal/reason.ts";
import type { ListenOptions } from "../../listen/listen.ts";
import { howToChange } from "./limits.ts";
import { messageOf, type Reporter } from "./report.ts";

/** Tells of peers that were turned away, with the option that would let them in, and of failures to accept. */
export function tellingOfPeers<T>(
  reporter: Reporter,
  limits: Readonly<Record<string, unknown>>,
): Pick<ListenOptions<T>, "onError" | "onRefuse"> {
  return {
    onError(error, connection) {
      if (connection === undefined) reporter.error(`cannot accept: ${reasonOf(error)}`);
      // An error of a connection is reported when the connection has closed.
    },
    onRefuse({ hostname, endpoint, reason, error }) {
      const why = howToChange(reason, limits) ??
        (error === undefined ? reason : `${reason}, ${messageOf(error)}`);
      reporter.event(
        { event: "refused", hostname, endpoint, reason, error: error && messageOf(error) },
        `${hostname || "a peer"} refused: ${why}`,
        "warn",
      );
    },
  };
}
