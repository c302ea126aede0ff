import { certificates } from "../support/certificates.ts";
import { conformance } from "../support/transport_conformance.ts";

const { ca, good } = await certificates;

conformance({
  name: "tls",
  endpoint: () => "tls://127.0.0.1:0",
  listenOptions: { tls: good },
  connectOptions: { tls: { ca: ca.cert } },
});
