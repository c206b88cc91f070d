/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * udp: a thread that answers the questions of one UDP socket, many at a time.
 */
#include "plugin/dns/responder.h"

struct hf_acl_box;
struct hf_clock;
struct hf_sock;
struct hf_udp;

/*
 * Everything is borrowed and outlives it; `responder` is copied. 0 or a code. End it with
 * hf_udp_free().
 */
int hf_udp_start(const struct hf_sock *sock, const struct hf_responder *responder,
    struct hf_acl_box *acl, const struct hf_clock *clock, struct hf_udp **ret_udp);
void hf_udp_free(struct hf_udp *u); /* NULL is fine */
