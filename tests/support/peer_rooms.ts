/** Peers in rooms: those that a hub notifies, and what their other ends are told. */

import { Connection, type ConnectionOptions } from "../../connection.ts";
import { type AnyMethods, type RequestOptions, type RequestPeer, requests } from "../../request.ts";
import { memoryPair } from "../../testing.ts";

/** What the peers of these tests can be notified of. */
export interface Events {
  said(params: unknown): void;
  moved(params: { name: string; x: number }): void;
  bare(): void;
}

/** What an end has been told, in order. */
export class Told {
  readonly all: unknown[] = [];
  #news = Promise.withResolvers<void>();

  /** Takes one. */
  readonly take = (value: unknown): void => {
    this.all.push(value);
    this.#news.resolve();
    this.#news = Promise.withResolvers();
  };

  /** The first so many, when they are there. */
  async first(count: number): Promise<unknown[]> {
    while (this.all.length < count) await this.#news.promise;
    return this.all.slice(0, count);
  }
}

/** A peer to be notified, and what its other end is told. */
export interface Member {
  readonly peer: RequestPeer<Events>;
  readonly near: Connection;
  readonly far: RequestPeer;
  readonly told: Told;
}

/** Options of both ends of a member. */
export interface MemberOptions extends ConnectionOptions {
  /** Of the far end alone. */
  readonly far?: ConnectionOptions;
  readonly requests?: RequestOptions;
}

/** Members of rooms, all closed at the end of the test. */
export class Members implements AsyncDisposable {
  readonly #all: Connection[] = [];

  /** Two linked connections, of which the far one reads little ahead. */
  pair({ far, requests: _, ...options }: MemberOptions = {}): [near: Connection, far: Connection] {
    const [a, b] = memoryPair();
    const pair: [Connection, Connection] = [
      new Connection(a, options),
      new Connection(b, { framing: options.framing, maxUnreadBytes: 1024, ...far }),
    ];
    this.#all.push(...pair);
    return pair;
  }

  /** A member whose other end notes what it is told. */
  make(options: MemberOptions = {}): Member {
    const [near, far] = this.pair(options);
    const told = new Told();
    const handlers = {
      said: told.take,
      moved: told.take,
      bare: () => told.take("bare"),
      echo: (value: unknown) => value,
    };
    const peer = requests<Events>(near, { ask: (value: unknown) => value } as never);
    return { peer, near, far: requests<AnyMethods>(far, handlers, options.requests), told };
  }

  /** Many of them, after their HELLOs. */
  async many(count: number, options: MemberOptions = {}): Promise<Member[]> {
    const members = Array.from({ length: count }, () => this.make(options));
    await Promise.all(members.map(({ peer }) => (peer as RequestPeer).request("echo", 1)));
    return members;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const connection of this.#all) connection.abort();
    await Promise.all(this.#all.map(({ closed }) => closed));
  }
}
