/** Servers of a cluster in one process, clients that come to any of them, and a backplane with faults. */

import { type Backplane, type BackplaneChannels, inProcess } from "../../backplane.ts";
import { connect } from "../../client.ts";
import { type Cluster, joinCluster } from "../../cluster.ts";
import type { Connection } from "../../connection.ts";
import { text } from "../../format.ts";
import { listen, type ListenOptions, type Server } from "../../server.ts";
import type { Session, SessionOptions } from "../../session.ts";
import { CuttingProxy } from "../support/cutting_proxy.ts";

/** What becomes of a message to a channel: nothing, or it passes. */
export type Fault = (channel: string, message: Uint8Array) => "pass" | "lose";

/** A backplane whose channels have faults. */
export function faulty(backplane: Backplane, fault: Fault): Backplane {
  return {
    attach(port) {
      const link = backplane.attach(port);
      const { channels } = link;
      return {
        subscribe: (room) => link.subscribe(room),
        unsubscribe: (room) => link.unsubscribe(room),
        publish: (room, bytes) => link.publish(room, bytes),
        close: () => link.close(),
        channels: channels && faultyChannels(channels, fault),
      };
    },
  };
}

function faultyChannels(channels: BackplaneChannels, fault: Fault): BackplaneChannels {
  return {
    maxMessageBytes: 1_000_000,
    isHeard: (channel) => channels.isHeard!(channel),
    subscribe: (channel, take) => channels.subscribe(channel, take),
    unsubscribe: (channel) => channels.unsubscribe(channel),
    publish(channel, message) {
      if (fault(channel, message) === "pass") channels.publish(channel, message);
    },
  };
}

/** A server of a cluster. */
export interface Site {
  readonly server: Server<string>;
  readonly cluster: Cluster;
  /** What it has heard in all sessions. */
  readonly heard: string[];
}

/** A cluster, and an endpoint that leads to one of its servers after the other, as a balancer does. */
export class World implements AsyncDisposable {
  readonly backplane: Backplane;
  readonly proxy = new CuttingProxy({ port: 1, seed: 1, cuts: 0, meanBytes: 1e12 });
  readonly #sites: Site[] = [];

  constructor(fault?: Fault) {
    this.backplane = fault === undefined ? inProcess() : faulty(inProcess(), fault);
  }

  /** Opens a server, which answers what `answerOf` gives. */
  async open(
    options: ListenOptions<string> = {},
    answerOf: (message: string) => string | undefined = (message) => message,
  ): Promise<Site> {
    const cluster = joinCluster({ backplane: this.backplane, version: "1.2.3" });
    const heard: string[] = [];
    const server = await listen<string>("tcp://127.0.0.1:0", {
      session: true,
      format: text(),
      cluster,
      ...options,
    }, async (session) => {
      for await (const message of session) {
        heard.push(message);
        const answer = answerOf(message);
        if (answer !== undefined) await session.send(answer);
      }
    });
    const site = { server, cluster, heard };
    this.#sites.push(site);
    return site;
  }

  /** Leads whoever comes from now on to a server. */
  lead({ server }: Pick<Site, "server">): void {
    this.proxy.lead(Number(new URL(server.endpoints[0]).port));
  }

  /** A session to where the balancer leads. */
  async connect(session: SessionOptions = {}, token?: string): Promise<Session<string>> {
    return await connect(`tcp://127.0.0.1:${this.proxy.port}`, {
      session: { retry: () => 1, ...session },
      format: text(),
      token,
    });
  }

  /** Cuts the carriers, so that clients come to another server. */
  move(site: Site): void {
    this.lead(site);
    this.proxy.cut();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#sites.map(({ server }) => server.close({ grace: 1_000 })));
    await this.proxy[Symbol.asyncDispose]();
  }
}

/** Waits until a session is in a state. */
export async function until(session: Connection<string>, wanted: string): Promise<void> {
  for await (const { state } of (session as Session<string>).states()) {
    if (state === wanted) return;
  }
}
