/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include <check.h>

#include "bridge/stream/client/http.h"

Suite *http_problem_suite(void);

static const struct {
	CURLcode result;
	const char *error; /* as libcurl and OpenSSL word it */
	enum hf_problem_code want;
} rows[] = {
	/* A handshake that was cut is a cut. */
	{ CURLE_SSL_CONNECT_ERROR,
	    "OpenSSL SSL_connect: SSL_ERROR_SYSCALL in connection to coder.example:443 ",
	    HF_PROBLEM_CUT },
	{ CURLE_SSL_CONNECT_ERROR, "Send failure: Connection reset by peer", HF_PROBLEM_CUT },
	{ CURLE_SSL_CONNECT_ERROR, "Recv failure: Connection reset by peer", HF_PROBLEM_CUT },
	{ CURLE_SSL_CONNECT_ERROR, "Send failure: Broken pipe", HF_PROBLEM_CUT },
	{ CURLE_SSL_CONNECT_ERROR, "error:0A000126:SSL routines::unexpected eof while reading",
	    HF_PROBLEM_CUT },
	{ CURLE_SSL_CONNECT_ERROR,
	    "OpenSSL SSL_connect: SSL_ERROR_ZERO_RETURN in connection to x:443 ", HF_PROBLEM_CUT },
	/* What the other end says, or cannot speak, mends not by itself. */
	{ CURLE_SSL_CONNECT_ERROR, "error:0A00042E:SSL routines::tlsv1 alert protocol version",
	    HF_PROBLEM_TLS },
	{ CURLE_SSL_CONNECT_ERROR, "error:0A000410:SSL routines::sslv3 alert handshake failure",
	    HF_PROBLEM_TLS },
	{ CURLE_SSL_CONNECT_ERROR, "error:0A000102:SSL routines::unsupported protocol",
	    HF_PROBLEM_TLS },
	{ CURLE_SSL_CONNECT_ERROR, "", HF_PROBLEM_TLS },
	{ CURLE_SSL_CONNECT_ERROR, "error:0A00010B:SSL routines::wrong version number",
	    HF_PROBLEM_TLS_PLAIN },
	{ CURLE_RECV_ERROR,
	    "OpenSSL SSL_read: error:0A00045C:SSL routines::tlsv13 alert certificate required",
	    HF_PROBLEM_CERT_OWN },
	{ CURLE_RECV_ERROR, "Recv failure: Connection reset by peer", HF_PROBLEM_CUT },
	{ CURLE_COULDNT_CONNECT, "Failed to connect", HF_PROBLEM_CONNECT },
	{ CURLE_OPERATION_TIMEDOUT, "SSL connection timeout", HF_PROBLEM_TIMEOUT },
};

START_TEST(what_libcurl_says_becomes_a_problem)
{
	struct hf_certificate note = { .error = 0 };
	struct hf_http_handle h = { .easy = curl_easy_init(), .certificate = &note };
	struct hf_problem p;

	snprintf(h.error, sizeof(h.error), "%s", rows[_i].error);
	hf_http_problem(&h, rows[_i].result, 1800000000, &p);
	ck_assert_str_eq(hf_problem_name(p.code), hf_problem_name(rows[_i].want));
	curl_easy_cleanup(h.easy);
}
END_TEST

Suite *http_problem_suite(void)
{
	Suite *s = suite_create("http_problem");
	TCase *tc = tcase_create("words");

	tcase_add_loop_test(
	    tc, what_libcurl_says_becomes_a_problem, 0, sizeof(rows) / sizeof(rows[0]));
	suite_add_tcase(s, tc);
	return s;
}
