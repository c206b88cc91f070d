/* SPDX-License-Identifier: Apache-2.0 */
/* The answers that a resolver, or who stands for it, gives to our questions. */
#include <stdbool.h>

#include "adapters/dns_client_packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const uint16_t types[] = { 28, 16, 12, 5, 6 };
	struct hf_asked asked;
	struct hf_name name;
	bool cut;

	/* The question is the packet's own, so that what follows it is read. */
	if (len < 13 || hf_name_from_wire(bytes + 12, len - 12, &name) < 0)
		return 0;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (hf_dns_client_packet_answer(bytes, len, &name, types[i], &asked, &cut) == 0 &&
		    (asked.n_addrs > HF_DNS_CLIENT_ADDRS_MAX ||
			asked.text_len > HF_DNS_CLIENT_TEXT_MAX))
			__builtin_trap();
	}
	return 0;
}
