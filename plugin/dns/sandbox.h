/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * sandbox: what holdfast-dns can no longer do once it answers, whatever its code is made to do. The
 * sandbox never stops it from answering: where the kernel lacks a part, that part is left out and
 * the log says so; a system call that is forbidden fails, it does not kill.
 */

/*
 * Call once, without rights of root and before the first thread. From here on:
 *
 * - no new privileges;
 * - files are opened for reading only, and only where the zone and the configuration are
 *   (Landlock): in or below the folder of `config`, and the nearest folder above `zone` that
 *   belongs to root or to this user. So a folder that comes in the zone's place later can be read,
 *   also if all of the bridge's own folder is replaced;
 * - only the system calls that answering, reading files and starting threads need (seccomp): no
 *   program, no memory that is code, no socket of any kind, no lock on a file, no signal to another
 *   process.
 *
 * `config` may be NULL. A relative path is as of now.
 */
void hf_sandbox_enter(const char *zone, const char *config);
