/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* peer_addr: who asks, by address. */
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * The address in its plain form: one of IPv4 that an IPv6 socket shows is one of IPv4. *ret_addr
 * lies in `from`. Returns AF_INET, AF_INET6, or AF_UNSPEC for another family.
 */
sa_family_t hf_peer_addr(const struct sockaddr *from, const uint8_t **ret_addr);
/* 127.0.0.0/8 and ::1. */
bool hf_peer_addr_is_loopback(const struct sockaddr *from);
