/** The bans: who may not join the chat. */

import { hostnameOf, isLoopback } from "../../internal/address.ts";
import type { Archive } from "../history/archive.ts";
import { keysOf } from "../names/names.ts";

/** A banned name, with the address of the member who had it. */
export interface Ban {
  readonly name: string;
  readonly host?: string;
}

/**
 * How many bans are kept in one setting of the history. A setting holds 4096 characters, so this
 * many bans always fit.
 */
const BANS_PER_SETTING = 20;
const SETTINGS = 25;
const MAX_BANS = SETTINGS * BANS_PER_SETTING;
const EMPTY = "[]";

/** Bans by name and by address, kept in the archive. */
export class Bans {
  readonly #archive: Archive;
  /** All bans, each with the keys of its name. */
  readonly #bans = new Map<Ban, readonly string[]>();
  #keys = new Set<string>();
  #hosts = new Set<string>();

  constructor(archive: Archive) {
    this.#archive = archive;
    const settings = Array.from({ length: SETTINGS }, (_, index) => archive.get(settingKey(index)));
    for (const ban of settings.flatMap(parseBans)) this.#bans.set(ban, keysOf(ban.name));
    this.#index();
    // The settings are made now. Otherwise members could use up all settings, and bans could not be
    // kept any more.
    settings.forEach((setting, index) => setting ?? archive.set(settingKey(index), EMPTY));
  }

  /** All bans, oldest first. */
  get all(): readonly Ban[] {
    return [...this.#bans.keys()];
  }

  /** Whether a name is banned. */
  hasName(name: string): boolean {
    return keysOf(name).some((key) => this.#keys.has(key));
  }

  /** Whether an address is banned. */
  hasHost(host: string | undefined): boolean {
    return host !== undefined && this.#hosts.has(host);
  }

  /**
   * Adds a ban. If there are too many, the oldest one is removed. Returns whether the ban will
   * outlive a restart.
   */
  add(ban: Ban): boolean {
    const keys = keysOf(ban.name);
    this.#removeIf((_, others) => others.some((key) => keys.includes(key)));
    this.#bans.set(ban, keys);
    if (this.#bans.size > MAX_BANS) this.#bans.delete(this.#bans.keys().next().value!);
    return this.#keep();
  }

  /** Removes the bans of a name or an address. Returns how many were removed. */
  remove(nameOrHost: string): number {
    const keys = keysOf(nameOrHost);
    const removed = this.#removeIf(({ host }, others) =>
      host === nameOrHost || others.some((key) => keys.includes(key))
    );
    if (removed > 0) this.#keep();
    return removed;
  }

  #removeIf(matches: (ban: Ban, keys: readonly string[]) => boolean): number {
    const before = this.#bans.size;
    for (const [ban, keys] of this.#bans) if (matches(ban, keys)) this.#bans.delete(ban);
    return before - this.#bans.size;
  }

  #keep(): boolean {
    this.#index();
    const { all } = this;
    let isKept = true;
    for (let index = 0; index < SETTINGS; index++) {
      const start = index * BANS_PER_SETTING;
      const setting = JSON.stringify(all.slice(start, start + BANS_PER_SETTING));
      const key = settingKey(index);
      if (this.#archive.get(key) !== setting) isKept = this.#archive.set(key, setting) && isKept;
    }
    return isKept;
  }

  #index(): void {
    this.#keys = new Set([...this.#bans.values()].flat());
    this.#hosts = new Set(this.all.flatMap(({ host }) => host ?? []));
  }
}

function settingKey(index: number): string {
  return `bans ${index}`;
}

/**
 * Reads a setting. Another version or a person may have written it. What is not a ban is left out.
 */
function parseBans(json: string | undefined): Ban[] {
  let value: unknown;
  try {
    value = JSON.parse(json ?? EMPTY);
  } catch {
    return []; // Nothing can be read out of it.
  }
  if (!Array.isArray(value)) return [];
  return value.filter((ban): ban is Ban =>
    typeof ban?.name === "string" && ["string", "undefined"].includes(typeof ban.host)
  ).slice(0, BANS_PER_SETTING);
}

/**
 * The address of a peer without its port. Undefined if the address does not tell peers apart, as
 * with loopback and Unix sockets.
 */
export function distinctHostOf(remote: string): string | undefined {
  const host = hostnameOf(remote);
  if (host === undefined || isLoopback(host)) return undefined;
  return host.toLowerCase().replace(/^::ffff:(?=\d+\.)/, "");
}
