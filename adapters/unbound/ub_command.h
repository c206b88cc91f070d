/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * ub_command: the text of commands to unbound. What goes into them is checked here, once more: no
 * name of ours has a byte that could end a line, a word or a command. Lines are as short as they
 * can be, since unbound pays for each byte.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adapters/unbound/ub_ability.h"
#include "adapters/unbound/ub_control.h"
#include "zone/name.h"

struct hf_ub_command {
	size_t len;
	size_t n; /* lines, without those before them that make their zones */
	size_t n_zones;
	bool lines;
	char bytes[HF_UB_CONTROL_COMMAND_MAX];
};

/* Labels as hf_label_ok() has them, all of it well formed. */
bool hf_ub_command_name_ok(const struct hf_name *name);

/* Commands that take lines: local_datas, local_datas_remove. */
void hf_ub_command_begin(struct hf_ub_command *c, const char *verb);
/* False, and nothing added: there is no room, or the name cannot be said. */
bool hf_ub_command_aaaa(struct hf_ub_command *c, const struct hf_name *name, uint32_t ttl_s,
    const uint8_t addr[static 16]);
bool hf_ub_command_ptr(struct hf_ub_command *c, const uint8_t addr[static 16], uint32_t ttl_s,
    const struct hf_name *target);
/*
 * The zone's SOA. unbound makes a zone of the first name that is in none, so a command whose names
 * come after it makes no other zone, whatever became of ours since it was made: nothing comes
 * between the lines of one command.
 */
bool hf_ub_command_soa(struct hf_ub_command *c, const struct hf_name *zone, uint32_t ttl_s);
/* `text` is ours: letters and digits. */
bool hf_ub_command_txt(
    struct hf_ub_command *c, const struct hf_name *name, uint32_t ttl_s, const char *text);
/* The name with all that it has. */
bool hf_ub_command_remove(struct hf_ub_command *c, const struct hf_name *name);
/* That record alone: for an unbound that can (ub_ability.h). */
bool hf_ub_command_remove_aaaa(
    struct hf_ub_command *c, const struct hf_name *name, const uint8_t addr[static 16]);
void hf_ub_command_end(struct hf_ub_command *c);

/* Commands of one line, whole. `type` is ours: letters and digits. */
void hf_ub_command_status(struct hf_ub_command *c);
void hf_ub_command_ability(struct hf_ub_command *c, const struct hf_ub_ability *ability);
/* The value of an option; its name is ours. */
void hf_ub_command_option(struct hf_ub_command *c, const char *option);
void hf_ub_command_zone(struct hf_ub_command *c, const struct hf_name *zone, const char *type);
void hf_ub_command_zone_remove(struct hf_ub_command *c, const struct hf_name *zone);
void hf_ub_command_auth_reload(struct hf_ub_command *c, const struct hf_name *zone);
void hf_ub_command_remove_one(struct hf_ub_command *c, const struct hf_name *name);

/* The SOA's data, as a zone file has it: who, whom to ask, and the numbers. */
#define HF_UB_SOA_SERVER "holdfast.invalid."
#define HF_UB_SOA HF_UB_SOA_SERVER " nobody.invalid. 1 60 60 2419200"

/* --- replies --- */

/* 0 if it is "ok"; else HF_EREFUSED, and its first line in ret_text. */
int hf_ub_command_is_ok(const char *reply, char *ret_text, size_t size);
/*
 * The number of lines that were taken ("added 3 datas"), or HF_EFORMAT; the first complaint, if
 * there is one, in ret_text.
 */
long hf_ub_command_n_taken(const char *reply, char *ret_text, size_t size);
/* 1.17.1 is 1017001; 0: it does not say. */
unsigned hf_ub_command_version(const char *reply);
