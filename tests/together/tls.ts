/** TLS, proxies, and connecting from a source. */

import "../transport/proxy_test.ts";
import "../transport/source_test.ts";
import "../transport/tls_conformance_test.ts";
import "../transport/tls_pair_test.ts";
import "../transport/tls_test.ts";
