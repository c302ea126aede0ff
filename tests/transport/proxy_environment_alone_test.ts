import { assertEquals } from "@std/assert";
import { proxyFor } from "../../programs/client/proxy.ts";

Deno.test("proxyFor() reads the variables that it may read", () => {
  // The environment is that of all tests that run at the same time.
  const before = Deno.env.get("http_proxy");
  Deno.env.set("http_proxy", "http://from-the-environment");
  try {
    const list = Deno.env.get("no_proxy") ?? Deno.env.get("NO_PROXY") ?? "";
    assertEquals(
      proxyFor("ws://h.invalid/"),
      list.split(",").includes("*") ? undefined : "http://from-the-environment",
    );
  } finally {
    if (before === undefined) Deno.env.delete("http_proxy");
    else Deno.env.set("http_proxy", before);
  }
});
