/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * problem: why a source cannot be followed just now, in plain words, with a stable code and what
 * to do about it: try again soon, seldom, or with another token. No text ever holds a token.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum hf_mends {
	MENDS_SOON,  /* by itself: tried again with backoff */
	MENDS_NOT,   /* somebody has to do something: tried again every few minutes */
	MENDS_TOKEN, /* another token mends it */
};

/* Columns: constant, how it mends, its name in the status, text for people where there is none. */
#define HF_PROBLEM_TABLE(X)                                                                        \
	X(NONE, SOON, "none", "nothing is wrong")                                                  \
	X(MEMORY, SOON, "memory", "out of memory or file descriptors")                             \
	/* configuration */                                                                        \
	X(URL, NOT, "bad-url", "there is no usable URL of a Coder server")                         \
	X(NO_TOKEN, TOKEN, "no-token", "there is no session token")                                \
	X(HEADERS, SOON, "header-command", "the header command failed")                            \
	/* the way there */                                                                        \
	X(RESOLVE, SOON, "name-resolution", "the name of the server does not resolve")             \
	X(CONNECT, SOON, "unreachable", "the server cannot be reached")                            \
	X(TIMEOUT, SOON, "timeout", "the server does not answer")                                  \
	X(CUT, SOON, "cut", "the connection broke")                                                \
	X(PROXY, SOON, "proxy", "the proxy refuses")                                               \
	/* TLS */                                                                                  \
	X(CERT_EXPIRED, NOT, "certificate-expired", "the server's certificate has expired")        \
	X(CERT_EARLY, NOT, "certificate-not-yet-valid", "the certificate is not valid yet")        \
	X(CLOCK, NOT, "clock", "this machine's clock is wrong")                                    \
	X(CERT_HOST, NOT, "certificate-host", "the certificate is for another host")               \
	X(CERT, NOT, "certificate", "the server's certificate is not trusted")                     \
	X(CERT_OWN, NOT, "client-certificate", "our client certificate is refused or unusable")    \
	X(TLS_PLAIN, NOT, "no-tls", "the server speaks no TLS on this port: is it http://?")       \
	X(TLS, NOT, "tls", "the TLS handshake failed")                                             \
	/* who answers */                                                                          \
	X(CAPTIVE, NOT, "captive-portal", "a web page came instead of Coder's answer")             \
	X(NOT_CODER, NOT, "not-coder", "this is not a Coder server")                               \
	X(REDIRECT, NOT, "redirect", "the server sends us elsewhere: is the URL wrong?")           \
	X(OLD, NOT, "server-too-old", "the server is too old: Coder v2.18 or newer is needed")     \
	X(STATUS, SOON, "http-status", "the server answered with an error")                        \
	X(REFUSED, NOT, "refused", "the server refuses the request")                               \
	X(BUSY, SOON, "rate-limit", "the server asks us to come back later")                       \
	/* who we are */                                                                           \
	X(SIGNED_OUT, TOKEN, "unauthorised", "signed out, or the session has expired")             \
	X(FORBIDDEN, TOKEN, "forbidden", "the token may not do this")                              \
	X(NO_USER, NOT, "user-not-found", "no such user, or this user may not be read")            \
	X(NO_READ, NOT, "user-not-readable", "that user's workspaces may not be read")             \
	X(HELD, NOT, "deployment-held", "another deployment answers: it waits for 'accept'")       \
	/* the stream */                                                                           \
	X(SILENT, SOON, "dead-path", "the server fell silent")                                     \
	X(FIRST, SOON, "no-snapshot", "no snapshot came in time")                                  \
	X(PROTOCOL, SOON, "protocol", "the server broke its protocol")                             \
	X(CLOSED, SOON, "closed", "the server closed the connection")                              \
	X(CALL, SOON, "call-failed", "the server ended the call")                                  \
	X(VERDICT, SOON, "snapshot-refused", "the snapshot was refused")

enum hf_problem_code {
#define X(id, mends, name, text) HF_PROBLEM_##id,
	HF_PROBLEM_TABLE(X)
#undef X
	    HF_PROBLEM_LAST
};

struct hf_problem {
	enum hf_problem_code code;
	int64_t wait_s; /* the server asked for so long; -1: it did not */
	/* static: the name of the stream's trouble (stream_fault.h); or NULL */
	const char *trouble;
	char text[320]; /* for people; printable */
};

const char *hf_problem_name(enum hf_problem_code code);
const char *hf_problem_text(enum hf_problem_code code); /* of the table */
enum hf_mends hf_problem_mends(enum hf_problem_code code);

/* `format` NULL: the text of the table. Peers' bytes in it are to be clipped before. */
void hf_problem_set(struct hf_problem *p, enum hf_problem_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Of two, that which tells more about what to do: true if `b` does. */
bool hf_problem_tells_more(const struct hf_problem *a, const struct hf_problem *b);

/* A HTTP answer that is not the one hoped for. All texts may be NULL, and are the peer's. */
struct hf_http_answer {
	long status;
	const char *content_type;
	const char *location;
	const char *retry_after;
	const char *body;
	size_t body_len;
};
/* `what`: what was asked, for the text ("GET /api/v2/buildinfo"). */
void hf_problem_of_answer(
    struct hf_problem *p, const char *what, const struct hf_http_answer *a, int64_t wall_s);
