/** What is wrong with what a peer speaks, and what to do. */

import type { Patient } from "./probes.ts";
import type { Speech } from "./speech.ts";

/** What was expected. */
export interface Expectation {
  readonly patient: Patient;
  /** Whether a session was asked for. */
  readonly wantsSession: boolean;
}

/** A problem and its advice. Undefined if all is as expected. */
export function adviceFor(
  { kind, text, framing }: Speech,
  { patient, wantsSession }: Expectation,
): [problem: string, advice: string] | undefined {
  const { endpoint: { transport }, token } = patient;
  const expected = patient.framing?.name ?? "none";
  switch (kind) {
    case "http":
      return [
        `${text}, and not messages in ${expected}`,
        "it is a web server: use ws:// for a WebSocket, or another port",
      ];
    case "tls":
      return [`${text}, and ${transport}:// does not`, "use tls:// or wss:// in the endpoint"];
    case "other framing":
      return [
        `it does not speak in ${expected}, but in ${framing}`,
        `say ?framing=${framing} in the endpoint, or --framing ${framing}`,
      ];
    case "unknown bytes":
      return [
        `what it says does not fit to ${expected}`,
        "client.ts guess ENDPOINT looks closer, client.ts formats lists what other programs speak",
      ];
    case "wants token":
      return [
        text,
        token === undefined
          ? "give the token with --token TOKEN or --token-file FILE"
          : "the token that was given is not the server's",
      ];
    case "refuses":
      return [text, "it is there, and does not let this client in: its log says more"];
    case "turned away":
      return [
        text,
        "it may be full, deny this address, or break off at a wrong framing: its log says which",
      ];
    case "session":
      if (wantsSession) return undefined;
      return ["it has sessions only", "say --session, or ?session=1 in the endpoint"];
    case "silent":
      if (transport !== "udp") return undefined;
      return [
        "nothing comes back, and UDP does not tell whether anything is there",
        "look at the server: it may not run, or may answer nothing",
      ];
  }
  if (!wantsSession) return undefined;
  return [`${text}, and has no sessions`, "leave out --session, or start the server with it"];
}
