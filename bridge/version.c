/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/version.h"

#include <event2/event.h>

#include "bridge/store/schema.h"
#include "bridge/store/sql.h"
#include "bridge/stream/client/http.h"
#include "bridge/stream/client/host_lookup.h"
#include "config/config.h"

enum { TEXT_MAX = 600 };

/* Those that run, which need not be those that it was built with. */
static const char *version_libraries(char text[static TEXT_MAX])
{
	snprintf(text, TEXT_MAX, "%s SQLite/%s libunbound/%s libevent/%s jansson/%s libyaml/%s",
	    hf_http_library(), hf_sql_library(), hf_host_lookup_library(), event_get_version(),
	    jansson_version_str(), hf_config_library());
	return text;
}

void hf_version_print(FILE *out)
{
	char text[TEXT_MAX];

	fprintf(out, "holdfastd " HF_VERSION "\n");
	fprintf(out, "build: " HF_BUILD_NAME ", compiler " __VERSION__ "\n");
	fprintf(out, "store: schema %u, read by programs from schema %u on\n",
	    (unsigned)hf_schema.version, (unsigned)hf_schema.oldest);
	fprintf(out, "libraries: %s\n", version_libraries(text));
}

json_t *hf_version_json(void)
{
	char text[TEXT_MAX];

	return json_pack("{s:s, s:I, s:I, s:s}", "build", HF_BUILD_NAME, "schema",
	    (json_int_t)hf_schema.version, "schema_oldest", (json_int_t)hf_schema.oldest,
	    "libraries", version_libraries(text));
}
