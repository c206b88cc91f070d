/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/peer_addr.h"

#include <string.h>

sa_family_t hf_peer_addr(const struct sockaddr *from, const uint8_t **ret_addr)
{
	const struct in6_addr *in6 = &((const struct sockaddr_in6 *)from)->sin6_addr;

	if (from->sa_family == AF_INET) {
		*ret_addr = (const uint8_t *)&((const struct sockaddr_in *)from)->sin_addr;
		return AF_INET;
	}
	if (from->sa_family != AF_INET6)
		return AF_UNSPEC;
	*ret_addr = in6->s6_addr;
	if (!IN6_IS_ADDR_V4MAPPED(in6))
		return AF_INET6;
	*ret_addr += 12;
	return AF_INET;
}

bool hf_peer_addr_is_loopback(const struct sockaddr *from)
{
	const uint8_t *addr;

	switch (hf_peer_addr(from, &addr)) {
	case AF_INET:
		return addr[0] == 127;
	case AF_INET6:
		return !memcmp(addr, &in6addr_loopback, 16);
	default:
		return false;
	}
}
