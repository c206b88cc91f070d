/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <time.h>

#include <check.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "bridge/stream/client/certificate.h"

Suite *certificate_suite(void);

struct identity {
	EVP_PKEY *key;
	X509 *cert;
};

/* A certificate of its own, which ends so many seconds from now. */
static struct identity make_identity(const char *name, long ends_s)
{
	struct identity id = { .key = EVP_EC_gen("P-256"), .cert = X509_new() };
	X509_NAME *subject = X509_get_subject_name(id.cert);
	time_t now = time(NULL); /* of both ends: a second may begin between them */

	X509_set_version(id.cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(id.cert), 1);
	X509_time_adj(X509_getm_notBefore(id.cert), -7200, &now);
	X509_time_adj(X509_getm_notAfter(id.cert), ends_s, &now);
	X509_set_pubkey(id.cert, id.key);
	X509_NAME_add_entry_by_txt(
	    subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(id.cert, subject);
	ck_assert_int_gt(X509_sign(id.cert, id.key, EVP_sha256()), 0);
	return id;
}

static void drop_identity(struct identity *id)
{
	EVP_PKEY_free(id->key);
	X509_free(id->cert);
}

/* Two ends of a connection in memory, by TLS 1.2. */
struct pair {
	SSL_CTX *client_ctx, *server_ctx;
	SSL *client, *server;
};

static void open_pair(
    struct pair *p, struct identity *shown, struct identity *trusted, struct hf_certificate *note)
{
	BIO *a, *b;

	p->client_ctx = SSL_CTX_new(TLS_client_method());
	p->server_ctx = SSL_CTX_new(TLS_server_method());
	SSL_CTX_set_max_proto_version(p->server_ctx, TLS1_2_VERSION);
	/* Each handshake is a whole one. */
	SSL_CTX_set_session_cache_mode(p->server_ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_options(p->server_ctx, SSL_OP_NO_TICKET);
	SSL_CTX_use_certificate(p->server_ctx, shown->cert);
	SSL_CTX_use_PrivateKey(p->server_ctx, shown->key);
	X509_STORE_add_cert(SSL_CTX_get_cert_store(p->client_ctx), trusted->cert);
	SSL_CTX_set_verify(p->client_ctx, SSL_VERIFY_PEER, NULL);
	ck_assert_int_eq(hf_certificate_watch(p->client_ctx, note), 0);
	p->client = SSL_new(p->client_ctx);
	p->server = SSL_new(p->server_ctx);
	ck_assert_int_eq(BIO_new_bio_pair(&a, 0, &b, 0), 1);
	SSL_set_bio(p->client, a, a);
	SSL_set_bio(p->server, b, b);
	SSL_set_connect_state(p->client);
	SSL_set_accept_state(p->server);
}

/* Lets both say what they have to. */
static void speak(struct pair *p)
{
	char bytes[64];

	for (int i = 0; i < 20; i++) {
		SSL_do_handshake(p->client);
		SSL_do_handshake(p->server);
		SSL_read(p->client, bytes, sizeof(bytes));
		SSL_read(p->server, bytes, sizeof(bytes));
	}
}

static void close_pair(struct pair *p)
{
	SSL_free(p->client);
	SSL_free(p->server);
	SSL_CTX_free(p->client_ctx);
	SSL_CTX_free(p->server_ctx);
}

START_TEST(what_was_wrong_is_noted)
{
	struct identity old = make_identity("old", -3600);
	struct hf_certificate *note = hf_certificate_new();
	struct pair p;

	open_pair(&p, &old, &old, note);
	speak(&p);
	ck_assert(!SSL_is_init_finished(p.client));
	close_pair(&p);
	/* Who asked may look after the connection is gone. */
	ck_assert_int_eq(note->error, X509_V_ERR_CERT_HAS_EXPIRED);
	ck_assert_int_eq(note->depth, 0);
	ck_assert_int_lt(note->not_after_s, (int64_t)time(NULL) - 3000);
	ck_assert_int_eq(note->not_after_s - note->not_before_s, 3600);
	hf_certificate_unref(note);
	drop_identity(&old);
}
END_TEST

/* Whoever asked is gone (1), or still there (0), when the server wants to show another one. */
START_TEST(a_certificate_is_shown_once_a_connection)
{
	struct identity good = make_identity("good", 3600), bad = make_identity("bad", -3600);
	struct hf_certificate *note = hf_certificate_new();
	struct pair p;

	open_pair(&p, &good, &good, note);
	speak(&p);
	ck_assert(SSL_is_init_finished(p.client) && SSL_is_init_finished(p.server));
	if (_i)
		hf_certificate_unref(note);
	SSL_use_certificate(p.server, bad.cert);
	SSL_use_PrivateKey(p.server, bad.key);
	ck_assert_int_eq(SSL_renegotiate(p.server), 1);
	speak(&p);
	ck_assert_uint_eq(note->refs, _i ? 1 : 2);
	ck_assert_int_eq(note->error, 0);
	close_pair(&p);
	if (!_i)
		hf_certificate_unref(note);
	drop_identity(&good);
	drop_identity(&bad);
}
END_TEST

START_TEST(another_note_takes_the_place_of_the_first)
{
	struct hf_certificate *first = hf_certificate_new(), *second = hf_certificate_new();
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	ck_assert_int_eq(hf_certificate_watch(ctx, first), 0);
	ck_assert_int_eq(hf_certificate_watch(ctx, second), 0);
	ck_assert_uint_eq(first->refs, 1);
	ck_assert_uint_eq(second->refs, 2);
	SSL_CTX_free(ctx);
	ck_assert_uint_eq(second->refs, 1);
	hf_certificate_unref(first);
	hf_certificate_unref(second);
	hf_certificate_unref(NULL);
}
END_TEST

Suite *certificate_suite(void)
{
	Suite *s = suite_create("certificate");
	TCase *tc = tcase_create("notes");

	tcase_add_test(tc, what_was_wrong_is_noted);
	tcase_add_loop_test(tc, a_certificate_is_shown_once_a_connection, 0, 2);
	tcase_add_test(tc, another_note_takes_the_place_of_the_first);
	suite_add_tcase(s, tc);
	return s;
}
