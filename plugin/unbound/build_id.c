/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/unbound/build_id.h"

#include <link.h>
#include <string.h>

#include "base/hex.h"

enum { NOTE_HEADER = 12, ID_MAX = (HF_BUILD_ID_TEXT_MAX - 1) / 2 };

static const char gnu[4] = "GNU";

/* Name and content of a note are padded to four bytes. */
static size_t note_padded(uint32_t n)
{
	return ((size_t)n + 3) & ~(size_t)3;
}

bool hf_build_id_in_notes(const uint8_t *notes, size_t len, char out[static HF_BUILD_ID_TEXT_MAX])
{
	size_t at = 0;

	out[0] = '\0';
	while (len - at >= NOTE_HEADER) {
		uint32_t head[3]; /* length of the name, of the content, type */
		size_t content;

		memcpy(head, notes + at, sizeof(head));
		content = at + NOTE_HEADER + note_padded(head[0]);
		if (content > len || head[1] > len - content)
			return false;
		if (head[2] == NT_GNU_BUILD_ID && head[0] == sizeof(gnu) &&
		    !memcmp(notes + at + NOTE_HEADER, gnu, sizeof(gnu))) {
			if (!head[1] || head[1] > ID_MAX)
				return false;
			hf_hex_put(notes + content, head[1], out);
			return true;
		}
		at = content + note_padded(head[1]);
		if (at > len)
			return false;
	}
	return false;
}

/* Called for each loaded object; the first is the program. */
static int look_into(struct dl_phdr_info *info, size_t size, void *arg)
{
	char *out = arg;

	(void)size;
	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];

		if (p->p_type == PT_NOTE &&
		    hf_build_id_in_notes(
			(const uint8_t *)(info->dlpi_addr + p->p_vaddr), p->p_memsz, out))
			break;
	}
	return 1;
}

char *hf_build_id_program(char out[static HF_BUILD_ID_TEXT_MAX])
{
	out[0] = '\0';
	dl_iterate_phdr(look_into, out);
	return out;
}
