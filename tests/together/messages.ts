/** Messages and bytes: framings, formats, and the small things that several layers need. */

import "../codec/codec_test.ts";
import "../codec/errors_test.ts";
import "../codec/line_test.ts";
import "../codec/portable_test.ts";
import "../codec/prefix_test.ts";
import "../codec/presets_test.ts";
import "../codec/property_test.ts";
import "../codec/streams_test.ts";
import "../format_test.ts";
import "../internal/address_test.ts";
import "../internal/nearest_test.ts";
import "../internal/rate_test.ts";
import "../internal/retry_test.ts";
import "../internal/schema_test.ts";
import "../internal/secret_test.ts";
import "../internal/text_test.ts";
import "../internal/time_test.ts";
import "../internal/varint_test.ts";
import "../testing_test.ts";
