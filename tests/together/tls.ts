/** TLS and proxies. */

import "../transport/proxy_test.ts";
import "../transport/tls_conformance_test.ts";
import "../transport/tls_pair_test.ts";
import "../transport/tls_test.ts";
