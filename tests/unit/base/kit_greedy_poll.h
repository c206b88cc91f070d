/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * kit_greedy_poll: the race that poll() loses. While it is on, poll() fills the pipe like another
 * writer who is quicker, and says that there is room.
 */

/* `pipe_fd`: the end to write to; -1 ends it. Meanwhile every poll() of the program is greedy. */
void greedy_poll(int pipe_fd);
