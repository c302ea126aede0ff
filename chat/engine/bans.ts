/** Who may not come in. */

import { hostnameOf, isLoopback } from "../../internal/address.ts";
import type { Archive } from "../history/archive.ts";
import { keysOf } from "../names/names.ts";

/** A name that is banned, with the address that its holder had. */
export interface Ban {
  readonly name: string;
  readonly host?: string;
}

/** A history's setting holds 4096 characters: this many bans fit whatever they are. */
const BANS_PER_SETTING = 20;
const SETTINGS = 25;
const MAX_BANS = SETTINGS * BANS_PER_SETTING;
const EMPTY = "[]";

/** Bans by name and by address, kept in the archive. */
export class Bans {
  readonly #archive: Archive;
  /** With the keys of their names. */
  readonly #bans = new Map<Ban, readonly string[]>();
  #keys = new Set<string>();
  #hosts = new Set<string>();

  constructor(archive: Archive) {
    this.#archive = archive;
    const settings = Array.from({ length: SETTINGS }, (_, index) => archive.get(settingKey(index)));
    for (const ban of settings.flatMap(parseBans)) this.#bans.set(ban, keysOf(ban.name));
    this.#index();
    // Made now, so that nobody can keep bans from being kept by using up the settings.
    settings.forEach((setting, index) => setting ?? archive.set(settingKey(index), EMPTY));
  }

  /** All of them, oldest first. */
  get all(): readonly Ban[] {
    return [...this.#bans.keys()];
  }

  /** Whether nobody may be called so. */
  hasName(name: string): boolean {
    return keysOf(name).some((key) => this.#keys.has(key));
  }

  /** Whether nobody may come from there. */
  hasHost(host: string | undefined): boolean {
    return host !== undefined && this.#hosts.has(host);
  }

  /** Adds one; the oldest goes when there are too many. Returns whether it will outlive a restart. */
  add(ban: Ban): boolean {
    const keys = keysOf(ban.name);
    this.#removeIf((_, others) => others.some((key) => keys.includes(key)));
    this.#bans.set(ban, keys);
    if (this.#bans.size > MAX_BANS) this.#bans.delete(this.#bans.keys().next().value!);
    return this.#keep();
  }

  /** Takes away those of a name or an address; returns how many. */
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

/** What another version or hand wrote is taken as far as it makes sense. */
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

/** The address of a peer without its port; undefined where all peers share one. */
export function distinctHostOf(remote: string): string | undefined {
  const host = hostnameOf(remote);
  if (host === undefined || isLoopback(host)) return undefined;
  return host.toLowerCase().replace(/^::ffff:(?=\d+\.)/, "");
}
