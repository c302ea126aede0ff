/** clients/go against our server. */

import { GO } from "./clients/languages.ts";
import { testClient, testExample } from "./clients/suite.ts";

await testClient(GO);

await testExample(GO, "go", async (folder, code) => {
  await Deno.mkdir(`${folder}/lengthwise`);
  for (const file of ["lengthwise.go", "requests.go"]) {
    const client = new URL(`../../clients/go/${file}`, import.meta.url);
    await Deno.copyFile(client, `${folder}/lengthwise/${file}`);
  }
  await Deno.writeTextFile(`${folder}/go.mod`, "module example\n\ngo 1.19\n");
  await Deno.writeTextFile(`${folder}/main.go`, code);
  return ["sh", "-c", 'cd "$0" && exec go run .', folder];
});
