/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * landlock: which files this process and its future threads may still open, by the kernel's
 * Landlock (landlock(7)). It holds whatever the user's rights are, and cannot be taken back.
 */
#include <stddef.h>

/*
 * From here on only what is in or below the `n` folders can be opened, for reading. Nothing can be
 * written, made, removed or run, no TCP connection begun, no socket bound to a TCP port; signals
 * and abstract sockets reach this process alone, and sockets that are connected stay so. A folder
 * that is not there (or NULL) is left out. Needs no_new_privs.
 *
 * Returns 0; -ENOSYS or -EOPNOTSUPP where the kernel has no Landlock; or another code. On failure
 * nothing has changed.
 */
int hf_landlock_enter(const char *const *folders, size_t n);
