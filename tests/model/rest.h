/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * rest: REST's answers, from the words of a line; the messages of a stream are
 * tests/scenario/message.h's.
 */
#include "bridge/stream/wire/server_info.h"
#include "tests/scenario/words.h"

/*
 * The caller frees it with hf_server_info_free(). NULL: a word has another form, or there is no
 * memory.
 */
struct hf_server_info *rest_told(const struct words *a);
