/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/stream/client/owner_stream.h"

int hf_owner_stream_open(struct hf_owner_stream *f, const struct hf_call_ops *ops, void *arg)
{
	int rc = ops->call(arg, &f->owner.id, &f->opening);

	if (rc) {
		f->opening = 0;
		return rc;
	}
	f->wanted = false;
	if (f->live)
		ops->pause(arg, f->live, true);
	return 0;
}

enum hf_call_is hf_owner_stream_is(const struct hf_owner_stream *f, uint32_t call)
{
	if (call && call == f->opening)
		return CALL_IS_OPENING;
	return call && call == f->live ? CALL_IS_LIVE : CALL_IS_NONE;
}

void hf_owner_stream_accepted(struct hf_owner_stream *f, const struct hf_call_ops *ops, void *arg)
{
	if (f->live)
		ops->cancel(arg, f->live);
	f->live = f->opening;
	f->opening = 0;
}

/* No new snapshot comes: what runs is read on. */
static void owner_stream_resume(struct hf_owner_stream *f, const struct hf_call_ops *ops, void *arg)
{
	f->opening = 0;
	if (f->live)
		ops->pause(arg, f->live, false);
}

void hf_owner_stream_ended(
    struct hf_owner_stream *f, uint32_t call, const struct hf_call_ops *ops, void *arg)
{
	if (hf_owner_stream_is(f, call) == CALL_IS_OPENING)
		owner_stream_resume(f, ops, arg);
	else if (hf_owner_stream_is(f, call) == CALL_IS_LIVE)
		f->live = 0;
}

void hf_owner_stream_give_up(struct hf_owner_stream *f, const struct hf_call_ops *ops, void *arg)
{
	if (!f->opening)
		return;
	ops->cancel(arg, f->opening);
	owner_stream_resume(f, ops, arg);
}

void hf_owner_stream_stop(struct hf_owner_stream *f, const struct hf_call_ops *ops, void *arg)
{
	if (f->opening)
		ops->cancel(arg, f->opening);
	if (f->live)
		ops->cancel(arg, f->live);
	f->opening = f->live = 0;
}
