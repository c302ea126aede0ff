/** Lengthwise's file transfers, as server under test and as client, with all limits at their defaults. */

import { connect } from "../../../client.ts";
import { fileRequests, getFile, openDirectory, putFile, serveFiles } from "../../../files.ts";
import { listen } from "../../../server.ts";
import { COPY, copyPath, directory, ready, SOURCE, sourcePath, timed } from "./transfer.ts";

const served = await openDirectory(directory);
const server = await listen("tcp://127.0.0.1:0", async (connection) => {
  await serveFiles(connection, served).closed;
});
const [endpoint] = server.endpoints;

ready({ put: endpoint, get: endpoint }, {
  async put(to) {
    await using peer = fileRequests(await connect(to));
    return await timed(() => putFile(peer, sourcePath, { name: COPY }));
  },

  async get(to) {
    await using peer = fileRequests(await connect(to));
    return await timed(() => getFile(peer, SOURCE, copyPath));
  },
});
