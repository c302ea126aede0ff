/** Files. */

import "../files/files_test.ts";
import "../files/hostile_test.ts";
import "../files/limits_test.ts";
import "../files/names_test.ts";
