/** clients/csharp/Lengthwise.cs against our server. */

import { CSHARP, CSHARP_CLIENT } from "./clients/languages.ts";
import { testClient, testExample } from "./clients/suite.ts";

// Mono holds a certificate against names alone, not against addresses.
await testClient(CSHARP, { unix: false, tlsHost: "localhost" });

await testExample(CSHARP, "csharp", async (folder, code) => {
  await Deno.writeTextFile(`${folder}/Example.cs`, code);
  const compile = 'mcs -langversion:7 -out:"$0/Example.exe" "$0/Example.cs" "$1"';
  return ["sh", "-c", `${compile} && exec mono "$0/Example.exe"`, folder, CSHARP_CLIENT];
});
