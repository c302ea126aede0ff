/** What a refused or lost session says to a person. */

import { assertEquals } from "@std/assert";
import { isLoss, lossWords, wantsToken } from "../../../chat/page/browser/losses.ts";
import { ConnectError, ConnectionLostError, SessionLostError } from "../../../errors.ts";
import { SessionCode } from "../../../session.ts";
import { refusedBy } from "../../../session/faults.ts";

const refused = (code: number, text = "not now") => refusedBy(code, text, false);

Deno.test("lossWords() says why in words without numbers, names of classes or addresses", () => {
  for (const code of Object.values(SessionCode)) {
    const words = lossWords(refused(code));
    assertEquals(/^[a-z][a-z ,]+$/.test(words), true, words);
  }
  assertEquals(lossWords(refused(SessionCode.FULL)), "the server is full");
  assertEquals(lossWords(refused(SessionCode.UNAUTHORIZED, "log in first")), "log in first");
  assertEquals(lossWords(refused(99)), "the server ended it");
});

Deno.test("lossWords() says why a session was lost: by its cause, or by its own number", () => {
  const lost = (code?: number, cause?: unknown) =>
    new SessionLostError("Cannot go on with session to 192.0.2.1:80: …", [], { code, cause });
  assertEquals(lossWords(lost(SessionCode.EXPIRED)), "it was away for too long");
  const gone = refused(SessionCode.GONE);
  assertEquals(lossWords(lost(SessionCode.ABORTED, gone)), "its server is gone");
  assertEquals([isLoss(lost()), isLoss(gone), isLoss(undefined)], [true, false, false]);
});

Deno.test("lossWords() says nothing of what only a program would understand", () => {
  const closed = new ConnectionLostError("Cannot go on with 192.0.2.1:80: it closed the carrier");
  const unreachable = new ConnectError("Cannot connect to ws://192.0.2.1/: a page is not told why");
  assertEquals([closed, unreachable, undefined, "x"].map(lossWords), ["", "", "", ""]);
});

Deno.test("wantsToken() is for refusals that another token may change", () => {
  const codes = Object.values(SessionCode).filter((code) => wantsToken(refused(code)));
  assertEquals(codes, [SessionCode.TOKEN, SessionCode.UNAUTHORIZED]);
  assertEquals(wantsToken(new ConnectError("Cannot connect")), false);
});
