/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/store/store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "bridge/store/store_private.h"
#include "bridge/store/background.h"

int hf_store_set_ready(struct hf_store *s)
{
	struct hf_meta meta;
	int rc;

	if (s->meta.ready)
		return 0;
	rc = hf_txn_begin(s);
	if (rc)
		return rc;
	meta = s->meta;
	meta.ready = true;
	return hf_txn_end(s, 0, &meta);
}

int hf_store_load(struct hf_store *s, struct hf_image **ret_image)
{
	uint64_t orphans;

	if (s->image) {
		*ret_image = s->image;
		s->image = NULL;
		return 0;
	}
	if (!s->r)
		return -EIO;
	return hf_store_read_done(s, s->r, hf_image_load(s->r, &s->meta, ret_image, &orphans));
}

bool hf_store_attempt_spent(const struct hf_store *s)
{
	return s->attempt.state != HF_RECOVERY_NOTE_NONE;
}

int hf_store_attempt_rearm(struct hf_store *s)
{
	int rc = s->attempt.state == HF_RECOVERY_NOTE_NONE ? 0 : hf_recovery_note_remove(&s->files);

	if (rc)
		return rc;
	s->attempt = (struct hf_recovery_note){ 0 };
	if (s->state == HF_STORE_FAILED)
		hf_store_enter(s, HF_STORE_RECOVERING, "allowed again by the operator");
	return 0;
}

int hf_store_zone_taken(struct hf_store *s)
{
	int rc;

	if (!s->attempt.zone_due)
		return 0;
	s->attempt.zone_due = false;
	rc = hf_recovery_note_write(&s->files, &s->attempt);
	s->attempt.zone_due = rc != 0;
	return rc;
}

int hf_store_recover(
    struct hf_store *s, const struct hf_image *image, struct hf_store_opened *ret_opened)
{
	char why[512];
	int rc;

	*ret_opened = (struct hf_store_opened){ 0 };
	if (s->state == HF_STORE_FAILED)
		return HF_EDAMAGED;
	hf_store_abort(s);
	if (!hf_background_halt(s->work))
		return -EAGAIN;
	if (s->state != HF_STORE_RECOVERING)
		hf_store_enter(s, HF_STORE_RECOVERING, "asked for");
	rc = hf_recovery_from_memory(s, image, ret_opened);
	if (!rc) {
		s->pending = HF_PENDING_NONE;
		hf_image_free(s->image);
		s->image = NULL;
		hf_store_enter(s, HF_STORE_OK, "");
	} else if (rc == HF_EDAMAGED) {
		snprintf(why, sizeof(why),
		    "damaged again (%.200s) after its one recovery; nothing is written. 'holdfastctl resync --recover' allows another",
		    s->reason);
		hf_store_enter(s, HF_STORE_FAILED, why);
	}
	return rc;
}

int hf_store_copy_begin(struct hf_store *s)
{
	if (!s->w)
		return s->state == HF_STORE_FAILED ? HF_EDAMAGED : -EROFS;
	return hf_background_copy(s->work);
}

void hf_store_free(struct hf_store *s)
{
	if (!s)
		return;
	hf_store_abort(s);
	hf_store_dispose(s);
}
