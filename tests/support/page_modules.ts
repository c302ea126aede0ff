/**
 * What stands in a page in the place of a module must have what the others use of it: this is checked by
 * types alone, `deno check` fails where something is missing.
 */

import type { Deque as RealDeque } from "@std/data-structures";
import type { Batch as RealBatch } from "../../codec.ts";
import type * as codec from "../../codec.ts";
import type * as codecInternal from "../../codec/internal.ts";
import type { checkRoad as realCheckRoad } from "../../connect/road.ts";
import type { sessionFor as realSessionFor } from "../../connect/road_session.ts";
import type { Inbox as RealInbox } from "../../connection/inbox.ts";
import type { Receiver as RealReceiver } from "../../connection/receiver.ts";
import type { Sender as RealSender } from "../../connection/sender.ts";
import type { CLOCK as RealClock } from "../../internal/clock.ts";
import type * as reason from "../../internal/reason.ts";
import type { errors as realErrors } from "../../internal/runtime/errors.ts";
import type * as text from "../../internal/text.ts";
import type * as turn from "../../internal/turn.ts";
import type { Draining as RealDraining } from "../../session/draining.ts";
import type { Outgoing as RealOutgoing } from "../../session/outgoing.ts";
import type * as endpoint from "../../transport/endpoint.ts";
import type { Batch } from "../../browser/instead/batch.ts";
import type { CLOCK } from "../../browser/instead/clock.ts";
import type * as pageCodec from "../../browser/instead/codec.ts";
import type * as pageCodecInternal from "../../browser/instead/codec_internal.ts";
import type { Deque } from "../../browser/instead/data_structures.ts";
import type { Draining } from "../../browser/instead/draining.ts";
import type * as pageEndpoint from "../../browser/instead/endpoint.ts";
import type { errors } from "../../browser/instead/errors.ts";
import type { Inbox } from "../../browser/instead/inbox.ts";
import type { Outgoing } from "../../browser/instead/outgoing.ts";
import type { sessionFor } from "../../browser/instead/plain_session.ts";
import type * as pageReason from "../../browser/instead/reason.ts";
import type { Receiver } from "../../browser/instead/receiver.ts";
import type { checkRoad } from "../../browser/instead/road.ts";
import type { Sender } from "../../browser/instead/sender.ts";
import type * as pageText from "../../browser/instead/text.ts";
import type * as pageTurn from "../../browser/instead/turn.ts";

/** What a page's module exports, as the real module has it. */
type Same<Page, Real> = { readonly [Name in keyof Page & keyof Real]: Real[Name] };

/** What of the real receiver is not for changing the framing, nor for answers of the framing. */
type ReceiverMembers =
  | "bytes"
  | "discard"
  | "discardedBytes"
  | "ended"
  | "lastSeenAt"
  | "messages"
  | "run"
  | "stop"
  | "surface"
  | "take"
  | "takeBatch"
  | "wait";

/** What of the real sender is not for convoys, for changing the framing, nor for its questions. */
type SenderMembers =
  | "bytes"
  | "dropped"
  | "flush"
  | "flushed"
  | "framing"
  | "isQuiet"
  | "limits"
  | "messages"
  | "offer"
  | "offerFrame"
  | "offerInPlace"
  | "pendingBytes"
  | "pushEnd"
  | "ready"
  | "settled"
  | "stop";

/** The pairs: the first of each must do for the second. */
export interface Fits {
  readonly batch: Fit<
    Batch,
    Pick<RealBatch, "at" | "byteLength" | "length" | "recycle" | "toArray"> & Iterable<Uint8Array>
  >;
  readonly clock: Fit<typeof CLOCK, Pick<typeof RealClock, "add" | "delete">>;
  readonly codec: Fit<
    Omit<typeof pageCodec, "Batch">,
    Same<Omit<typeof pageCodec, "Batch">, typeof codec>
  >;
  readonly codecInternal: Fit<
    typeof pageCodecInternal,
    Same<typeof pageCodecInternal, typeof codecInternal>
  >;
  readonly draining: Fit<Draining, Pick<RealDraining, keyof RealDraining>>;
  readonly endpoint: Fit<
    Pick<typeof pageEndpoint, "parseEndpoint" | "formatEndpoint" | "formatAddress">,
    Pick<typeof endpoint, "parseEndpoint" | "formatEndpoint" | "formatAddress">
  >;
  readonly errors: Fit<typeof errors, Same<typeof errors, typeof realErrors>>;
  readonly inbox: Fit<
    Inbox,
    Pick<
      RealInbox,
      "abort" | "bytes" | "clear" | "cost" | "end" | "messages" | "take" | "takeBatch"
    >
  >;
  readonly outgoing: Fit<
    Omit<Outgoing, "blocks">,
    Omit<Pick<RealOutgoing, keyof RealOutgoing>, "blocks">
  >;
  readonly queue: Fit<
    Deque<string>,
    Pick<
      RealDeque<string>,
      | "clear"
      | "isEmpty"
      | "length"
      | "peekBack"
      | "peekFront"
      | "popBack"
      | "popFront"
      | "pushBack"
      | "pushFront"
    >
  >;
  readonly reason: Fit<typeof pageReason, Same<typeof pageReason, typeof reason>>;
  readonly receiver: Fit<Receiver, Pick<RealReceiver, ReceiverMembers>>;
  readonly road: Fit<typeof checkRoad, typeof realCheckRoad>;
  readonly sender: Fit<Sender, Pick<RealSender, SenderMembers>>;
  readonly session: Fit<
    (...args: Parameters<typeof sessionFor>) => undefined,
    (...args: Parameters<typeof sessionFor>) => ReturnType<typeof realSessionFor>
  >;
  readonly text: Fit<typeof pageText, Same<typeof pageText, typeof text>>;
  readonly turn: Fit<typeof pageTurn, Same<typeof pageTurn, typeof turn>>;
}

type Fit<Page extends Real, Real> = Page & Real;
