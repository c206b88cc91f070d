/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * sim_script_line: a line of a script that is run, what its words say, and the form of a table of
 * commands. sim_script.c has those about the server, sim_script_world.c those about what it tells
 * of.
 */
#include <stddef.h>
#include <stdint.h>

#include "examples/simulator/sim_script.h"
#include "examples/simulator/sim_server.h"

struct sim_line {
	struct sim_server *server;
	char **words; /* without the command */
	size_t n_words;
	char *reply;
	uint32_t *wait_ms;
};

struct sim_command {
	const char *name; /* NULL ends a table */
	size_t min;       /* words that must follow */
	int (*run)(const struct sim_line *l);
	const char *help; /* the words that follow, and what it does */
	const char *does;
};

extern const struct sim_command hf_sim_world_commands[];

/* Puts it into the reply, and returns `rc`. */
int hf_sim_line_say(const struct sim_line *l, int rc, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* NULL where there is none. */
const char *hf_sim_line_word(const struct sim_line *l, size_t i);
/* 0, or -EINVAL and a reply; `otherwise` where there is no such word. */
int hf_sim_line_number(
    const struct sim_line *l, size_t i, uint64_t otherwise, uint64_t *ret_number);
/* A time such as "500ms"; "off" is 0. 0, or -EINVAL and a reply. */
int hf_sim_line_duration(const struct sim_line *l, size_t i, uint32_t *ret_ms);
/* NULL and a reply where there is none of that name. */
struct sim_user *hf_sim_line_named(const struct sim_line *l, size_t i);
