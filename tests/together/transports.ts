/** Endpoints, and all transports but TLS. */

import "../transport/acknowledgments_test.ts";
import "../transport/endpoint_test.ts";
import "../transport/proxy_header_test.ts";
import "../transport/reasons_test.ts";
import "../transport/slots_test.ts";
import "../transport/transport_test.ts";
import "../transport/udp_addresses_test.ts";
import "../transport/udp_conformance_test.ts";
import "../transport/udp_lines_test.ts";
import "../transport/udp_test.ts";
import "../transport/unix_test.ts";
import "../transport/websocket_app_test.ts";
import "../transport/websocket_bad_upgrade_test.ts";
import "../transport/websocket_cases_test.ts";
import "../transport/websocket_codec_test.ts";
import "../transport/websocket_deflate_test.ts";
import "../transport/websocket_http_test.ts";
import "../transport/websocket_subprotocol_test.ts";
import "../transport/websocket_test.ts";
