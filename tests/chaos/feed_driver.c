/* SPDX-License-Identifier: Apache-2.0 */
/*
 * feed_driver KIND DIR SEED STEPS: a store, a feed and an adapter of this KIND, which is `hosts`
 * (DIR/hosts) or `hostsdir` (DIR/hostsdir, read by a dnsmasq at port $HF_ASK_PORT); chaos.py has
 * the rules; nothing depends on SEED. A step is one of store_workload.h; it is acknowledged when
 * the feed says that the resolver has it. Beside each third one somebody else adds a line to
 * DIR/hosts.
 *
 * feed_driver KIND heal DIR: what a bridge does that is started again: feeds until all is there.
 * Prints "step K GENERATION", and "before NAME ADDRESS" and "now NAME ADDRESS" for all names of
 * step K - 1 and of step K.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/timing.h"
#include "bridge/feed/feed.h"
#include "config/config.h"
#include "tests/chaos/store_workload.h"

enum { BROKEN = 4, LIMIT_MS = 20000, QUIET_MS = 400 };

struct driver {
	struct event_base *base;
	struct event *timer;
	struct hf_store *store;
	struct hf_config_adapter config;
	struct hf_feed *feed;
	char store_path[4096], path[4096];
};

static struct driver d;

static void on_work(evutil_socket_t fd, short what, void *arg)
{
	int64_t wait = hf_feed_work(d.feed);
	const struct timeval tv = hf_time_of_ms(wait < 0 ? 1000 : wait);

	event_add(d.timer, &tv);
}

static void wake(void *arg)
{
	const struct timeval now = { 0 };

	event_add(d.timer, &now);
}

/* --- it begins --- */

