/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/adapters/kit_ub_peer.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <check.h>

#define MAGIC "UBCT1 "

void ub_peer_reload(struct ub_peer *p)
{
	ub_data_reset(&p->data, !p->no_reverse);
}

void ub_peer_when(struct ub_peer *p, const char *at, enum ub_peer_act act, const char *text)
{
	p->when.at = at;
	p->when.skip = p->when.again = 0;
	p->when.act = act;
	p->when.text = text;
}

size_t ub_peer_answer(
    const struct resolver_question *q, uint8_t out[static RESOLVER_PACKET_MAX], void *arg)
{
	static const struct ub_data nothing;
	const struct ub_peer *p = arg;

	return p->deaf ? 0 : ub_data_answer(p->elsewhere ? &nothing : &p->data, q, out);
}

/* --- the log --- */

static bool is_canary(const char *at)
{
	return (*at == 'f' || *at == 'w') && strspn(at + 1, "0123456789abcdef") == 16;
}

/* Lines of one command are parted by "; ", a canary's digits are "#", a SOA has no data. */
static void write_log(struct ub_peer *p, const char *command)
{
	size_t n = strlen(p->log);

	for (const char *at = command; *at; at++) {
		ck_assert_uint_lt(n + 4, sizeof(p->log));
		if (strcmp(at, "\n\x04\n") == 0 || strcmp(at, "\n") == 0)
			break;
		if (is_canary(at)) {
			p->log[n++] = *at;
			p->log[n++] = '#';
			at += 16;
		} else if (strncmp(at, " SOA ", 5) == 0) {
			memcpy(p->log + n, " SOA", 4);
			n += 4;
			at += strcspn(at, "\n") - 1;
		} else if (*at == '\n') {
			p->log[n++] = ';';
			p->log[n++] = ' ';
		} else {
			p->log[n++] = *at;
		}
	}
	p->log[n] = '\n';
	p->log[n + 1] = '\0';
}

/* --- replies --- */

/* At once: nobody reads while we write. Whoever has hung up meanwhile hears nothing. */
static void send_all(int fd, const char *bytes, size_t n)
{
	ssize_t sent = send(fd, bytes, n, MSG_NOSIGNAL | MSG_DONTWAIT);

	ck_assert(sent == (ssize_t)n || (sent < 0 && errno == EPIPE));
}

