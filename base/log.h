/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * log: one line per event, to one file descriptor, as text or as JSON.
 *
 * A log target that blocks never blocks the program: a line that cannot be written at once is
 * dropped and counted, and the next line that gets through is preceded by the number lost. No line
 * is cut, one that is too long (4 KiB) ends in "...". A closed target raises no signal.
 * Nothing fills a disk: of one kind (one format) 30 lines pass at once and 3 a second, of all 50
 * and 10 a second; what is left out is counted, and said. Lines of level debug have no such limit.
 * Control characters and bytes that are not UTF-8 are escaped, so that no peer can forge a line.
 * Tokens and keys are never passed to it.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

struct hf_clock;

enum hf_log_level { HF_LOG_ERROR, HF_LOG_WARN, HF_LOG_INFO, HF_LOG_DEBUG };
enum hf_log_format { HF_LOG_TEXT, HF_LOG_JSON };

/*
 * Process wide. Before hf_log_init() lines of level info and above go to stderr as text.
 * `fd` is borrowed and outlives the log (a pipe or terminal is opened once more, so that it never
 * blocks, without a change for those who share it); `clock` may be NULL for the system's. May be
 * called again: what was dropped stays counted, and the limits on repeated lines begin again.
 */
void hf_log_init(
    int fd, enum hf_log_level level, enum hf_log_format format, const struct hf_clock *clock);
void hf_log_set_level(enum hf_log_level level);
enum hf_log_level hf_log_get_level(void);
/* Lines lost since the program began. */
uint64_t hf_log_dropped(void);

/* "error", "warn", "info", "debug"; "text", "json". Returns 0 or -EINVAL. */
int hf_log_level_parse(const char *text, enum hf_log_level *ret_level);
int hf_log_format_parse(const char *text, enum hf_log_format *ret_format);

void hf_log(enum hf_log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));
void hf_vlog(enum hf_log_level level, const char *format, va_list ap)
    __attribute__((format(printf, 2, 0)));
/* `kind`: a static text; lines of one kind have a limit together. */
void hf_vlog_kind(enum hf_log_level level, const char *kind, const char *format, va_list ap)
    __attribute__((format(printf, 3, 0)));

#define hf_log_error(...) hf_log(HF_LOG_ERROR, __VA_ARGS__)
#define hf_log_warn(...) hf_log(HF_LOG_WARN, __VA_ARGS__)
#define hf_log_info(...) hf_log(HF_LOG_INFO, __VA_ARGS__)
#define hf_log_debug(...) hf_log(HF_LOG_DEBUG, __VA_ARGS__)

/*
 * fault: a failure that may repeat. It is logged when it begins, when its text changes and when it
 * ends (with how often and how long), not each time. Zero it before first use. Not thread safe.
 */
struct hf_fault {
	char text[200]; /* "" while there is none */
	int64_t since_boot_ms;
	int64_t since_wall_ms;
	uint64_t times;
};

/* `level` is that of the first line. Returns 1 if it was logged, 0 if it was only counted. */
int hf_fault_set(struct hf_fault *f, const struct hf_clock *clock, enum hf_log_level level,
    const char *format, ...) __attribute__((format(printf, 4, 5)));
/* Logs "<what> again well after N failures in AGE" if there was a fault; else does nothing. */
void hf_fault_clear(struct hf_fault *f, const struct hf_clock *clock, const char *what);
