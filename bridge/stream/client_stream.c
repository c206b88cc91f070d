/* What comes over an open connection, and what is due on it. */
#include "bridge/stream/client_inner.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/error.h"

enum {
	UNIMPLEMENTED = 12,   /* dRPC's code */
	SLOWEST_MS = 4,       /* a byte; whoever is slower is taken for dead */
	AGAIN_MS = 60 * 1000, /* snapshots out of turn of one owner: at most so often */
};

static int fill_random(void *arg, uint8_t *out, size_t len)
{
	while (len) {
		ssize_t n = getrandom(out, len, 0);

		if (n < 0 && errno != EINTR)
			return -1;
		out += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
	return 0;
}

/* --- calls --- */

static int make_call(void *arg, const struct hf_uuid *owner, uint32_t *ret_call)
{
	return hf_stack_call(arg, owner, ret_call);
}

static void pause_call(void *arg, uint32_t call, bool paused)
{
	hf_stack_pause(arg, call, paused);
}

static void cancel_call(void *arg, uint32_t call)
{
	hf_stack_cancel(arg, call);
}

static const struct hf_call_ops calls = { make_call, pause_call, cancel_call };

static struct hf_followed *find_owner(struct hf_client *c, uint32_t call)
{
	for (size_t i = 0; i < c->n_owners; i++)
		if (hf_followed_is(&c->owners[i], call))
			return &c->owners[i];
	return NULL;
}

static const struct hf_followed *same_owner(const struct hf_client *c, const struct hf_uuid *id)
{
	for (size_t i = 0; i < c->n_owners; i++)
		if (hf_uuid_equal(&c->owners[i].owner.id, id))
			return &c->owners[i];
	return NULL;
}

static bool is_named(const struct hf_told *told, const struct hf_uuid *id)
{
	for (size_t i = 0; i < told->n_owners; i++)
		if (hf_uuid_equal(&told->owners[i].id, id))
			return true;
	return false;
}

int hf_client_set_owners(struct hf_client *c, const struct hf_told *told, size_t max)
{
	size_t room = told->n_owners + (told->complete ? 0 : c->n_owners), n = told->n_owners;
	struct hf_followed *next = calloc(room, sizeof(*next));

	if (!next)
		return -ENOMEM;
	for (size_t i = 0; i < told->n_owners; i++) {
		const struct hf_followed *before = same_owner(c, &told->owners[i].id);

		if (before)
			next[i] = *before;
		next[i].owner = told->owners[i];
		next[i].wanted = true;
	}
	/* One who is not named goes, but not by a list that is not whole. */
	for (size_t i = 0; i < c->n_owners; i++) {
		if (is_named(told, &c->owners[i].owner.id))
			continue;
		if (!told->complete && n < max)
			next[n++] = c->owners[i];
		else if (c->stack)
			hf_followed_stop(&c->owners[i], &calls, c->stack);
	}
	free(c->owners);
	c->owners = next;
	c->n_owners = n;
	c->settled = false;
	return 0;
}

static void first_took_too_long(struct hf_client *c)
{
	struct hf_problem p;

	hf_problem_set(&p, HF_PROBLEM_FIRST, NULL);
	hf_client_fail(c, &p);
}

/* Sends as many calls as may be under way. */
static void open_calls(struct hf_client *c, int64_t now_ms)
{
	size_t opening = 0;

	for (size_t i = 0; i < c->n_owners; i++)
		opening += c->owners[i].opening != 0;
	for (size_t i = 0; i < c->n_owners && opening < HF_OPENING_MAX; i++) {
		struct hf_followed *f = &c->owners[i];

		if (!f->wanted || f->opening)
			continue;
		if (hf_followed_open(f, &calls, c->stack))
			return; /* the connection is over, which its end will tell */
		f->asked_ms = now_ms;
		f->asked_at = hf_link_received(c->link);
		opening++;
	}
}

/* --- what came --- */

static void fail_trouble(
    struct hf_client *c, enum hf_problem_code code, const struct hf_stack_event *e)
{
	struct hf_problem p;

	if (e->code)
		hf_problem_set(&p, code, "%s (%llu%s%.150s)", hf_trouble_text(e->trouble),
		    (unsigned long long)e->code, e->text && *e->text ? ": " : "",
		    e->text ? e->text : "");
	else
		hf_problem_set(&p, code, "%s%s%.150s", hf_trouble_text(e->trouble),
		    e->text && *e->text ? ": " : "", e->text ? e->text : "");
	p.trouble = hf_trouble_name(e->trouble);
	hf_client_fail(c, &p);
}

static void fail_upgrade(struct hf_client *c)
{
	const struct hf_upgrade *u = hf_stack_answer(c->stack);
	const struct hf_http_answer answer = { .status = u->status,
		.content_type = u->content_type,
		.location = u->location,
		.retry_after = u->retry_after[0] ? u->retry_after : NULL,
		.body = u->body,
		.body_len = u->n_body };
	struct hf_problem p;

	hf_problem_of_answer(&p, "GET /api/v2/tailnet", &answer, hf_wall_ms(c->clock) / 1000);
	p.trouble = hf_trouble_name(HF_TROUBLE_HTTP_STATUS);
	hf_client_fail(c, &p);
}

static bool is_end_of_file(enum hf_trouble t)
{
	return t == HF_TROUBLE_WS_EOF || t == HF_TROUBLE_HTTP_EOF;
}

static void take_end(struct hf_client *c, const struct hf_stack_event *e)
{
	enum hf_problem_code code = HF_PROBLEM_PROTOCOL;

	if (e->trouble == HF_TROUBLE_HTTP_STATUS) {
		fail_upgrade(c);
		return;
	}
	if (c->broken.code && is_end_of_file(e->trouble)) {
		struct hf_problem p = c->broken;

		p.trouble = hf_trouble_name(e->trouble);
		hf_client_fail(c, &p);
		return;
	}
	switch (hf_trouble_code(e->trouble)) {
	case HF_ECLOSED:
		code = HF_PROBLEM_CLOSED;
		break;
	case -ENOMEM:
		code = HF_PROBLEM_MEMORY;
		break;
	}
	fail_trouble(c, code, e);
}

static void prove_life(struct hf_client *c)
{
	c->contact_wall_s = hf_wall_ms(c->clock) / 1000;
	if (c->state == CLIENT_LIVE)
		c->ops->contact(c->arg);
}

/* Snapshots out of turn: at most one a minute, or one an interval, where that is shorter. */
static int64_t again_ms(const struct hf_client *c)
{
	int64_t interval = c->settings->snapshot_interval_ms;

	return interval < AGAIN_MS ? interval : AGAIN_MS;
}

static void want_again(struct hf_client *c, struct hf_followed *f)
{
	int64_t now = hf_boot_ms(c->clock);

	if (f->wanted || f->opening)
		return;
	if (f->last_refused_ms && now - f->last_refused_ms < again_ms(c))
		return;
	f->last_refused_ms = now;
	f->wanted = true;
}

static void check_settled(struct hf_client *c)
{
	for (size_t i = 0; i < c->n_owners; i++)
		if (!c->owners[i].live || c->owners[i].opening || c->owners[i].wanted)
			return;
	if (!c->settled && c->told->complete)
		c->ops->settled(c->arg, c->told);
	c->settled = true;
}

static void snapshot_accepted(struct hf_client *c, struct hf_followed *f, const struct hf_update *u)
{
	hf_followed_accepted(f, &calls, c->stack);
	if (c->state != CLIENT_LIVE) {
		/* Where it was away, the end of that is told when it has lasted. */
		hf_log(c->fault.text[0] ? HF_LOG_DEBUG : HF_LOG_INFO,
		    "source '%s': live with %s, Coder %s, user '%s'", c->settings->name,
		    c->target.place.base, c->told->version[0] ? c->told->version : "(unknown)",
		    c->told->user_name);
		hf_client_enter(c, CLIENT_LIVE);
	}
	hf_log_debug("source '%s': snapshot of '%s': %zu workspaces, %zu agents", c->settings->name,
	    f->owner.name, u->n_upserted_workspaces, u->n_upserted_agents);
	check_settled(c);
}

static void snapshot_refused(struct hf_client *c, struct hf_followed *f, const char *why)
{
	struct hf_problem p;
	bool live = f->live;

	c->refused++;
	hf_followed_give_up(f, &calls, c->stack);
	if (live || c->state == CLIENT_LIVE) {
		hf_log_warn("source '%s': a snapshot of '%s' was refused: %s", c->settings->name,
		    f->owner.name, why);
		return;
	}
	hf_problem_set(
	    &p, HF_PROBLEM_VERDICT, "the snapshot of '%s' was refused: %s", f->owner.name, why);
	hf_client_fail(c, &p);
}

static void take_update(struct hf_client *c, const struct hf_stack_event *e)
{
	struct hf_followed *f = find_owner(c, e->call);
	enum hf_client_verdict verdict;
	const char *why = "";
	bool again = false, opening;

	if (!f) {
		hf_update_free(e->update);
		return;
	}
	opening = hf_followed_is(f, e->call) == CALL_IS_OPENING;
	e->update->connected_ms = c->connected_ms;
	verdict = c->ops->update(c->arg, e->update, &again, &why);
	if (verdict == CLIENT_ACCEPTED && opening) {
		snapshot_accepted(c, f, e->update);
	} else if (opening) {
		snapshot_refused(c, f, why ? why : "");
	} else if (verdict != CLIENT_ACCEPTED) {
		c->refused++;
		again = true;
		hf_log_debug("source '%s': a change of '%s' was refused: %s", c->settings->name,
		    f->owner.name, why ? why : "");
	}
	hf_update_free(e->update);
	if (c->stack && again)
		want_again(c, f);
	if (c->stack)
		prove_life(c);
}

/* A server that is older, or one whose API was taken back. */
static void fail_too_old(struct hf_client *c)
{
	struct hf_problem p;

	hf_problem_set(&p, HF_PROBLEM_OLD,
	    "the server is too old: it has no workspace updates (it says it is %s), and Coder "
	    "v2.18 or "
	    "newer is needed",
	    c->told->version[0] ? c->told->version : "of no version");
	hf_client_fail(c, &p);
}

/* One owner's trouble is not the others'. */
static bool others_live(const struct hf_client *c, const struct hf_followed *f)
{
	for (size_t i = 0; i < c->n_owners; i++)
		if (&c->owners[i] != f && c->owners[i].live)
			return true;
	return false;
}

static void try_later(struct hf_client *c, struct hf_followed *f, const char *why)
{
	hf_log_debug("source '%s': no stream of '%s': %s; it is tried again", c->settings->name,
	    f->owner.name, why);
	c->settled = false;
	want_again(c, f);
	if (!f->wanted)
		f->again_ms = hf_boot_ms(c->clock) + again_ms(c);
}

static void take_call_end(struct hf_client *c, const struct hf_stack_event *e)
{
	struct hf_followed *f = find_owner(c, e->call);
	bool had_other;

	c->troubles[e->trouble]++;
	if (!f)
		return;
	had_other = hf_followed_is(f, e->call) == CALL_IS_OPENING && f->live;
	hf_followed_ended(f, e->call, &calls, c->stack);
	if (had_other) {
		hf_log_debug("source '%s': the new snapshot of '%s' failed: %s", c->settings->name,
		    f->owner.name, hf_trouble_text(e->trouble));
		return;
	}
	if (e->trouble == HF_TROUBLE_CALL_ERROR && e->code == UNIMPLEMENTED)
		fail_too_old(c);
	else if (others_live(c, f))
		try_later(c, f, hf_trouble_text(e->trouble));
	else
		fail_trouble(c, HF_PROBLEM_CALL, e);
}

static void take_refused(struct hf_client *c, const struct hf_stack_event *e)
{
	struct hf_followed *f = find_owner(c, e->call);

	c->troubles[e->trouble]++;
	if (f && hf_followed_is(f, e->call) == CALL_IS_OPENING) {
		snapshot_refused(c, f, hf_trouble_text(e->trouble));
		return;
	}
	c->refused++;
	if (f)
		want_again(c, f);
}

static void take_open(struct hf_client *c)
{
	int64_t now = hf_boot_ms(c->clock);
	int64_t interval = c->settings->snapshot_interval_ms;
	uint32_t r = 0;

	fill_random(NULL, (uint8_t *)&r, sizeof(r));
	c->at = AT_FIRST;
	c->opened_ms = now;
	c->ping_ms = now + c->settings->timeouts.ping_interval_ms;
	/* Within [9/10, 11/10] of the interval, so that many bridges do not come together. */
	c->refresh_ms = now + interval * 9 / 10 + (int64_t)(r % 1024) * (interval / 5) / 1024;
	open_calls(c, now);
}

static void take_event(struct hf_client *c, const struct hf_stack_event *e)
{
	switch (e->what) {
	case STACK_OPEN:
		take_open(c);
		break;
	case STACK_UPDATE:
		take_update(c, e);
		break;
	case STACK_REFUSED:
		take_refused(c, e);
		break;
	case STACK_CALL_ENDED:
		take_call_end(c, e);
		break;
	case STACK_PONG:
		c->pinged_ms = 0;
		c->doubt_ms = 0;
		prove_life(c);
		break;
	case STACK_GOAWAY:
		c->goaway = true;
		break;
	case STACK_ENDED:
		c->troubles[e->trouble]++;
		take_end(c, e);
		break;
	}
}

/* While we did not read, nobody could be late: all that is waited for has its whole time again. */
static void forgive(struct hf_client *c, int64_t now_ms)
{
	if (c->pinged_ms)
		c->pinged_ms = now_ms;
	c->doubt_ms = 0;
	for (size_t i = 0; i < c->n_owners; i++)
		if (c->owners[i].opening)
			c->owners[i].asked_ms = now_ms;
}

void hf_client_take_events(struct hf_client *c)
{
	struct hf_stack_event e;
	bool busy = false;

	while (c->stack && !(busy = c->ops->busy(c->arg)) && hf_stack_next(c->stack, &e))
		take_event(c, &e);
	if (!c->stack)
		return;
	if (c->held && !busy)
		forgive(c, hf_boot_ms(c->clock));
	c->held = busy;
	hf_link_hold(c->link, busy);
	if (!busy && !c->goaway && c->at == AT_FIRST)
		open_calls(c, hf_boot_ms(c->clock));
	hf_link_send(c->link);
	hf_client_schedule(c);
}

static void on_link(void *arg, const struct hf_problem *problem)
{
	struct hf_client *c = arg;

	if (problem)
		c->broken = *problem;
	hf_client_take_events(c);
}

/* --- begin and end --- */

static int make_stack(struct hf_client *c)
{
	const struct hf_stack_config config = { .limits = &c->settings->limits,
		.random = fill_random };
	struct hf_upgrade_header headers[64];
	char *lines[64];
	struct hf_upgrade_request request = { .host = c->target.place.authority,
		.prefix = c->target.place.prefix,
		.token = c->target.token,
		.headers = headers };
	int rc;

	for (const struct curl_slist *l = c->target.headers; l && request.n_headers < 64;
	     l = l->next) {
		char *copy = strdup(l->data), *colon = copy ? strchr(copy, ':') : NULL;

		if (!colon) {
			free(copy);
			continue;
		}
		*colon = '\0';
		lines[request.n_headers] = copy;
		headers[request.n_headers++] = (struct hf_upgrade_header){ .name = copy,
			.value = colon + 1 + strspn(colon + 1, " \t") };
	}
	rc = hf_stack_new(&config, &request, &c->stack);
	for (size_t i = 0; i < request.n_headers; i++)
		free(lines[i]);
	return rc;
}

void hf_client_open_stream(struct hf_client *c, struct hf_handle *handle)
{
	struct hf_problem p;
	int rc = make_stack(c);

	c->goaway = false;
	c->pinged_ms = c->doubt_ms = 0;
	hf_problem_set(&c->broken, HF_PROBLEM_NONE, NULL);
	c->opened_ms = c->connected_ms = hf_boot_ms(c->clock);
	if (rc)
		hf_handle_free(handle);
	else
		rc = hf_link_new(handle, c->stack, c->clock, on_link, c, &c->link);
	if (rc) {
		hf_problem_set(&p, rc == -EINVAL ? HF_PROBLEM_HEADERS : HF_PROBLEM_MEMORY,
		    rc == -EINVAL ? "a header of the configuration cannot be sent" : NULL);
		hf_client_fail(c, &p);
		return;
	}
	hf_link_patience(c->link,
	    c->settings->timeouts.ping_interval_ms + c->settings->timeouts.ping_timeout_ms);
	hf_link_send(c->link);
	hf_client_schedule(c);
}

void hf_client_close_stream(struct hf_client *c)
{
	if (c->stack && c->link) {
		/* A goodbye, if it goes at once. */
		hf_stack_close(c->stack, 1000);
		hf_link_send(c->link);
	}
	hf_link_free(c->link);
	hf_stack_free(c->stack);
	c->link = NULL;
	c->stack = NULL;
	for (size_t i = 0; i < c->n_owners; i++) {
		c->owners[i].live = c->owners[i].opening = 0;
		c->owners[i].again_ms = 0;
		c->owners[i].wanted = true;
	}
}

/* --- what is due --- */

/* When the oldest ping must have been answered: later, while bytes come. */
static int64_t ping_deadline(const struct hf_client *c)
{
	int64_t at = c->pinged_ms + c->settings->timeouts.ping_timeout_ms +
		     SLOWEST_MS * (int64_t)(hf_link_received(c->link) - c->pinged_at);

	return c->doubt_ms && c->doubt_ms < at ? c->doubt_ms : at;
}

static int64_t first_deadline(const struct hf_client *c, const struct hf_followed *f)
{
	return f->asked_ms + c->settings->timeouts.first_message_ms +
	       SLOWEST_MS * (int64_t)(hf_link_received(c->link) - f->asked_at);
}

static int64_t sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t owner_next(const struct hf_client *c, const struct hf_followed *f)
{
	int64_t due = f->opening ? first_deadline(c, f) : INT64_MAX;

	return f->again_ms ? sooner(due, f->again_ms) : due;
}

int64_t hf_client_stream_next(const struct hf_client *c)
{
	int64_t due = INT64_MAX;

	if (c->ops->busy(c->arg))
		return due; /* what is not read cannot be missed */
	if (c->at == AT_UPGRADE)
		return c->opened_ms + c->settings->timeouts.head_ms;
	due = c->ping_ms;
	if (c->pinged_ms && ping_deadline(c) < due)
		due = ping_deadline(c);
	if (c->state == CLIENT_LIVE && !c->ask && !c->told_new && c->refresh_ms < due)
		due = c->refresh_ms;
	for (size_t i = 0; i < c->n_owners; i++)
		due = sooner(due, owner_next(c, &c->owners[i]));
	if (c->state == CLIENT_LIVE && !c->steady)
		due = sooner(due, c->since_ms + c->settings->retry.steady_ms);
	return due;
}

void hf_client_ping(struct hf_client *c, int64_t now_ms)
{
	if (!c->stack || c->at == AT_UPGRADE)
		return;
	if (hf_stack_ping(c->stack) == 0 && !c->pinged_ms) {
		c->pinged_ms = now_ms;
		c->pinged_at = hf_link_received(c->link);
	}
	c->ping_ms = now_ms + c->settings->timeouts.ping_interval_ms;
	hf_link_send(c->link);
}

/* True if the connection was ended. */
static bool end_what_is_late(struct hf_client *c, int64_t now_ms)
{
	struct hf_problem p;

	if (c->pinged_ms && now_ms >= ping_deadline(c)) {
		hf_problem_set(&p, HF_PROBLEM_SILENT, NULL);
		hf_client_fail(c, &p);
		return true;
	}
	for (size_t i = 0; i < c->n_owners; i++) {
		struct hf_followed *f = &c->owners[i];

		if (!f->opening || now_ms < first_deadline(c, f))
			continue;
		if (!f->live && !others_live(c, f)) {
			first_took_too_long(c);
			return true;
		}
		hf_followed_give_up(f, &calls, c->stack);
		if (!f->live)
			try_later(c, f, "no snapshot came in time");
	}
	return false;
}

static void note_wishes(struct hf_client *c, int64_t now_ms)
{
	for (size_t i = 0; i < c->n_owners; i++) {
		struct hf_followed *f = &c->owners[i];

		if (!f->again_ms || now_ms < f->again_ms)
			continue;
		f->again_ms = 0;
		f->wanted = !f->opening;
	}
	for (size_t i = 0; i < c->n_owners; i++)
		if (c->owners[i].live && c->ops->wants_snapshot(c->arg, &c->owners[i].owner.id))
			want_again(c, &c->owners[i]);
}

static bool any_wanted(const struct hf_client *c)
{
	for (size_t i = 0; i < c->n_owners; i++)
		if (c->owners[i].wanted)
			return true;
	return false;
}

/* At most one an interval, however long what waits for it is not content. */
static bool wants_connection(const struct hf_client *c, int64_t now_ms)
{
	return c->state == CLIENT_LIVE && now_ms - c->connected_ms >= again_ms(c) &&
	       c->ops->wants_connection(c->arg);
}

void hf_client_stream_due(struct hf_client *c, int64_t now_ms)
{
	if (c->ops->busy(c->arg))
		return;
	if (c->at == AT_UPGRADE) {
		if (now_ms < c->opened_ms + c->settings->timeouts.head_ms)
			return;
		hf_problem_set(&c->broken, HF_PROBLEM_TIMEOUT,
		    "the server does not answer the request for the stream");
		hf_stack_eof(c->stack);
		hf_client_take_events(c);
		return;
	}
	if (end_what_is_late(c, now_ms))
		return;
	if (now_ms >= c->ping_ms)
		hf_client_ping(c, now_ms);
	if (c->state == CLIENT_LIVE)
		note_wishes(c, now_ms);
	if (c->state == CLIENT_LIVE && !c->steady &&
	    now_ms >= c->since_ms + c->settings->retry.steady_ms)
		hf_client_steady(c);
	if (c->state == CLIENT_LIVE && now_ms >= c->refresh_ms) {
		int64_t interval = c->settings->snapshot_interval_ms;

		c->refresh_ms = now_ms + interval - interval / 20;
		hf_client_refresh(c);
		return;
	}
	if ((c->goaway && any_wanted(c)) || wants_connection(c, now_ms)) {
		hf_client_redial(c);
		return;
	}
	open_calls(c, now_ms);
	hf_client_take_events(c);
}
