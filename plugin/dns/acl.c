/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/dns/acl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "plugin/peer_addr.h"

struct hf_acl {
	_Atomic unsigned refs;
	size_t n;
	struct hf_prefix at[];
};

static struct hf_acl *acl_new(const struct hf_prefixes *allow)
{
	struct hf_acl *acl = calloc(1, sizeof(*acl) + allow->n * sizeof(acl->at[0]));

	if (!acl)
		return NULL;
	atomic_init(&acl->refs, 1);
	acl->n = allow->n;
	if (allow->n)
		memcpy(acl->at, allow->at, allow->n * sizeof(acl->at[0]));
	return acl;
}

static void acl_unref(struct hf_acl *acl)
{
	if (acl && atomic_fetch_sub(&acl->refs, 1) == 1)
		free(acl);
}

int hf_acl_box_init(struct hf_acl_box *box, const struct hf_prefixes *allow)
{
	box->newest = acl_new(allow);
	if (!box->newest)
		return -ENOMEM;
	pthread_mutex_init(&box->lock, NULL);
	atomic_init(&box->version, 1);
	return 0;
}

int hf_acl_box_set(struct hf_acl_box *box, const struct hf_prefixes *allow)
{
	struct hf_acl *old, *acl = acl_new(allow);

	if (!acl)
		return -ENOMEM;
	pthread_mutex_lock(&box->lock);
	old = box->newest;
	box->newest = acl;
	atomic_fetch_add(&box->version, 1);
	pthread_mutex_unlock(&box->lock);
	acl_unref(old);
	return 0;
}

void hf_acl_box_done(struct hf_acl_box *box)
{
	acl_unref(box->newest);
	box->newest = NULL;
	pthread_mutex_destroy(&box->lock);
}

void hf_acl_view_refresh(struct hf_acl_view *view, struct hf_acl_box *box)
{
	struct hf_acl *old = view->acl;

	if (view->version == atomic_load_explicit(&box->version, memory_order_relaxed))
		return;
	pthread_mutex_lock(&box->lock);
	view->acl = box->newest;
	atomic_fetch_add(&view->acl->refs, 1);
	view->version = atomic_load(&box->version);
	pthread_mutex_unlock(&box->lock);
	acl_unref(old);
}

void hf_acl_view_done(struct hf_acl_view *view)
{
	acl_unref(view->acl);
	view->acl = NULL;
	view->version = 0;
}

static bool prefix_holds(const struct hf_prefix *p, const uint8_t *addr)
{
	size_t whole = p->bits / 8;
	uint8_t mask = (uint8_t)(0xff00 >> (p->bits % 8));

	if (memcmp(p->addr, addr, whole))
		return false;
	return !(p->bits % 8) || !((p->addr[whole] ^ addr[whole]) & mask);
}

bool hf_acl_allows(const struct hf_acl_view *view, const struct sockaddr *from)
{
	const uint8_t *addr;
	sa_family_t family = hf_peer_addr(from, &addr);

	if (family == AF_UNSPEC)
		return false;
	for (size_t i = 0; i < view->acl->n; i++)
		if (view->acl->at[i].family == family && prefix_holds(&view->acl->at[i], addr))
			return true;
	return false;
}
