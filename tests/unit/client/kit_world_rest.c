/* SPDX-License-Identifier: Apache-2.0 */
/* The REST side of the servers, and what happens where all do their work. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/client/kit_curl.h"
#include "tests/unit/client/kit_names.h"
#include "tests/unit/client/kit_world.h"

enum { BODY_MAX = 4096 };

static size_t user_body(char *out, size_t size, unsigned i)
{
	struct hf_uuid id = coder_owner(i);
	char text[HF_UUID_TEXT_MAX];

	return (size_t)snprintf(out, size, "{\"id\":\"%s\",\"username\":\"u%u\",\"roles\":[]}",
	    hf_uuid_text(&id, text), i);
}

static void users_body(char *out, size_t size, unsigned from)
{
	size_t n = (size_t)snprintf(out, size, "{\"users\":[");

	for (unsigned i = from; i < world.n_users; i++) {
		n += (size_t)snprintf(out + n, size - n, i > from ? "," : "");
		n += user_body(out + n, size - n, i);
	}
	snprintf(out + n, size - n, "],\"count\":%u}", world.n_users);
}

/* It may tell of other rights than before. */
static void check_body(char *out, size_t size)
{
	size_t n = (size_t)snprintf(out, size, "{\"x\":true");

	for (unsigned i = 0; i < CODER_OWNERS_MAX; i++)
		n += (size_t)snprintf(out + n, size - n, ",\"%u\":%s", i,
		    prng_below(&world.rng, 300) ? "true" : "false");
	snprintf(out + n, size - n, "}");
	world_excuse();
}

/* Returns the status. */
static long good_body(const char *path, char *out, size_t size)
{
	unsigned number = 0;

	if (!strncmp(path, "buildinfo", 9)) {
		snprintf(out, size, "{\"version\":\"v2.30.0\",\"deployment_id\":\"d\"}");
	} else if (!strcmp(path, "users/me")) {
		user_body(out, size, 0);
	} else if (!strcmp(path, "users/me/roles")) {
		snprintf(out, size, "{\"roles\":[],\"organization_roles\":{}}");
	} else if (!strncmp(path, "workspaceagents", 15)) {
		snprintf(out, size, "{\"hostname_suffix\":\"coder\"}");
	} else if (!strncmp(path, "users/me/keys", 13)) {
		snprintf(out, size, "{\"expires_at\":\"2027-01-01T00:00:00Z\",\"scopes\":[]}");
	} else if (!strncmp(path, "users?", 6)) {
		sscanf(strstr(path, "offset=") + 7, "%u", &number);
		users_body(out, size, number);
	} else if (sscanf(path, "users/u%u", &number) == 1 && number < world.n_users) {
		user_body(out, size, number);
	} else if (!strcmp(path, "authcheck")) {
		check_body(out, size);
	} else if (!strncmp(path, "workspaces/", 11)) {
		struct hf_uuid id = coder_owner(0);
		char text[HF_UUID_TEXT_MAX];

		snprintf(out, size, "{\"id\":\"%s\",\"owner_id\":\"%s\"}", path + 11,
		    hf_uuid_text(&id, text));
	} else {
		snprintf(out, size, "{\"message\":\"not found\"}");
		return 404;
	}
	return 200;
}

static void bad_answer(CURL *easy)
{
	static const struct {
		long status;
		const char *type, *after, *body;
	} bad[] = { { 500, NULL, NULL, "{\"message\":\"broken\"}" }, { 503, NULL, "5", "" },
		{ 502, "text/html", NULL, "<html>" }, { 401, NULL, NULL, "{\"message\":\"who\"}" },
		{ 403, NULL, NULL, "{\"message\":\"no\"}" }, { 404, "text/html", NULL, "<html>" },
		{ 429, NULL, "60", "{\"message\":\"slow\"}" }, { 429, NULL, NULL, "" },
		{ 302, NULL, NULL, "" }, { 200, NULL, NULL, "{" }, { 200, NULL, NULL, "{}" } };
	static const struct {
		CURLcode result;
		const char *error;
	} broken[] = { { CURLE_COULDNT_CONNECT, "Failed to connect" },
		{ CURLE_RECV_ERROR, "Connection reset by peer" },
		{ CURLE_SSL_CONNECT_ERROR, "SSL_ERROR_SYSCALL" },
		{ CURLE_OPERATION_TIMEDOUT, "timed out" } };
	size_t i = prng_below(&world.rng, sizeof(bad) / sizeof(bad[0]));

	if (world_likely(40)) {
		i = prng_below(&world.rng, sizeof(broken) / sizeof(broken[0]));
		curl_fail(easy, broken[i].result, broken[i].error);
		return;
	}
	curl_answer(easy, bad[i].status, bad[i].type, bad[i].after, bad[i].body);
}

/* Of one owner, or of all. */
static bool is_of_owners(const char *url)
{
	return strstr(url, "/users/u") || strstr(url, "/users/nobody") || strstr(url, "/users?");
}

void world_rest_answer(size_t transfer, bool well)
{
	struct curl_transfer t = curl_transfer_at(transfer);
	const char *path = strstr(t.url, "/api/v2/");
	char body[BODY_MAX];
	long status;

	world.progress_ms = world_now();
	if (t.connects) {
		if (well)
			world.coder = coder_new(curl_connect(t.easy));
		else
			curl_fail(t.easy, CURLE_COULDNT_CONNECT, "Failed to connect");
		return;
	}
	ck_assert_ptr_nonnull(path);
	if (!well) {
		world.bad_answer |= is_of_owners(t.url);
		bad_answer(t.easy);
		return;
	}
	status = good_body(path + 8, body, sizeof(body));
	curl_answer(t.easy, status, NULL, NULL, body);
}

void world_rest_look(void)
{
	for (size_t i = 0; i < curl_transfers(); i++) {
		struct curl_transfer t = curl_transfer_at(i);

		if (!strstr(t.url, "/buildinfo") || t.since_ms == world.asked_ms)
			continue;
		/* A kept connection may be dead. */
		ck_assert_msg(t.fresh, "an inquiry begins on a connection that was kept");
		if (t.since_ms > world.asked_ms) {
			world.asked_ms = t.since_ms;
			world.rest_idle_ms = 0;
			world.bad_answer = false;
		}
	}
}

static bool serve_stream(struct coder *s)
{
	if (!s->asked || s->line->ended || s->line->broken)
		return false;
	if (!s->open) {
		coder_upgrade(s, true, 0);
		return true;
	}
	if (s->n_pings && world_likely(world.pongs)) {
		coder_pong(s);
		return true;
	}
	for (size_t i = 0; i < s->n_streams; i++) {
		struct coder_stream *t = &s->streams[i];

		if (!t->snapshot && !t->closed && t->owner >= 0) {
			coder_message(s, t, true);
			return true;
		}
	}
	return false;
}

/* What is asked of owners fails more often, which ends no inquiry. */
static bool serves_well(const char *url)
{
	return world_likely(is_of_owners(url) ? world.rest_luck : 98);
}

bool world_serve(void)
{
	if (!world_likely(world.diligence))
		return false;
	if (world.busy) {
		world.busy = false;
		WORLD_CALL(hf_client_poke(world.client));
		return true;
	}
	world.progress_ms = world_now();
	if (names_asked())
		names_answer(true);
	else if (names_children())
		names_child_ends(true);
	else if (curl_transfers())
		world_rest_answer(0, serves_well(curl_transfer_at(0).url));
	else
		return world.coder && serve_stream(world.coder);
	return true;
}
