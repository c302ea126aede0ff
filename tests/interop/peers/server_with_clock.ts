/** `server.ts` on a machine whose clock is wrong: `server_with_clock.ts MILLISECONDS OPTION…`. */

const [wrongBy, ...options] = Deno.args;
const RightDate = Date;

class WrongDate extends RightDate {
  static override now(): number {
    return RightDate.now() + Number(wrongBy);
  }

  constructor(...args: []) {
    super(...(args.length === 0 ? [WrongDate.now()] as unknown as [] : args));
  }
}

globalThis.Date = WrongDate as DateConstructor;
const { main } = await import("../../../programs/server/main.ts");
await main(options);