static void configure(const char *kind, const char *folder)
{
	const char *port = getenv("HF_ASK_PORT");
	bool hosts = !strcmp(kind, "hosts");

	snprintf(d.store_path, sizeof(d.store_path), "%s/store.db", folder);
	snprintf(d.path, sizeof(d.path), "%s/%s", folder, kind);
	d.config = (struct hf_config_adapter){ .name = d.path + strlen(folder) + 1,
		.kind = hosts ? HF_ADAPTER_HOSTS : HF_ADAPTER_DNSMASQ };
	if (hosts) {
		d.config.hosts = (struct hf_config_hosts){ .path = d.path, .max_names = 10000 };
		return;
	}
	d.config.dnsmasq.hostsdir = d.path;
	d.config.dnsmasq.ask.in4 = (struct sockaddr_in){ .sin_family = AF_INET,
		.sin_port = htons((uint16_t)(port ? atoi(port) : 0)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	d.config.dnsmasq.ask.len = sizeof(struct sockaddr_in);
}

static int start(void)
{
	const struct hf_store_opts opts = { .clock = &hf_clock_system, .log_max = 400 };
	struct hf_store_opened opened;
	struct hf_name suffix;
	int rc = hf_store_open(d.store_path, &opts, &opened, &d.store);

	if (rc) {
		fprintf(stderr, "feed_driver: %s: %s\n", hf_strerror(rc), opened.reason);
		return BROKEN;
	}
	if (hf_store_set_ready(d.store) || hf_name_parse("coder", &suffix))
		return BROKEN;
	d.base = event_base_new();
	d.timer = event_new(d.base, -1, 0, on_work, NULL);

	const struct hf_feed_env env = {
		.base = d.base, .clock = &hf_clock_system, .store = d.store, .wake = wake
	};
	const struct hf_feed_conf conf = { .name = d.config.name,
		.type = hf_adapter_type(d.config.kind),
		.config = &d.config,
		.verify_ms = 3600000,
		.floor_ms = 20,
		.cap_ms = 200,
		.failed_ms = 30000,
		.skipped_ms = 1000 };

	if (hf_feed_new(&env, &conf, &d.feed))
		return BROKEN;
	hf_feed_set_zones(d.feed, &suffix, 1, 30);
	return 0;
}

static void stop(void)
{
	hf_feed_free(d.feed);
	event_free(d.timer);
	event_base_free(d.base);
	hf_store_free(d.store);
}

/* --- it goes on --- */

static bool is_fed(void)
{
	struct hf_feed_status s;

	hf_feed_status(d.feed, &s);
	return s.state == HF_FEED_SYNCED && s.generation == hf_store_generation(d.store) &&
	       !s.leaving && !s.failing && !s.stuck;
}

/* Fed, and for so long. */
static int settle(int64_t quiet_ms)
{
	int64_t now = hf_boot_ms(&hf_clock_system), end = now + LIMIT_MS, since = now;
	struct hf_feed_status s;

	for (wake(NULL); now < end; now = hf_boot_ms(&hf_clock_system)) {
		const struct timeval tick = hf_time_of_ms(quiet_ms / 10 + 1);

		event_base_loopexit(d.base, &tick);
		event_base_loop(d.base, EVLOOP_ONCE);
		if (!is_fed())
			since = now;
		else if (now - since >= quiet_ms)
			return 0;
	}
	hf_feed_status(d.feed, &s);
	printf("it is %s after %d s: %s\n", hf_feed_state_name(s.state), LIMIT_MS / 1000,
	    s.last_error);
	return BROKEN;
}

/* An editor; its line is on the disk when it is done. */
static int add_other(uint64_t k)
{
	char line[64];
	int n = snprintf(line, sizeof(line), "10.9.%llu.%llu other%llu\n",
	    (unsigned long long)k / 250, (unsigned long long)k % 250, (unsigned long long)k);
	int fd, rc;

	if (d.config.kind != HF_ADAPTER_HOSTS || k % 3)
		return 0;
	fd = open(d.path, O_WRONLY | O_APPEND | O_CLOEXEC);
	if (fd < 0)
		return BROKEN;
	rc = write(fd, line, (size_t)n) != n || fdatasync(fd) < 0 ? BROKEN : 0;
	close(fd);
	return rc;
}

static int drive(uint64_t k, uint64_t last)
{
	static struct workload_changes changes;
	int rc = 0;

	while (k < last && !rc) {
		workload_changes(++k, &changes);
		rc = hf_store_apply(d.store, &changes.set) ? BROKEN : add_other(k);
		if (!rc)
			rc = settle(0);
		if (rc)
			break;
		printf("ack %llu\n", (unsigned long long)hf_store_generation(d.store));
		fflush(stdout);
	}
	return rc;
}

static void tell_names(const char *word, uint64_t k)
{
	static struct workload w;
	char name[HF_NAME_TEXT_MAX], addr[HF_ADDR_TEXT_MAX];

	workload_at(k, &w);
	for (size_t i = 0; i < w.n_names; i++)
		printf("%s %s %s\n", word, hf_name_text(&w.names[i].name, name),
		    hf_addr_text(w.names[i].addr, addr));
}

static int heal(uint64_t k)
{
	/* What an adapter finds in its files it finds after the feed has said that all is well. */
	int rc = settle(QUIET_MS);

	if (rc)
		return 1;
	printf("step %llu %llu\n", (unsigned long long)k,
	    (unsigned long long)hf_store_generation(d.store));
	tell_names("before", k ? k - 1 : 0);
	tell_names("now", k);
	return 0;
}

int main(int argc, char **argv)
{
	bool heals = argc == 4 && !strcmp(argv[2], "heal");
	const char *why;
	uint64_t k;
	int rc;

	if (!heals && argc != 5)
		return 2;
	signal(SIGURG, SIG_IGN);
	hf_log_init(STDERR_FILENO, HF_LOG_WARN, HF_LOG_TEXT, &hf_clock_system);
	configure(argv[1], argv[heals ? 3 : 2]);
	rc = start();
	if (rc)
		return rc;
	if (workload_find(d.store, &k, &why)) {
		printf("the store: %s\n", why);
		rc = BROKEN;
	} else if (heals) {
		rc = heal(k);
	} else {
		rc = drive(k, k + strtoull(argv[4], NULL, 10));
	}
	stop();
	return rc;
}
