/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the engine does when what it stands on has failed: a store that was found damaged while it
 * is in use is made anew out of memory, once; a state that memory ran out of in the middle of a
 * change is made anew out of the store.
 */
#include "bridge/engine/engine_private.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/error.h"
#include "config/config.h"

enum {
	AGAIN_MS = 1000,     /* after a disk or a memory that would not */
	THREAD_BUSY_MS = 20, /* the store's own thread ends what it is at */
};

/* --- the store, out of memory --- */

static int engine_recover_store(struct hf_engine *c, struct hf_store_opened *ret_opened)
{
	struct hf_image *image = calloc(1, sizeof(*image));
	int rc;

	if (!image)
		return -ENOMEM;
	/* What was being applied is lost with the store, and stays dirty. */
	if (c->applying)
		hf_engine_applied(c, false);
	rc = hf_state_image(c->state, hf_engine_now(c), image);
	if (!rc) {
		hf_publish_let_go(c->publish);
		rc = hf_store_recover(c->store, image, ret_opened);
	}
	hf_image_free(image);
	return rc;
}

static void engine_log_recovered(struct hf_engine *c, const struct hf_store_opened *o)
{
	if (o->aside[0])
		hf_log_error(
		    "store: '%s' was damaged (%s); it lies at '%s' now and was made anew out of memory: no record is lost, its history is. This was the one recovery; an hour in good health allows another",
		    c->config->store, o->reason, o->aside);
	else
		hf_log_error(
		    "store: '%s' was taken away while it was in use; it was made anew out of memory",
		    c->config->store);
	hf_fault_clear(&c->store_fault, c->clock, "store:");
	hf_state_committed(c->state);
	/* One that could only be opened in memory was never told. */
	if (hf_state_n_names(c->state))
		hf_store_set_ready(c->store);
	hf_engine_meta(c, &c->meta);
	c->unpublished = true;
	/*
	 * The copy is of the store before, and another one is made now; so does the hour of good
	 * health begin.
	 */
	c->copy_at = hf_boot_ms(c->clock);
	c->tick_at = 0;
	c->fresh_since = 0;
	c->commit_not_before = 0;
}

static int mend_store(struct hf_engine *c)
{
	struct hf_store_opened opened = { 0 };
	const char *why = "";
	int rc = engine_recover_store(c, &opened);

	if (!rc) {
		engine_log_recovered(c, &opened);
		return 1;
	}
	c->mend_at = hf_boot_ms(c->clock) + (rc == -EAGAIN ? THREAD_BUSY_MS : AGAIN_MS);
	if (rc == HF_EDAMAGED) {
		hf_store_get_state(c->store, &why, NULL);
		hf_log_error(
		    "store: '%s': %s. The records stay as they are", c->config->store, why);
	} else if (rc != -EAGAIN) {
		hf_fault_set(&c->store_fault, c->clock, HF_LOG_ERROR,
		    "store: '%s' is damaged and cannot be made anew (%s); it is tried again each second",
		    c->config->store, hf_strerror(rc));
	}
	return rc;
}

/* --- the state, out of the store --- */

int hf_engine_load_state(struct hf_engine *c, struct hf_state **ret_state)
{
	struct hf_state_source_conf sources[HF_ZONE_SOURCES_MAX];
	struct hf_engine_names before = { 0 };
	struct hf_image *image = NULL;
	struct hf_state *state = NULL;
	struct hf_state_conf conf;
	int rc = hf_store_load(c->store, &image);

	if (!rc) {
		hf_engine_conf(c->config, sources, &conf);
		for (size_t i = 0; i < image->n_sources; i++)
			if (image->sources[i].rid < HF_ZONE_SOURCES_MAX)
				snprintf(before.at[image->sources[i].rid], sizeof(before.at[0]),
				    "%s", image->sources[i].name);
		rc = hf_state_new(&conf, image, hf_engine_now(c), &state);
	}
	if (!rc)
		hf_engine_renamed(c, &before, state);
	hf_image_free(image);
	if (!rc)
		rc = hf_engine_take_zone(c, state);
	if (rc < 0) {
		hf_state_free(state);
		return rc;
	}
	*ret_state = state;
	return 0;
}

int hf_engine_renew_state(struct hf_engine *c)
{
	struct hf_state *state = NULL;
	int rc;

	/* The changeset that is being applied is the old state's. */
	hf_store_abort(c->store);
	if (c->applying)
		hf_engine_applied(c, false);
	rc = hf_engine_load_state(c, &state);
	if (rc)
		return rc;
	hf_state_free(c->state);
	c->state = state;
	c->lives++;
	c->unpublished = true;
	c->tick_at = 0;
	hf_engine_pulse_down(c);
	return 0;
}

static int mend_state(struct hf_engine *c)
{
	int rc = hf_engine_renew_state(c);

	if (rc) {
		c->mend_at = hf_boot_ms(c->clock) + AGAIN_MS;
		hf_fault_set(&c->state_fault, c->clock, HF_LOG_ERROR,
		    "state: memory ran out, and the store cannot be read (%s); what is published stays, and it is tried again each second",
		    hf_strerror(rc));
		return rc;
	}
	hf_log_error(
	    "state: memory ran out in the middle of a change; it is as the store has it again, and the sources are asked anew");
	hf_fault_clear(&c->state_fault, c->clock, "state:");
	return 1;
}

bool hf_engine_ails(const struct hf_engine *c)
{
	return hf_state_spent(c->state) ||
	       hf_store_get_state(c->store, NULL, NULL) == HF_STORE_RECOVERING;
}

int hf_engine_recover(struct hf_engine *c)
{
	if (!hf_engine_ails(c))
		hf_engine_zone_taken(c);
	if (!hf_engine_ails(c))
		return 0;
	if (hf_boot_ms(c->clock) < c->mend_at)
		return -EAGAIN;
	return hf_state_spent(c->state) ? mend_state(c) : mend_store(c);
}

int hf_engine_rearm(struct hf_engine *c)
{
	int rc = hf_store_attempt_rearm(c->store);

	if (rc)
		return rc;
	c->mend_at = 0;
	return hf_store_get_state(c->store, NULL, NULL) == HF_STORE_RECOVERING;
}
