/** What goes between the threads of a backplane, and how much of it may be on its way. */

/** Which of the two kinds of names: those of rooms, and those of channels. */
export type Kind = "room" | "channel";

/** What a link tells the switchboard. */
export type Up =
  | { readonly do: "subscribe" | "unsubscribe"; readonly kind: Kind; readonly name: string }
  | Published
  /** Wants to know whether another link has subscribed to a channel. */
  | { readonly do: "ask"; readonly number: number; readonly name: string }
  /** So many bytes have been taken. */
  | { readonly do: "took"; readonly bytes: number }
  | { readonly do: "close" };

/** What the switchboard tells a link. */
export type Down =
  | Published
  /** Messages were dropped before those that follow, because too much waited. */
  | { readonly do: "lost"; readonly messages: number }
  | { readonly do: "answer"; readonly number: number; readonly isHeard: boolean }
  | { readonly do: "took"; readonly bytes: number };

/** A message to a room or a channel. */
export interface Published {
  readonly do: "publish";
  readonly kind: Kind;
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Whether it is known to be text. */
  readonly isText: boolean;
}

/** What a message counts for beside its own bytes. */
const ITEM_BYTES = 100;
/** Taken bytes are told when they are so many. */
const GRAIN = 64 * 1024;

/** How many bytes a message counts for. */
export function bytesOf({ bytes, name }: Published): number {
  return ITEM_BYTES + 2 * name.length + bytes.length;
}

/** One end of a way between two threads. What is told in one turn of the event loop goes as one. */
export class Way<Out> {
  /** Bytes of messages that were told and not yet taken. */
  waitingBytes = 0;
  readonly #port: MessagePort;
  #queue: Out[] = [];
  #taken = 0;
  #state: "open" | "ended" = "open";

  /** `took` makes what tells that so many bytes were taken. */
  constructor(port: MessagePort, readonly took: (bytes: number) => Out) {
    this.#port = port;
  }

  /** Tells something. */
  tell(item: Out): void {
    this.#queue.push(item);
    if (this.#queue.length === 1) queueMicrotask(() => this.#flush());
  }

  /** Something was taken here that counts for so many bytes: the other end will know of it. */
  take(bytes: number): void {
    this.#taken += bytes;
    if (this.#taken < GRAIN) return;
    this.tell(this.took(this.#taken));
    this.#taken = 0;
  }

  /** Tells the last thing, and closes the port. */
  end(item: Out): void {
    this.#queue.push(item);
    this.#flush();
    this.#port.close();
    this.#state = "ended";
  }

  #flush(): void {
    if (this.#state === "ended") return;
    const items = this.#queue;
    this.#queue = [];
    this.#port.postMessage(items);
  }
}
