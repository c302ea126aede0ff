/** What an address is, in every way to write it. */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  addressText,
  hostnameOf,
  isLocalhost,
  isLoopback,
  isWildcard,
  loopbackFor,
  parseAddress,
} from "../../internal/address.ts";

const LOOPBACK = ["127.0.0.1", "127.255.0.3", "::1", "0:0:0:0:0:0:0:1", "::1%lo"];
LOOPBACK.push("::ffff:127.0.0.1", "::FFFF:7f00:1");
const WILDCARDS = ["0.0.0.0", "::", "0:0::0", "::ffff:0.0.0.0"];
const OTHERS = ["128.0.0.1", "1.127.0.0", "::2", "::7f00:1", "::127.0.0.1", "fe80::1", "0.0.0.1"];
OTHERS.push("127.evil", "127.0.0.1.example", "localhost", "::ffff:127.x", "1::1", "[::1]");

Deno.test("isLoopback() knows this machine's own addresses, and takes none for one", () => {
  const all = [...LOOPBACK, ...WILDCARDS, ...OTHERS, ""];
  assertEquals(all.filter(isLoopback), LOOPBACK);
});

Deno.test("isWildcard() knows what stands for all addresses of this machine", () => {
  const all = [...LOOPBACK, ...WILDCARDS, ...OTHERS, ""];
  assertEquals(all.filter(isWildcard), WILDCARDS);
});

Deno.test("isLocalhost() knows the name of this machine, and those below it", () => {
  const names = ["localhost", "LocalHost", "a.localhost"];
  const others = ["notlocalhost", "localhost.example", "127.0.0.1", ""];
  assertEquals([...names, ...others].filter(isLocalhost), names);
});

Deno.test("loopbackFor() stays in the family of the address", () => {
  const addresses = ["0.0.0.0", "127.0.0.2", "::ffff:127.0.0.2", "::", "::1", "fe80::1%eth0"];
  assertEquals(
    addresses.map(loopbackFor),
    ["127.0.0.1", "127.0.0.1", "127.0.0.1", "::1", "::1", "::1"],
  );
});

Deno.test("hostnameOf() finds the host before the port, without brackets", () => {
  const cases: [string, string | undefined][] = [
    ["192.0.2.7:80", "192.0.2.7"],
    ["[2001:db8::1]:80", "2001:db8::1"],
    ["[fe80::1%eth0]:80", "fe80::1%eth0"],
    ["example.com:80", "example.com"],
    ["unix:/run/chat", undefined],
    ["memory:pair#1", undefined],
    ["192.0.2.7", undefined],
    ["", undefined],
  ];
  for (const [text, host] of cases) assertEquals(hostnameOf(text), host, text);
});

Deno.test("parseAddress() and addressText() are each other's opposite", () => {
  const part = fc.integer({ min: 0, max: 255 });
  fc.assert(fc.property(fc.tuple(part, part, part, part), (parts) => {
    const text = parts.join(".");
    assertEquals(addressText(parseAddress(text)!), text);
    assertEquals(parseAddress(`::ffff:${text}`), parseAddress(text));
  }));
  const group = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff }));
  fc.assert(fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), (groups) => {
    const long = groups.map((group) => group.toString(16)).join(":");
    const address = parseAddress(long)!;
    assertEquals(parseAddress(addressText(address)), address);
  }));
});
