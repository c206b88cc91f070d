#pragma once
/*
 * certificate: what a verification that failed had before it. It only looks: the verdict stays
 * OpenSSL's.
 */
#include <stdint.h>

struct hf_certificate {
	int error; /* X509_V_ERR_...; 0: none */
	int depth; /* 0: the server's own */
	int64_t not_before_s;
	int64_t not_after_s;
};

/* Lets `note` be filled by the verifications of an SSL_CTX; `note` outlives it. 0 or -ENOMEM. */
int hf_certificate_watch(void *ssl_ctx, struct hf_certificate *note);
