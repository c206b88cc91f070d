/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/state/removal.h"

#include <stdlib.h>

#include "bridge/state/claims.h"
#include "bridge/state/dispute_list.h"
#include "bridge/state/disputes.h"
#include "bridge/state/edit.h"
#include "bridge/state/holds.h"
#include "bridge/state/owner_words.h"
#include "bridge/state/rights_text.h"

void hf_st_owner_remove(struct hf_state *s, uint32_t ix)
{
	struct st_owner *o = &s->owners[ix];

	while (o->first_ws != ST_NONE)
		if (!hf_st_dispute_dropped(s, o->first_ws))
			hf_st_ws_remove(s, o->first_ws);
	hf_st_holds_of_owner_end(s, ix);
	hf_st_disputes_of_owner_end(s, ix);
	hf_st_text_drop(s, o->row.rights);
	o->row.rights = 0;
	free(o->refused);
	o->refused = NULL;
	hf_st_owner_drop(s, ix);
}

void hf_st_source_remove(struct hf_state *s, struct st_source *src)
{
	uint32_t ix = hf_st_source_ix(s, src);

	hf_st_sentinel_unclaim(s, ix);
	for (uint32_t o = 0; o < s->n_owners; o++)
		if (hf_st_owner_is_of(s, o, ix))
			hf_st_owner_remove(s, o);
	for (uint32_t r = 0; r < s->n_restored; r++)
		if (s->restored[r].used && s->restored[r].row.source == ix)
			hf_st_restored_remove(s, r);
	for (uint32_t h = 0; h < s->n_holds; h++)
		if (s->holds[h].used && s->holds[h].row.source == ix)
			hf_st_hold_close(s, h);
	if (src->stored)
		hf_st_gone(s, HF_ROW_SOURCE, ix);
	hf_st_words_done(src);
	hf_st_rights_done(src);
	src->used = false;
}
