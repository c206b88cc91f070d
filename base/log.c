#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

/* At most what a pipe takes whole or not at all, so that no line is ever cut in two. */
enum { LINE_MAX_BYTES = 4096 };

static const char *const level_names[] = { "error", "warn", "info", "debug" };
static const char *const format_names[] = { "text", "json" };

static struct {
	pthread_mutex_t lock;
	int fd;
	bool socket;
	bool pipe;
	enum hf_log_level level;
	enum hf_log_format format;
	const struct hf_clock *clock;
	uint64_t dropped;
	uint64_t dropped_told;
} target = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.fd = STDERR_FILENO,
	.pipe = true, /* the careful way until hf_log_init() has looked */
	.level = HF_LOG_INFO,
	.clock = &hf_clock_system,
};

void hf_log_init(int fd, enum hf_log_level level, enum hf_log_format format,
    const struct hf_clock *clock)
{
	struct stat st;

	pthread_mutex_lock(&target.lock);
	target.fd = fd;
	target.level = level;
	target.format = format;
	target.clock = clock ? clock : &hf_clock_system;
	target.dropped = target.dropped_told = 0;
	target.socket = fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode);
	/* What is no socket is asked by poll() first: a pipe that says yes takes PIPE_BUF bytes. */
	target.pipe = !target.socket;
	pthread_mutex_unlock(&target.lock);
}

void hf_log_set_level(enum hf_log_level level)
{
	pthread_mutex_lock(&target.lock);
	target.level = level;
	pthread_mutex_unlock(&target.lock);
}

enum hf_log_level hf_log_level(void)
{
	enum hf_log_level level;

	pthread_mutex_lock(&target.lock);
	level = target.level;
	pthread_mutex_unlock(&target.lock);
	return level;
}

uint64_t hf_log_dropped(void)
{
	uint64_t n;

	pthread_mutex_lock(&target.lock);
	n = target.dropped;
	pthread_mutex_unlock(&target.lock);
	return n;
}

int hf_log_level_parse(const char *text, enum hf_log_level *ret_level)
{
	for (int i = HF_LOG_ERROR; i <= HF_LOG_DEBUG; i++) {
		if (strcmp(text, level_names[i]))
			continue;
		*ret_level = (enum hf_log_level)i;
		return 0;
	}
	return -EINVAL;
}

int hf_log_format_parse(const char *text, enum hf_log_format *ret_format)
{
	for (int i = HF_LOG_TEXT; i <= HF_LOG_JSON; i++) {
		if (strcmp(text, format_names[i]))
			continue;
		*ret_format = (enum hf_log_format)i;
		return 0;
	}
	return -EINVAL;
}

/* The length of the valid UTF-8 sequence at s, 0 if there is none. */
static size_t utf8_len(const unsigned char *s)
{
	size_t n = s[0] < 0x80 ? 1 : s[0] >= 0xc2 && s[0] < 0xe0 ? 2 : (s[0] & 0xf0) == 0xe0 ? 3 :
	    s[0] >= 0xf0 && s[0] < 0xf5 ? 4 : 0;

	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	/* C1 controls move a terminal's cursor as well as C0 ones do. */
	if (n == 2 && s[0] == 0xc2 && s[1] < 0xa0)
		return 0;
	return n;
}

/* Appends text with everything escaped that could forge a line or end a JSON string. */
static size_t put_escaped(char *out, size_t at, size_t max, const char *text, bool json)
{
	const unsigned char *s = (const unsigned char *)text;

	while (*s && at + 8 < max) {
		size_t n = utf8_len(s);

		if (!n || *s < 0x20 || *s == 0x7f) {
			at += (size_t)snprintf(out + at, max - at, json ? "\\u%04x" : "\\x%02x", *s);
			s++;
		} else if (json && (*s == '"' || *s == '\\')) {
			out[at++] = '\\';
			out[at++] = (char)*s++;
		} else {
			memcpy(out + at, s, n);
			at += n;
			s += n;
		}
	}
	return at;
}

static size_t format_line(char *out, size_t max, enum hf_log_level level, const char *text)
{
	bool json = target.format == HF_LOG_JSON;
	int64_t wall = hf_wall_ms(target.clock);
	time_t s = (time_t)(wall / 1000);
	char when[40];
	struct tm tm;
	size_t at;

	gmtime_r(&s, &tm);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &tm);
	at = (size_t)snprintf(out, max,
	    json ? "{\"time\":\"%s.%03dZ\",\"level\":\"%s\",\"text\":\"" : "%s.%03dZ %s: ", when,
	    (int)(wall % 1000), level_names[level]);
	at = put_escaped(out, at, max - 4, text, json);
	if (json) {
		out[at++] = '"';
		out[at++] = '}';
	}
	out[at++] = '\n';
	return at;
}

static bool write_line(const char *line, size_t len)
{
	struct pollfd p = { .fd = target.fd, .events = POLLOUT };
	ssize_t n;

	if (target.pipe && (poll(&p, 1, 0) < 1 || !(p.revents & POLLOUT)))
		return false;
	do {
		n = target.socket ? send(target.fd, line, len, MSG_DONTWAIT | MSG_NOSIGNAL)
				  : write(target.fd, line, len);
	} while (n < 0 && errno == EINTR);
	return n == (ssize_t)len;
}

static void emit(enum hf_log_level level, const char *text)
{
	char line[LINE_MAX_BYTES];

	if (!write_line(line, format_line(line, sizeof(line), level, text)))
		target.dropped++;
}

void hf_vlog(enum hf_log_level level, const char *format, va_list ap)
{
	char text[LINE_MAX_BYTES / 2];
	int saved = errno;

	pthread_mutex_lock(&target.lock);
	if (level <= target.level) {
		if (target.dropped > target.dropped_told) {
			uint64_t before = target.dropped;

			snprintf(text, sizeof(text), "log: %llu lines were lost while the target was blocked",
			    (unsigned long long)(before - target.dropped_told));
			emit(HF_LOG_WARN, text);
			if (target.dropped == before)
				target.dropped_told = before;
			else
				target.dropped = before; /* the notice itself is no line of anyone's */
		}
		vsnprintf(text, sizeof(text), format, ap);
		emit(level, text);
	}
	pthread_mutex_unlock(&target.lock);
	errno = saved;
}

void hf_log(enum hf_log_level level, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	hf_vlog(level, format, ap);
	va_end(ap);
}

int hf_fault_set(struct hf_fault *f, const struct hf_clock *clock, enum hf_log_level level,
    const char *format, ...)
{
	char text[sizeof(f->text)];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	if (!f->text[0]) {
		f->since_boot_ms = hf_boot_ms(clock);
		f->since_wall_ms = hf_wall_ms(clock);
		f->times = 0;
	}
	f->times++;
	if (!strcmp(f->text, text))
		return 0;
	memcpy(f->text, text, sizeof(text));
	hf_log(level, "%s", text);
	return 1;
}

void hf_fault_clear(struct hf_fault *f, const struct hf_clock *clock, const char *what)
{
	if (!f->text[0])
		return;
	hf_log_info("%s again well after %llu failures in %lld s", what, (unsigned long long)f->times,
	    (long long)(hf_boot_ms(clock) - f->since_boot_ms) / 1000);
	memset(f, 0, sizeof(*f));
}
