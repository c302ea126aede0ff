/** Sends messages to many connections: together to those that keep up, and one by one to the others. */

import type { Connection, Shared } from "../connection.ts";
import { Convoys } from "./convoy.ts";
import { flushSoon } from "./flush.ts";

/** With fewer members, a convoy costs more than it saves. */
const MIN_MEMBERS = 16;

/** What became of a message. */
export interface Delivery {
  /** For how many members it was queued. */
  queued: number;
  /** How many members refused or dropped it. */
  refused: number;
}

/**
 * The members of a room, or the connections of a server. In each turn of the event loop, the members
 * that keep up form a convoy for each framing. A message is then copied once, and costs no call for
 * each of them. A member that does not keep up, or that gets anything else in this turn, gets the
 * further messages one by one until the turn ends. Limits, order and counts are the same either way.
 */
export class Audience<T> {
  readonly #members = new Set<Connection<T>>();
  /** The members of this turn that are in no convoy; undefined before the first message. */
  #apart: Set<Connection<T>> | undefined;
  #convoys: Convoys<T, Connection<T>> | undefined;

  /** The members, in the order in which they came. */
  get members(): ReadonlySet<Connection<T>> {
    return this.#members;
  }

  /** Adds a member. */
  add(member: Connection<T>): void {
    this.#members.add(member);
    this.#apart?.add(member);
  }

  /** Removes a member. Returns false if it is none. */
  delete(member: Connection<T>): boolean {
    if (!this.#members.delete(member)) return false;
    member.sender.leaveConvoy();
    this.#apart?.delete(member);
    return true;
  }

  /** Sends a message to all but those in `except`, without waiting. */
  send(message: Shared<T>, except?: ReadonlySet<Connection<T>>): Delivery {
    const delivery = { queued: 0, refused: 0 };
    if (this.#apart !== undefined) this.#sendOn(this.#apart, message, except, delivery);
    else if (this.#members.size < MIN_MEMBERS) {
      this.#sendToEach(this.#members, message, except, delivery);
    } else this.#begin(message, except, delivery);
    return delivery;
  }

  /** The first message of a turn. */
  #begin(
    message: Shared<T>,
    except: ReadonlySet<Connection<T>> | undefined,
    delivery: Delivery,
  ): void {
    const apart = this.#apart = new Set();
    const convoys = this.#convoys ??= new Convoys();
    flushSoon(this);
    for (const member of this.#members) {
      if (except?.has(member)) apart.add(member);
      else if (member.sender.joinConvoy(convoys, message, member)) delivery.queued++;
      else this.#sendApart(member, message, delivery);
    }
  }

  /** A further message of a turn. */
  #sendOn(
    apart: Set<Connection<T>>,
    message: Shared<T>,
    except: ReadonlySet<Connection<T>> | undefined,
    delivery: Delivery,
  ): void {
    const convoys = this.#convoys!;
    for (const member of except ?? []) {
      if (!apart.has(member) && this.#members.has(member)) member.sender.leaveConvoy();
    }
    for (const member of convoys.takeLeft()) if (this.#members.has(member)) apart.add(member);
    this.#sendToEach(apart, message, except, delivery);
    const closed = convoys.put(message);
    delivery.queued += convoys.size;
    for (const convoy of closed) {
      for (const member of this.#members) {
        if (!member.sender.isIn(convoy)) continue;
        if (convoy.isFull && member.sender.joinConvoy(convoys, message, member)) delivery.queued++;
        else this.#sendApart(member, message, delivery);
      }
    }
  }

  #sendApart(member: Connection<T>, message: Shared<T>, delivery: Delivery): void {
    this.#apart!.add(member);
    if (member.offer(message)) delivery.queued++;
    else delivery.refused++;
  }

  #sendToEach(
    members: Iterable<Connection<T>>,
    message: Shared<T>,
    except: ReadonlySet<Connection<T>> | undefined,
    delivery: Delivery,
  ): void {
    for (const member of members) {
      if (except?.has(member)) continue;
      if (member.offer(message)) delivery.queued++;
      else delivery.refused++;
    }
  }

  /** At the end of the turn: the members of convoys are written now. */
  flush(): void {
    this.#convoys!.close();
    this.#apart = undefined;
  }

  /** Whether a turn goes on. */
  get scheduled(): boolean {
    return this.#apart !== undefined;
  }
}
