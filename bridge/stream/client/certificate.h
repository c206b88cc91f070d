/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * certificate: what a verification that failed had before it. It only looks: the verdict stays
 * OpenSSL's.
 */
#include <stdint.h>

/* A note on one certificate. It lives as long as anybody holds it: see hf_certificate_unref(). */
struct hf_certificate {
	unsigned refs;
	int error; /* X509_V_ERR_...; 0: none */
	int depth; /* 0: the server's own */
	int64_t not_before_s;
	int64_t not_after_s;
};

/*
 * An empty note, with one reference, which the caller ends by hf_certificate_unref(). NULL: no
 * memory.
 */
struct hf_certificate *hf_certificate_new(void);
void hf_certificate_unref(struct hf_certificate *note); /* NULL is fine */
/*
 * Lets `note` be filled by the verifications of an SSL_CTX, which holds a reference of its own
 * until its end: a connection may outlive whoever made it. A certificate is shown once a
 * connection: the peer cannot renegotiate. 0 or -ENOMEM.
 */
int hf_certificate_watch(void *ssl_ctx, struct hf_certificate *note);
