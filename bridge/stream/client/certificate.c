/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/stream/client/certificate.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include <openssl/ssl.h>
#include <openssl/x509.h>

struct hf_certificate *hf_certificate_new(void)
{
	struct hf_certificate *note = calloc(1, sizeof(*note));

	if (note)
		note->refs = 1;
	return note;
}

void hf_certificate_unref(struct hf_certificate *note)
{
	if (note && --note->refs == 0)
		free(note);
}

/* OpenSSL ends an SSL_CTX that has, or never had, a note. */
static void on_ctx_free(
    void *ctx, void *note, CRYPTO_EX_DATA *data, int index, long argl, void *argp)
{
	hf_certificate_unref(note);
}

/* Where in an SSL_CTX the note hangs. */
static int note_index(void)
{
	static int index = -1;

	if (index < 0)
		index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, on_ctx_free);
	return index;
}

static int64_t asn1_time_s(const ASN1_TIME *t)
{
	struct tm tm;

	return t && ASN1_TIME_to_tm(t, &tm) ? (int64_t)timegm(&tm) : 0;
}

static int on_certificate(int ok, X509_STORE_CTX *ctx)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(ctx, SSL_get_ex_data_X509_STORE_CTX_idx());
	X509 *cert = X509_STORE_CTX_get_current_cert(ctx);
	struct hf_certificate *note =
	    ssl ? SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), note_index()) : NULL;

	if (ok || !note || note->error)
		return ok;
	note->error = X509_STORE_CTX_get_error(ctx);
	note->depth = X509_STORE_CTX_get_error_depth(ctx);
	if (cert) {
		note->not_before_s = asn1_time_s(X509_get0_notBefore(cert));
		note->not_after_s = asn1_time_s(X509_get0_notAfter(cert));
	}
	return ok;
}

int hf_certificate_watch(void *ssl_ctx, struct hf_certificate *note)
{
	SSL_CTX *ctx = ssl_ctx;
	struct hf_certificate *before;

	if (note_index() < 0)
		return -ENOMEM;
	before = SSL_CTX_get_ex_data(ctx, note_index());
	if (!SSL_CTX_set_ex_data(ctx, note_index(), note))
		return -ENOMEM;
	note->refs++;
	hf_certificate_unref(before);
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION);
	SSL_CTX_set_verify(ctx, SSL_CTX_get_verify_mode(ctx), on_certificate);
	return 0;
}
