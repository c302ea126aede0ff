/**
 * What the page remembers over a reload. Where storage is switched off or full, it forgets.
 *
 * @module
 */

/** Where something is kept: for this window, or for later windows too. */
export type Keeping = "here" | "everywhere";

export const storage = {
  get(key: string, keeping: Keeping = "here"): string | null {
    try {
      const kept = sessionStorage.getItem(`lengthwise.${key}`);
      return kept ?? (keeping === "everywhere" ? localStorage.getItem(`lengthwise.${key}`) : null);
    } catch {
      // Forbidden: there is nothing then.
      return null;
    }
  },

  set(key: string, value: string, keeping: Keeping = "here"): void {
    try {
      sessionStorage.setItem(`lengthwise.${key}`, value);
      if (keeping === "everywhere") localStorage.setItem(`lengthwise.${key}`, value);
    } catch {
      // Full or forbidden: the page works without.
    }
  },

  /** A list that was kept as JSON; empty if there is none. */
  list(key: string): unknown[] {
    try {
      const value: unknown = JSON.parse(this.get(key) ?? "[]");
      return Array.isArray(value) ? value : [];
    } catch {
      // Somebody else wrote there.
      return [];
    }
  },
};
