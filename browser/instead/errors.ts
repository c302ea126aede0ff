/** Errors of the system that a page can have. */

const named = (name: string) =>
  class extends Error {
    override readonly name = name;
  };

/** The classes. */
export const errors = {
  BrokenPipe: /* @__PURE__ */ named("BrokenPipe"),
  ConnectionReset: /* @__PURE__ */ named("ConnectionReset"),
  Interrupted: /* @__PURE__ */ named("Interrupted"),
  NotCapable: /* @__PURE__ */ named("NotCapable"),
} as const;
