/** What must be true of the code as a whole. */

import "../house/examples_test.ts";
import "../house/first_run_test.ts";
import "../house/imports_test.ts";
import "../house/publish_test.ts";
import "../house/readme_test.ts";
import "../house/runtimes_test.ts";
import "../house/sizes_test.ts";
import "../house/surface_test.ts";
import "../house/together_test.ts";
import "../house/words_test.ts";
