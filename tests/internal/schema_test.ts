/** Values that a validator has looked at. */

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { checkedBy, type SchemaResult, type StandardSchema } from "../../internal/schema.ts";

function schema(answer: (value: unknown) => SchemaResult<number> | Promise<SchemaResult<number>>) {
  const standard = { version: 1 as const, vendor: "test", validate: answer };
  return { "~standard": standard } satisfies StandardSchema<number>;
}

const refuse = (issues: string) => new RangeError(`refused: ${issues}`);
const double = (valid: number) => 2 * valid;

Deno.test("checkedBy() uses what the validator gives, at once where it answers at once", async () => {
  assertEquals(checkedBy(schema(() => ({ value: 21 })), "x", refuse, double), 42);
  const later = checkedBy(schema(() => Promise.resolve({ value: 21 })), "x", refuse, double);
  assertEquals([later instanceof Promise, await later], [true, 42]);
});

Deno.test("checkedBy() refuses with all that the validator found", async () => {
  const issues = [{ message: "too short" }, { message: "no digit" }];
  const message = "refused: too short; no digit";
  assertThrows(
    () => checkedBy(schema(() => ({ issues })), "x", refuse, double),
    RangeError,
    message,
  );
  await assertRejects(
    async () => await checkedBy(schema(() => Promise.resolve({ issues })), "x", refuse, double),
    RangeError,
    message,
  );
});
