#pragma once
/*
 * place: a hosts file that others use too: locked as other tools lock it, and replaced so that
 * nothing of it changes but its content: mode, owner and extended attributes stay. By rename; in
 * place where that cannot be (a bind mount, a folder that may not be written, another name for the
 * same file).
 */
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

struct hf_place; /* opaque; open and locked */

enum { HF_PLACE_MAX = 16 * 1024 * 1024 };

/*
 * Opens (creates, if it is not there) and locks the file, and reads it. Never waits: -EAGAIN where
 * somebody has it locked, or it was replaced meanwhile. ret_why tells what is wrong and what mends
 * it. No symlink is followed.
 */
int hf_place_open(const char *path, struct hf_place **ret_place, char *ret_why, size_t why_size);
/* Unlocks. NULL is fine. */
void hf_place_close(struct hf_place *p);

/* What is in it. Lent until it is closed. */
const char *hf_place_bytes(const struct hf_place *p, size_t *ret_len);

/* Give it this content. Durable when it returns; on failure the old content is there. */
int hf_place_write(
    struct hf_place *p, const char *bytes, size_t len, char *ret_why, size_t why_size);
/* What it looked like when it was read, or after our own write: a later look differs if others did. */
void hf_place_now(const struct hf_place *p, struct stat *ret_st);
/* Whether the last write was in place. */
bool hf_place_in_place(const struct hf_place *p);

/* Only reads it; the caller owns *ret_bytes, end it with free(). A missing file is empty. */
int hf_place_read(
    const char *path, char **ret_bytes, size_t *ret_len, char *ret_why, size_t why_size);

/* What it looks like, to see whether others changed it. Zeros where it is not there. */
void hf_place_look(const char *path, struct stat *ret_st);
bool hf_place_same(const struct stat *a, const struct stat *b);
