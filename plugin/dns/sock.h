/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * sock: the sockets that questions come in by: opened here, or handed over by a service manager
 * (LISTEN_FDS, sd_listen_fds(3)).
 */
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

struct hf_endpoints; /* config/config.h */

enum { HF_SOCK_TEXT_MAX = 64, HF_SOCKS_MAX = 1024 };

struct hf_sock {
	/* owned; UDP ones block for at most HF_SOCK_WAIT_S, TCP ones listen and never block */
	int fd;
	bool stream;
	bool wildcard; /* bound to no address: replies must name the one that was asked */
	char text[HF_SOCK_TEXT_MAX]; /* "127.0.0.1@5453" */
};

enum { HF_SOCK_WAIT_S = 30 };

struct hf_socks {
	struct hf_sock *at; /* owned */
	size_t n;
};

/*
 * For each endpoint one TCP socket and `threads` UDP sockets that share its port. An address of
 * IPv6 on a machine without it is left out if another is left. Returns 0 or a code and one line in
 * `why`. End it with hf_socks_close().
 */
int hf_socks_open(const struct hf_endpoints *listen, size_t threads, struct hf_socks *ret_socks,
    char *why, size_t size);

/*
 * Those handed over to this process, each UDP socket `threads` times. 0 with none if there are
 * none; the environment variables are taken out. A code and `why` if one of them is no internet
 * socket.
 */
int hf_socks_inherit(size_t threads, struct hf_socks *ret_socks, char *why, size_t size);

void hf_socks_close(struct hf_socks *socks);

/* "127.0.0.1@5453", "::1@5453". Returns out. */
char *hf_sock_text(const struct sockaddr *sa, char out[static HF_SOCK_TEXT_MAX]);
