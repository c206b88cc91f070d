/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * daemon: the bridge's life on one event loop: engine, signals, service manager. Returns the exit
 * status: 0 after SIGTERM or SIGINT, 1 where the configuration is refused, 2 where store or zone
 * cannot be used. Nothing that an upstream does ends it.
 */
int hf_daemon_run(const char *config_path);
