/** What a peer is asked before it comes in: the token, and who it is. */

import type { Connection } from "../connection.ts";
import { RefusedError } from "../errors.ts";
import { SessionCode } from "../session.ts";
import { encodeRefused } from "../session/internal.ts";
import type { Transport } from "../transport.ts";
import type { OpenOptions, WebRequest } from "../transport/internal.ts";
import type { Admission } from "./admission.ts";
import type { Authorizer } from "./authorizer.ts";
import type { HandshakeDeadline } from "./handshake.ts";
import { POLICY_VIOLATION, type TokenGate, type Words } from "./token_gate.ts";
import type { Refusal, TokenRefusal } from "./types.ts";

/** What the questions need. */
export interface QuestionsOptions {
  /** Asks for the token, if the server wants one. */
  readonly gate?: TokenGate;
  /** Asks the program, if it wants to be asked. */
  readonly authorizer?: Authorizer;
  /** What a refused peer is told, in the protocol of the service; nothing by default. */
  readonly messageOf?: (refusal: TokenRefusal) => Words | undefined;
  /** Called for each peer that is turned away. */
  readonly onRefuse: (refusal: Refusal) => void;
}

/** A peer on its way in. */
export interface Visit {
  readonly endpoint: string;
  readonly hostname: string;
  /** What it asked for, over WebSocket. */
  request?: WebRequest;
  /** Set when the program was asked who it is. */
  verdict?: { readonly user: unknown };
  /** Set if another server of the cluster has asked all questions. */
  readonly vouched?: { readonly user: unknown };
}

/** Asks each peer what the server wants to know. */
export class Questions {
  /** How many gave no token, or a wrong one. */
  wrongTokens = 0;
  /** How many the program refused. */
  refusedUsers = 0;
  readonly #options: QuestionsOptions;
  readonly #admission: Admission;

  /** Wrong answers are charged to the address. */
  constructor(options: QuestionsOptions, admission: Admission) {
    this.#options = options;
    this.#admission = admission;
  }

  /** How the peer is to be opened: if it comes with a request, it is asked before that is answered. */
  opening(visit: Visit, deadline: HandshakeDeadline): OpenOptions {
    if (this.#options.authorizer === undefined) return deadline;
    return {
      get signal() {
        return deadline.signal;
      },
      answering: () => deadline.answering(),
      pause: () => deadline.pause(),
      resume: () => deadline.resume(),
      judge: (request, transport) => this.#judge(visit, request, transport, deadline),
    };
  }

  async #judge(
    visit: Visit,
    request: WebRequest,
    { remote, abilities: { peer } }: Pick<Transport, "remote" | "abilities">,
    deadline: HandshakeDeadline,
  ): Promise<RefusedError | undefined> {
    const { gate, authorizer } = this.#options;
    visit.request = request;
    const token = gate?.takesAny ? bearerOf(request.headers) : undefined;
    if (gate?.takesAny && token === undefined) return undefined; // It will be the first message.
    // The peer has had its time; the program has time of its own.
    deadline.pause();
    const verdict = await authorizer!.ask({
      endpoint: visit.endpoint,
      remote,
      peer,
      token,
      request,
    });
    deadline.resume();
    if (verdict instanceof RefusedError) return verdict;
    visit.verdict = verdict;
  }

  /** Whether nothing is left to ask. */
  isDone({ verdict, vouched }: Visit): boolean {
    if (vouched !== undefined) return true;
    const { gate, authorizer } = this.#options;
    return authorizer === undefined
      ? gate === undefined
      : verdict !== undefined && (gate === undefined || gate.takesAny);
  }

  /**
   * Asks what is left to ask. Resolves to whether the peer may come in; otherwise it was told, and the
   * connection is closing. A carrier is told by a frame of sessions. Once `isOpen` says false, nobody
   * comes in any more.
   */
  async ask<T>(
    connection: Connection<T>,
    visit: Visit,
    { isCarrier, isOpen }: { readonly isCarrier: boolean; readonly isOpen: () => boolean },
  ): Promise<boolean> {
    const { gate, authorizer } = this.#options;
    let token: string | undefined;
    if (gate !== undefined && !(gate.takesAny && visit.verdict !== undefined)) {
      token = await gate.ask(connection, isCarrier);
      if (!isOpen()) return false;
      if (token === undefined) {
        this.#turnAway("token", visit);
        return false;
      }
    }
    if (authorizer !== undefined && visit.verdict === undefined) {
      const { endpoint, remote, peer } = connection;
      const { request } = visit;
      const given = gate?.takesAny ? token : undefined;
      const verdict = await authorizer.ask({ endpoint, remote, peer, token: given, request });
      if (!isOpen()) return false;
      if (verdict instanceof RefusedError) {
        this.#tell(connection, verdict, isCarrier);
        this.refused(visit, verdict);
        return false;
      }
      visit.verdict = verdict;
    }
    connection.identify(visit.verdict?.user);
    return true;
  }

  /** The program has refused a peer, which was told. */
  refused(visit: Visit, error: RefusedError): void {
    this.#turnAway("authorize", visit, error);
  }

  #turnAway(reason: "token" | "authorize", visit: Visit, error?: RefusedError): void {
    if (reason === "token") this.wrongTokens++;
    else this.refusedUsers++;
    const { hostname, endpoint } = visit;
    const isOurs = error !== undefined && error.status >= 500;
    if (!isOurs) this.#admission.penalize(hostname);
    this.#options.onRefuse({ hostname, endpoint, reason, ...(error && { error }) });
  }

  #tell<T>(connection: Connection<T>, error: RefusedError, isCarrier: boolean): void {
    const { code, message: reason, status } = error;
    const { UNAUTHORIZED, TIMEOUT } = SessionCode;
    const words = isCarrier
      ? encodeRefused(status >= 500 ? TIMEOUT : UNAUTHORIZED, reason)
      : this.#options.messageOf?.({ code, reason });
    if (words !== undefined) connection.sendRaw(words);
    connection.close({ code: POLICY_VIOLATION, reason });
  }
}

/** The token of the field Authorization (RFC 6750, section 2.1). */
function bearerOf(headers: Headers): string | undefined {
  return /^Bearer +(\S+)\s*$/i.exec(headers.get("authorization") ?? "")?.[1];
}
