/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log_limit.h"
#include "base/log_line.h"
#include "base/log_target.h"

static const char *const format_names[] = { "text", "json" };

static atomic_uint max_level = HF_LOG_INFO; /* read without the lock: most lines end there */

static struct {
	pthread_mutex_t lock;
	bool looked; /* `target` is set up: by hf_log_init(), or by the first line before it */
	struct hf_log_target target;
	enum hf_log_format format;
	const struct hf_clock *clock;
	uint64_t dropped;
	uint64_t dropped_told;
	struct hf_log_limit limit;
} log_state = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.clock = &hf_clock_system,
};

static void log_set_target(int fd)
{
	if (log_state.looked)
		hf_log_target_change(&log_state.target, fd);
	else
		hf_log_target_init(&log_state.target, fd);
	log_state.looked = true;
}

void hf_log_init(
    int fd, enum hf_log_level level, enum hf_log_format format, const struct hf_clock *clock)
{
	pthread_mutex_lock(&log_state.lock);
	log_set_target(fd);
	log_state.format = format;
	log_state.clock = clock ? clock : &hf_clock_system;
	log_state.limit = (struct hf_log_limit){ .told_ms = 0 };
	pthread_mutex_unlock(&log_state.lock);
	hf_log_set_level(level);
}

void hf_log_set_level(enum hf_log_level level)
{
	atomic_store_explicit(&max_level, level, memory_order_relaxed);
}

enum hf_log_level hf_log_get_level(void)
{
	return (enum hf_log_level)atomic_load_explicit(&max_level, memory_order_relaxed);
}

uint64_t hf_log_dropped(void)
{
	uint64_t n;

	pthread_mutex_lock(&log_state.lock);
	n = log_state.dropped;
	pthread_mutex_unlock(&log_state.lock);
	return n;
}

/* The place of `text` among `n` names, -EINVAL if it is none of them. */
static int find_name(const char *text, const char *const *names, int n)
{
	for (int i = 0; i < n; i++)
		if (!strcmp(text, names[i]))
			return i;
	return -EINVAL;
}

int hf_log_level_parse(const char *text, enum hf_log_level *ret_level)
{
	int i = find_name(text, hf_log_level_names, HF_LOG_DEBUG + 1);

	if (i < 0)
		return i;
	*ret_level = (enum hf_log_level)i;
	return 0;
}

int hf_log_format_parse(const char *text, enum hf_log_format *ret_format)
{
	int i = find_name(text, format_names, HF_LOG_JSON + 1);

	if (i < 0)
		return i;
	*ret_format = (enum hf_log_format)i;
	return 0;
}

static bool write_text(enum hf_log_level level, const char *text)
{
	char line[HF_LOG_LINE_MAX];
	size_t len = hf_log_line(line, level, log_state.format, hf_wall_ms(log_state.clock), text);

	return hf_log_target_write(&log_state.target, line, len);
}

/* False if lines were lost and that cannot be told yet: then no other line may pass either. */
static bool tell_dropped(void)
{
	uint64_t n = log_state.dropped - log_state.dropped_told;
	char text[100];

	if (!n)
		return true;
	snprintf(text, sizeof(text), "log: %llu line%s lost while the target did not take them",
	    (unsigned long long)n, n == 1 ? " was" : "s were");
	if (!write_text(HF_LOG_WARN, text))
		return false;
	log_state.dropped_told = log_state.dropped;
	return true;
}

static void tell_left_out(void)
{
	const char *kind;
	char text[300];
	uint64_t n;

	if (!hf_log_limit_left_out(&log_state.limit, hf_boot_ms(log_state.clock), &kind, &n))
		return;
	snprintf(text, sizeof(text), "log: %llu line%s too many at once and left out: \"%.200s\"",
	    (unsigned long long)n, n == 1 ? " was" : "s were", kind);
	if (!write_text(HF_LOG_WARN, text))
		log_state.dropped++;
}

/* Whoever wants to see everything has set the level to debug, and gets its lines. */
static bool may_pass(enum hf_log_level level, const char *kind)
{
	bool pass;

	if (level == HF_LOG_DEBUG)
		return true;
	pthread_mutex_lock(&log_state.lock);
	pass = hf_log_limit_pass(&log_state.limit, kind, hf_boot_ms(log_state.clock));
	pthread_mutex_unlock(&log_state.lock);
	return pass;
}

static void log_put(enum hf_log_level level, const char *text)
{
	pthread_mutex_lock(&log_state.lock);
	if (!log_state.looked)
		log_set_target(STDERR_FILENO);
	if (!tell_dropped() || !write_text(level, text))
		log_state.dropped++;
	else
		tell_left_out();
	pthread_mutex_unlock(&log_state.lock);
}

void hf_vlog_kind(enum hf_log_level level, const char *kind, const char *format, va_list ap)
{
	char text[HF_LOG_LINE_MAX];
	int saved = errno;

	if (level > hf_log_get_level() || !may_pass(level, kind))
		return;
	/* What cannot be formatted is still told, by its format. */
	if (vsnprintf(text, sizeof(text), format, ap) < 0)
		snprintf(text, sizeof(text), "%s", format);
	log_put(level, text);
	errno = saved;
}

void hf_vlog(enum hf_log_level level, const char *format, va_list ap)
{
	hf_vlog_kind(level, format, format, ap);
}

void hf_log(enum hf_log_level level, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	hf_vlog(level, format, ap);
	va_end(ap);
}
