/** clients/python/lengthwise.py against our server. */

import { PYTHON } from "./clients/languages.ts";
import { testClient, testExample } from "./clients/suite.ts";

await testClient(PYTHON);

await testExample(PYTHON, "python", async (folder, code) => {
  const client = new URL("../../clients/python/lengthwise.py", import.meta.url);
  await Deno.copyFile(client, `${folder}/lengthwise.py`);
  await Deno.writeTextFile(`${folder}/example.py`, code);
  return ["/usr/bin/python3", `${folder}/example.py`];
});
