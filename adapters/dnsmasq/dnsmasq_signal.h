/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * dnsmasq_signal: SIGHUP to dnsmasq, found by its pid file. A pid file may be old: what is
 * signalled is the process that has the pid and is called dnsmasq, and it cannot become another one
 * in between.
 */
#include <stddef.h>
#include <sys/types.h>

/* The pid, or a code with ret_why: what is wrong and what mends it. Sends nothing. */
pid_t hf_dnsmasq_pid(const char *pid_file, char *ret_why, size_t why_size);

/* 0 or a code, likewise. -ESRCH: it does not run. */
int hf_dnsmasq_hup(const char *pid_file, char *ret_why, size_t why_size);
