/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* ctl_options: the command line of holdfastctl. */
#include <stdbool.h>
#include <stdio.h>

enum hf_ctl_command {
	CTL_STATUS,
	CTL_RECORDS,
	CTL_SOURCES,
	CTL_WATCH,
	CTL_HISTORY,
	CTL_WHY,
	CTL_ADAPTERS,
	CTL_VERIFY,
	CTL_RESYNC,
	CTL_ACCEPT,
	CTL_REJECT,
	CTL_EXPORT,
	CTL_DOCTOR,
	CTL_SETUP,
	CTL_VERSION,
	CTL_HELP,
};

enum hf_export_form { EXPORT_HOSTS, EXPORT_JSON, EXPORT_ZONE };

/* All texts are borrowed from argv; NULL where not given. */
struct hf_ctl_options {
	enum hf_ctl_command command;
	const char *config;
	const char *socket;
	bool json;
	bool stale;          /* records */
	bool recover;        /* resync */
	bool full;           /* verify */
	bool yes;            /* accept, reject: do not ask */
	bool dry_run;        /* accept, reject: only show */
	const char *adapter; /* resync, verify */
	const char *name;    /* records: a pattern; history, why: a name */
	const char *source;  /* accept, reject */
	const char *owner;
	const char *what; /* "deployment", "suffix"; NULL: removals */
	enum hf_export_form form;
	const char *suffix;   /* export zone */
	const char *resolver; /* setup; NULL: which are there? */
	const char *for_version;
	const char *resolv_conf; /* status, why, doctor */
	const char *unbound_conf;
	const char *topic; /* help: of this command; NULL: all */
};

/* 0, or -EINVAL after reporting on `err` what is wrong. */
int hf_ctl_options_parse(int argc, char **argv, struct hf_ctl_options *ret_options, FILE *err);
/* Of all commands, or of the one called `topic`. False: no command has this name. */
bool hf_ctl_usage(const char *topic, FILE *out);
