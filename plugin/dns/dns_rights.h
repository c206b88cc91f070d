/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * dns_rights: the user, the groups and the capabilities that holdfast-dns has while it answers. It
 * never runs as the bridge's user, who may read the token and give orders to the bridge.
 */
#include <stddef.h>

#define HF_DNS_RIGHTS_USER "holdfast-dns"

/*
 * Call once, with the sockets open and before the first thread.
 *
 * Started as root, the process becomes HF_DNS_RIGHTS_USER with that user's groups and the group of
 * the folder `zone`. If that user does not exist it becomes `nobody` with the group of the folder
 * alone. It stays root, without any capability but the one to read files, if the chosen user cannot
 * read `zone`, if there is no folder yet and only `nobody` to become, or if this system does not
 * let it change its user. Each of these is logged. Not started as root, it gives up its
 * capabilities.
 *
 * Returns 0; or a code, with one line in `why`, if the process would keep rights of root beyond
 * reading.
 */
int hf_dns_rights_drop(const char *zone, char *why, size_t size);