static void say(int fd, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(int fd, const char *format, ...)
{
	char text[4096];
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	ck_assert_int_lt(n, (int)sizeof(text));
	send_all(fd, text, (size_t)n);
}

/* What lists nothing says nothing. */
static void say_listing(int fd, char *text)
{
	send_all(fd, text, strlen(text));
	free(text);
}

static void add_lines(struct ub_peer *p, char *line)
{
	unsigned n = 0, nth = 0;

	while (line && *line != '\x04') {
		char *next = strchr(line, '\n');

		*next = '\0';
		nth++;
		if (p->refuses && strstr(line, p->refuses)) {
			say(p->fd,
			    "error parsing local-data at line %u position 16 '%s': Conversion error, ip6 addr expected\n",
			    nth, line);
		} else {
			ub_data_add(&p->data, line);
			n++;
		}
		line = next + 1;
	}
	say(p->fd, "added %u datas\n", n);
}

/* False: it was complained of. Before 1.26 a line with a record is taken and does nothing. */
static bool remove_line(struct ub_peer *p, const char *line)
{
	bool is_record = strchr(line, ' ');
	const char *wrong = NULL;

	if (p->refuses && strstr(line, p->refuses)) {
		say(p->fd, "error cannot parse name %s at 65: Label length overflow\n", line);
		return false;
	}
	if (!is_record)
		ub_data_remove(&p->data, line);
	else if (p->records)
		wrong = ub_data_remove_record(&p->data, line);
	if (wrong && strcmp(wrong, "rr") == 0)
		say(p->fd, "error rr %s not found in rrset\n", line);
	else if (wrong)
		say(p->fd, "error %s for rr %s\n", wrong, line);
	return !wrong;
}

static void remove_lines(struct ub_peer *p, char *line)
{
	unsigned n = 0;

	while (line && *line != '\x04') {
		char *next = strchr(line, '\n');

		*next = '\0';
		if (remove_line(p, line))
			n++;
		else
			say(p->fd, "error for input line: %s\n", line);
		line = next + 1;
	}
	say(p->fd, "removed %u datas\n", n);
}

static void remove_one(struct ub_peer *p, const char *arg)
{
	/* The record that shows what it can is nowhere. */
	if (p->records && strstr(arg, " IN "))
		say(p->fd, "error no local data for rr %s\n", arg);
	else if (remove_line(p, arg))
		say(p->fd, "ok\n");
}

static void set_zone(struct ub_peer *p, const char *arg)
{
	char zone[UB_DATA_NAME_MAX], type[32];

	ck_assert_int_eq(sscanf(arg, "%255s %31s", zone, type), 2);
	ub_data_zone_set(&p->data, zone, type);
	say(p->fd, "ok\n");
}

static bool do_listing(struct ub_peer *p, const char *command)
{
	if (strcmp(command, "list_local_data") == 0)
		say_listing(p->fd, ub_data_list(&p->data));
	else if (strcmp(command, "list_local_zones") == 0)
		say_listing(p->fd, ub_data_list_zones(&p->data));
	else if (strcmp(command, "list_auth_zones") == 0)
		say_listing(p->fd, strdup(p->auth_zones ? p->auth_zones : ""));
	else if (strcmp(command, "list_forwards") == 0)
		say_listing(p->fd, strdup(p->forwards ? p->forwards : ""));
	else if (strcmp(command, "list_stubs") == 0)
		say_listing(p->fd, strdup(p->stubs ? p->stubs : ""));
	else
		return false;
	return true;
}

/* `command` is its first line, `lines` what follows, `arg` what follows its first word. */
static void do_command(struct ub_peer *p, const char *command, const char *arg, char *lines)
{
	if (strcmp(command, "local_datas") == 0) {
		add_lines(p, lines);
	} else if (strcmp(command, "local_datas_remove") == 0) {
		remove_lines(p, lines);
	} else if (strncmp(command, "local_data_remove ", 18) == 0) {
		remove_one(p, arg);
	} else if (strncmp(command, "local_zone ", 11) == 0) {
		set_zone(p, arg);
	} else if (strncmp(command, "local_zone_remove ", 18) == 0) {
		ub_data_zone_remove(&p->data, arg);
		say(p->fd, "ok\n");
	} else if (strcmp(command, "status") == 0) {
		say(p->fd, "version: %s\nverbosity: 1\nthreads: 1\nmodules: 1 [ iterator ]\n",
		    p->records ? "1.26.2" : "1.17.1");
	} else if (strncmp(command, "get_option ", 11) == 0) {
		say(p->fd, "0\n");
	} else if (strncmp(command, "auth_zone_reload ", 17) == 0) {
		say(p->fd, "error no auth-zone %s\n", arg);
	} else if (!do_listing(p, command)) {
		say(p->fd, "error unknown command '%s'\n", command);
	}
}

/* --- connections --- */

static void hang_up(struct ub_peer *p)
{
	if (p->on_command)
		event_free(p->on_command);
	p->on_command = NULL;
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
}

/* What the test wants of this one; 0: nothing else than usual. */
static enum ub_peer_act act_of(struct ub_peer *p, const char *command)
{
	if (!p->when.at || strncmp(command, p->when.at, strlen(p->when.at)) != 0)
		return 0;
	if (p->when.skip) {
		p->when.skip--;
		return 0;
	}
	if (!p->when.again)
		p->when.at = NULL;
	else
		p->when.again--;
	return p->when.act;
}

/* Where it is done, and nobody hears of it. */
static void do_mute(struct ub_peer *p, const char *command, const char *arg, char *lines)
{
	int pair[2], fd = p->fd;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	p->fd = pair[0];
	do_command(p, command, arg, lines);
	p->fd = fd;
	close(pair[0]);
	close(pair[1]);
}

static void take_command(struct ub_peer *p, char *command)
{
	char *lines = strchr(command, '\n');
	const char *arg;
	enum ub_peer_act act = act_of(p, command);

	write_log(p, command);
	*lines++ = '\0';
	arg = strchr(command, ' ');
	arg = arg ? arg + 1 : "";
	if (act == UB_PEER_HANGS)
		return;
	if (act == UB_PEER_RELOADS)
		ub_peer_reload(p);
	if (act == UB_PEER_SAYS)
		say(p->fd, "%s", p->when.text);
	else if (act == UB_PEER_DIES)
		do_mute(p, command, arg, lines);
	else if (act != UB_PEER_CUTS)
		do_command(p, command, arg, lines);
	hang_up(p);
}

static void on_command(evutil_socket_t fd, short what, void *arg)
{
	static char bytes[UB_PEER_COMMAND_MAX + 1];
	struct ub_peer *p = arg;
	ssize_t n = recv(fd, bytes, UB_PEER_COMMAND_MAX, MSG_DONTWAIT);

	ck_assert_int_gt(n, (ssize_t)strlen(MAGIC));
	ck_assert_int_eq(bytes[n - 1], '\n'); /* whole: the adapter sends it at once */
	ck_assert_int_eq(memcmp(bytes, MAGIC, strlen(MAGIC)), 0);
	bytes[n] = '\0';
	take_command(p, bytes + strlen(MAGIC));
}

static void on_dial(evutil_socket_t fd, short what, void *arg)
{
	struct ub_peer *p = arg;

	hang_up(p);
	p->fd = accept(fd, NULL, NULL);
	ck_assert_int_ge(p->fd, 0);
	p->on_command = event_new(p->base, p->fd, EV_READ, on_command, p);
	event_add(p->on_command, NULL);
}

void ub_peer_open(struct ub_peer *p, struct event_base *base, const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	ck_assert_uint_lt(strlen(path), sizeof(sun.sun_path));
	memcpy(sun.sun_path, path, strlen(path));
	p->base = base;
	p->path = path;
	p->fd = -1;
	ub_peer_reload(p);
	p->listener = socket(AF_UNIX, SOCK_STREAM, 0);
	ck_assert_int_eq(bind(p->listener, (struct sockaddr *)&sun, sizeof(sun)), 0);
	ck_assert_int_eq(listen(p->listener, 8), 0);
	p->on_dial = event_new(base, p->listener, EV_READ | EV_PERSIST, on_dial, p);
	event_add(p->on_dial, NULL);
}

void ub_peer_close(struct ub_peer *p)
{
	hang_up(p);
	event_free(p->on_dial);
	close(p->listener);
	unlink(p->path);
}
