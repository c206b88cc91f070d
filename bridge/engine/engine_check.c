/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Promise 16: status tells what is answered. Model, store and published zone are compared, after
 * each publication and from time to time. A difference is a mistake of ours or damage, is said, and
 * heals itself in steps, of which none loses a name: first the store is published again, then the
 * model is written into the store again, then the model is what the store has, and the sources
 * bring what is newer.
 */
#include "bridge/engine/engine_private.h"

#include <errno.h>

#include "base/clock.h"
#include "base/error.h"

enum {
	EVERY_MS = 15000,
	AGAIN_MS = 600 * 1000, /* after all steps were in vain */
};

static bool is_quiet(const struct hf_engine *c)
{
	return !c->applying && !c->unpublished && !hf_engine_ails(c) && !hf_state_dirty(c->state);
}

/* The next step against it. Returns what is done, for people. */
static const char *engine_heal(struct hf_engine *c)
{
	enum hf_engine_heal step = c->healing;
	int rc;

	if (step == HF_HEAL_LOAD) {
		c->healing = HF_HEAL_NONE;
		c->check_at = hf_boot_ms(c->clock) + AGAIN_MS;
		return "publishing, writing and loading again did not help; tried again in 10 minutes";
	}
	hf_publish_again(c->publish);
	c->unpublished = true;
	switch (step) {
	case HF_HEAL_NONE:
		c->healing = HF_HEAL_PUBLISH;
		return "all names are published again";
	case HF_HEAL_PUBLISH:
		c->healing = HF_HEAL_WRITE;
		return hf_state_rewrite(c->state) ? "memory is out; it is tried again"
						  : "the model is written again, and published";
	case HF_HEAL_WRITE:
		c->healing = HF_HEAL_LOAD;
		rc = hf_engine_renew_state(c);
		return rc ? "the store cannot be read; it is tried again"
			  : "the model is loaded from the store, and all servers are asked again";
	case HF_HEAL_LOAD:
		break;
	}
	return "";
}

static void engine_differs(struct hf_engine *c, int rc, const struct hf_publish_found *found)
{
	unsigned long long names = hf_state_n_names(c->state), in_zone = found->stamp.n_names;
	const char *step = engine_heal(c);

	if (rc < 0)
		hf_fault_set(&c->differs, c->clock, HF_LOG_ERROR,
		    "zone: readers find nothing whole there (%s): %s", hf_strerror(rc), step);
	else if (in_zone != names)
		hf_fault_set(&c->differs, c->clock, HF_LOG_ERROR,
		    "zone: readers find %llu names and the model has %llu: %s", in_zone, names,
		    step);
	else if (found->stamp.generation && !found->own)
		hf_fault_set(&c->differs, c->clock, HF_LOG_ERROR,
		    "zone: readers find files that the bridge did not write: %s", step);
	else if (found->sum != hf_state_sum(c->state))
		hf_fault_set(&c->differs, c->clock, HF_LOG_ERROR,
		    "zone: readers find as many names as the model has (%llu), and they tell something else: %s",
		    names, step);
	else
		hf_fault_set(&c->differs, c->clock, HF_LOG_ERROR,
		    "zone: readers find generation %llu and the store has %llu: %s",
		    (unsigned long long)found->stamp.generation,
		    (unsigned long long)hf_store_generation(c->store), step);
}

/* Before anybody is alarmed the model's own sum is counted again, name by name. */
static int engine_check_zone(struct hf_engine *c, struct hf_publish_found *ret_found)
{
	int rc = hf_publish_check(
	    c->publish, c->store, hf_state_n_names(c->state), hf_state_sum(c->state), ret_found);

	if (rc != 0 || !hf_state_sum_again(c->state))
		return rc;
	hf_log_warn("state: the sum of its names was wrong; it was counted again");
	return hf_publish_check(
	    c->publish, c->store, hf_state_n_names(c->state), hf_state_sum(c->state), ret_found);
}

int64_t hf_engine_check(struct hf_engine *c)
{
	int64_t wait = c->check_at - hf_boot_ms(c->clock);
	struct hf_publish_found found;
	int rc;

	if (!is_quiet(c))
		return -1;
	if (wait > 0)
		return wait;
	c->check_at = hf_boot_ms(c->clock) + EVERY_MS;
	rc = engine_check_zone(c, &found);
	if (rc == -EAGAIN) {
		/* The zone's own work ends with another call. */
		c->check_at = 0;
		return -1;
	}
	if (rc == 1) {
		hf_fault_clear(&c->differs, c->clock, "zone: what readers find is");
		c->healing = HF_HEAL_NONE;
		return EVERY_MS;
	}
	engine_differs(c, rc, &found);
	return 0;
}

bool hf_engine_trouble(const struct hf_engine *c, struct hf_engine_trouble *ret_trouble)
{
	const struct hf_fault *pulse = hf_publish_pulse_fault(c->publish), *f = pulse;

	/* The last one is what the others bring with them. */
	if (c->zone_fault.text[0])
		f = &c->zone_fault;
	else if (c->differs.text[0])
		f = &c->differs;
	if (!f->text[0])
		return false;
	ret_trouble->code = f == pulse         ? "zone-pulse"
			    : f == &c->differs ? "zone-differs"
					       : "zone-not-written";
	ret_trouble->text = f->text;
	ret_trouble->since_s = f->since_wall_ms / 1000;
	return true;
}
