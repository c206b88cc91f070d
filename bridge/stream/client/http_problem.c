/* SPDX-License-Identifier: Apache-2.0 */
/* What libcurl's and OpenSSL's codes mean, in words that help. */
#include "bridge/stream/client/http.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <openssl/x509_vfy.h>

#include "bridge/stream/wire/printable.h"

/* No clock is right that is before this program was written. */
static const int64_t written_s = 1760000000;

static const char *date_text(int64_t at_s, char out[static 32])
{
	struct tm tm;
	time_t t = (time_t)at_s;

	if (!gmtime_r(&t, &tm) || !strftime(out, 32, "%Y-%m-%d %H:%M:%S UTC", &tm))
		snprintf(out, 32, "?");
	return out;
}

static void date_problem(const struct hf_certificate *c, int64_t wall_s, struct hf_problem *p)
{
	bool early = c->error == X509_V_ERR_CERT_NOT_YET_VALID;
	char theirs[32], ours[32];

	date_text(early ? c->not_before_s : c->not_after_s, theirs);
	date_text(wall_s, ours);
	if (wall_s < written_s)
		hf_problem_set(p, HF_PROBLEM_CLOCK,
		    "this machine's clock is wrong: it says %s; the server's certificate is valid %s %s",
		    ours, early ? "from" : "until", theirs);
	else if (early)
		hf_problem_set(p, HF_PROBLEM_CERT_EARLY,
		    "the server's certificate is valid only from %s, and this machine's clock says %s: one of them is wrong",
		    theirs, ours);
	else
		hf_problem_set(p, HF_PROBLEM_CERT_EXPIRED,
		    "the server's certificate expired on %s (this machine's clock says %s)", theirs,
		    ours);
}

static void cert_problem(const struct hf_http_handle *h, int64_t wall_s, struct hf_problem *p)
{
	char said[160];

	hf_printable_copy(said, sizeof(said), h->error, strlen(h->error));
	if (h->certificate->error == X509_V_ERR_CERT_HAS_EXPIRED ||
	    h->certificate->error == X509_V_ERR_CERT_NOT_YET_VALID)
		date_problem(h->certificate, wall_s, p);
	else if (strstr(h->error, "subject name") || strstr(h->error, "host name"))
		hf_problem_set(p, HF_PROBLEM_CERT_HOST,
		    "the server's certificate is for another host (%s)", said);
	else
		hf_problem_set(p, HF_PROBLEM_CERT,
		    "the server's certificate is not trusted (%s); a CA of your own goes into ca-file",
		    said);
}

/* Without the milliseconds, which would make each failure another one. */
static void plain_text(const struct hf_http_handle *h, const char *text, char *out, size_t size)
{
	const char *after = strstr(text, " after ");
	size_t n;
	long code = 0;

	hf_printable_copy(out, size, text, after ? (size_t)(after - text) : strlen(text));
	n = strlen(out);
	curl_easy_getinfo(h->easy, CURLINFO_OS_ERRNO, &code);
	if (code)
		snprintf(out + n, size - n, ": %s", strerror((int)code));
}

/*
 * A handshake that was cut: a balancer without a backend, a port forwarder, a server that restarts.
 * What the other end says by an alert, or cannot speak, is not that.
 */
static bool is_cut_handshake(const struct hf_http_handle *h, const char *text)
{
	static const char *const signs[] = { "SSL_ERROR_SYSCALL", "SSL_ERROR_ZERO_RETURN",
		"unexpected eof", "reset by peer", "Broken pipe" };
	long code = 0;

	if (strstr(text, "alert"))
		return false;
	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
		if (strstr(text, signs[i]))
			return true;
	curl_easy_getinfo(h->easy, CURLINFO_OS_ERRNO, &code);
	return code == ECONNRESET || code == EPIPE || code == ECONNABORTED || code == ETIMEDOUT;
}

static void connect_problem(const struct hf_http_handle *h, CURLcode result, struct hf_problem *p)
{
	char said[200];
	const char *text = h->error[0] ? h->error : curl_easy_strerror(result);
	enum hf_problem_code code = HF_PROBLEM_CONNECT;

	hf_printable_copy(said, sizeof(said), text, strlen(text));
	if (strstr(text, "alert certificate required") || strstr(text, "alert bad certificate") ||
	    strstr(text, "alert unknown ca"))
		code = HF_PROBLEM_CERT_OWN;
	else if (strstr(text, "wrong version number"))
		code = HF_PROBLEM_TLS_PLAIN;
	else if (result == CURLE_SSL_CONNECT_ERROR && is_cut_handshake(h, text))
		code = HF_PROBLEM_CUT;
	else if (result == CURLE_SSL_CONNECT_ERROR || result == CURLE_SSL_CIPHER)
		code = HF_PROBLEM_TLS;
	else if (result == CURLE_SSL_CERTPROBLEM)
		code = HF_PROBLEM_CERT_OWN;
	else if (result == CURLE_SSL_CACERT_BADFILE)
		code = HF_PROBLEM_CERT;
	else if (strstr(text, "CONNECT tunnel failed") || result == CURLE_PROXY)
		code = HF_PROBLEM_PROXY;
	else if (result == CURLE_COULDNT_RESOLVE_HOST || result == CURLE_COULDNT_RESOLVE_PROXY)
		code = HF_PROBLEM_RESOLVE;
	else if (result == CURLE_OPERATION_TIMEDOUT)
		code = HF_PROBLEM_TIMEOUT;
	else if (result == CURLE_RECV_ERROR || result == CURLE_SEND_ERROR ||
		 result == CURLE_GOT_NOTHING || result == CURLE_PARTIAL_FILE)
		code = HF_PROBLEM_CUT;
	else if (result == CURLE_WRITE_ERROR || result == CURLE_UNSUPPORTED_PROTOCOL ||
		 result == CURLE_WEIRD_SERVER_REPLY || result == CURLE_BAD_CONTENT_ENCODING)
		code = HF_PROBLEM_NOT_CODER;
	else if (result == CURLE_OUT_OF_MEMORY)
		code = HF_PROBLEM_MEMORY;
	hf_problem_set(p, code, NULL);
	if (code == HF_PROBLEM_TIMEOUT || code == HF_PROBLEM_CONNECT)
		plain_text(h, text, said, sizeof(said));
	snprintf(p->text + strlen(p->text), sizeof(p->text) - strlen(p->text), " (%s)", said);
}

void hf_http_problem(
    const struct hf_http_handle *h, CURLcode result, int64_t wall_s, struct hf_problem *ret_problem)
{
	if (result == CURLE_PEER_FAILED_VERIFICATION)
		cert_problem(h, wall_s, ret_problem);
	else
		connect_problem(h, result, ret_problem);
}
