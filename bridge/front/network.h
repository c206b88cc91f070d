/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * network: which network namespace a process is in. Two with different ones do not reach the same
 * addresses: 127.0.0.1 of the one is not that of the other.
 */

enum { HF_NETWORK_TEXT_MAX = 32 };

/*
 * "net:[4026531840]", which only means something beside another one of this machine; "" if the
 * system does not say.
 */
char *hf_network_text(char out[static HF_NETWORK_TEXT_MAX]);
