/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * notify: tells the service manager how we are (sd_notify(3), by its documented protocol: one
 * datagram to the socket that NOTIFY_SOCKET names). Without a service manager it does nothing.
 */

/*
 * `state` is such as "READY=1" or "STATUS=...", several lines if need be. 1 if it was sent, 0 if
 * nobody listens, or -errno.
 */
int hf_notify(const char *state);

/*
 * For a program that will not be allowed to open a socket: opens it now and keeps it until the
 * process ends, also over a change of the user. 1 if it did, 0 if nobody listens, or -errno;
 * without it each hf_notify() opens one. Not thread safe.
 */
int hf_notify_keep(void);
/* "RELOADING=1" with the clock stamp that systemd wants; say "READY=1" afterwards. */
int hf_notify_reloading(void);
