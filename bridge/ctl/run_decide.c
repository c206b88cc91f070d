/*
 * accept and reject.
 */
#include "bridge/ctl/ctl.h"
#include "bridge/ctl/show.h"

int hf_ctl_decide(struct hf_ctl *c)
{
	bool accept = c->o.command == CTL_ACCEPT;
	int rc = hf_ask(c->socket,
	    json_pack("{s:s, s:s?, s:s?, s:s?}", "command", accept ? "accept" : "reject", "source",
		c->o.source, "owner", c->o.owner, "what", c->o.what),
	    hf_ctl_keep, c, c->why);
	long long settled = json_integer_value(json_object_get(c->kept, "settled"));

	if (rc)
		return hf_ctl_failed(c, rc);
	if (c->o.json)
		hf_ctl_print_json(c->kept);
	else if (settled)
		printf("%s of source '%s': %lld\n", accept ? "accepted" : "rejected",
		    hf_row_text(c->kept, "source", ""), settled);
	else
		puts("nothing waits for a decision");
	return settled ? HF_EXIT_WELL : HF_EXIT_DEGRADED;
}
