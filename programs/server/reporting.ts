/** What the server tells of its connections. */

import type { CloseInfo, Connection } from "../../connection.ts";
import { messageOf, type Reporter } from "../shared/report.ts";

/** Tells that a connection has ended, and how. */
export function reportClosed(
  connection: Connection<unknown>,
  info: CloseInfo,
  reporter: Reporter,
): void {
  const { id, remote } = connection;
  const { messagesReceived, messagesSent, messagesDropped } = connection.stats;
  const { clean, undeliveredBytes, unreadBytes } = info;
  const error = info.error === undefined ? undefined : messageOf(info.error);
  const lost = undeliveredBytes > 0 ? `, ${undeliveredBytes} bytes undelivered` : "";
  reporter.event(
    {
      event: "closed",
      id,
      remote,
      clean,
      error,
      messagesReceived,
      messagesSent,
      messagesDropped,
      undeliveredBytes,
      unreadBytes,
    },
    `${remote} closed${error === undefined ? "" : `: ${error}`}${lost}`,
    error === undefined && undeliveredBytes === 0 ? "info" : "warn",
  );
  const { bytesReceived, bytesSent, openedAt } = connection.stats;
  const seconds = (Date.now() - openedAt) / 1_000;
  const { name: framing } = connection.framing;
  reporter.event(
    { event: "stats", id, remote, framing, seconds, bytesReceived, bytesSent },
    `${remote} (${framing}) was there for ${seconds} s: ${messagesReceived} messages and ` +
      `${bytesReceived} bytes came, ${messagesSent} and ${bytesSent} went`,
    "debug",
  );
}
