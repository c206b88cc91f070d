/* SPDX-License-Identifier: Apache-2.0 */
#include "zone/pulse.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "zone/pulse_slot.h"

enum { CHUNK_SLOTS = 512, GROW_SLOTS = 256 };

struct hf_pulse {
	uint8_t boot_id[16]; /* of this boot; zeros match nothing */
	uint32_t n_slots;
	uint32_t n_room;
	uint8_t *bytes;               /* owned; n_room slots as last seen */
	struct hf_pulse_stamp *stamp; /* owned; n_room of them */
};

int hf_pulse_new(struct hf_pulse **ret_pulse)
{
	struct hf_pulse *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	hf_boot_id(p->boot_id); /* without one every slot reads as stale */
	*ret_pulse = p;
	return 0;
}

void hf_pulse_free(struct hf_pulse *p)
{
	if (!p)
		return;
	free(p->bytes);
	free(p->stamp);
	free(p);
}

static int pulse_make_room(struct hf_pulse *p, uint32_t n_slots)
{
	uint32_t n = (n_slots + GROW_SLOTS - 1) / GROW_SLOTS * GROW_SLOTS;
	struct hf_pulse_stamp *stamp;
	uint8_t *bytes;

	if (n_slots <= p->n_room)
		return 0;
	bytes = realloc(p->bytes, (size_t)n * HF_PULSE_SLOT_LEN);
	if (!bytes)
		return -ENOMEM;
	p->bytes = bytes;
	stamp = realloc(p->stamp, n * sizeof(*stamp));
	if (!stamp)
		return -ENOMEM;
	p->stamp = stamp;
	memset(bytes + (size_t)p->n_room * HF_PULSE_SLOT_LEN, 0,
	    (size_t)(n - p->n_room) * HF_PULSE_SLOT_LEN);
	memset(stamp + p->n_room, 0, (n - p->n_room) * sizeof(*stamp));
	p->n_room = n;
	return 0;
}

static void take_slot(struct hf_pulse *p, uint32_t i, const uint8_t *now)
{
	static const uint8_t no_boot[16];
	uint8_t *before = p->bytes + (size_t)i * HF_PULSE_SLOT_LEN;
	struct hf_pulse_slot slot;
	int rc;

	if (!memcmp(before, now, HF_PULSE_SLOT_LEN))
		return;
	rc = hf_pulse_slot_get(now, i, &slot);
	if (rc < 0)
		return; /* torn: the next load sees it whole */
	memcpy(before, now, HF_PULSE_SLOT_LEN);
	p->stamp[i] = (struct hf_pulse_stamp){ 0 };
	if (!rc || !memcmp(slot.boot_id, no_boot, sizeof(no_boot)) ||
	    memcmp(slot.boot_id, p->boot_id, sizeof(no_boot)))
		return;
	p->stamp[i].known = true;
	p->stamp[i].live = slot.live;
	p->stamp[i].boot_ms = slot.boot_ms;
	p->stamp[i].wall_ms = slot.wall_ms;
}

/* All of it or as much as there is. */
static ssize_t pulse_read_at(int fd, uint8_t *bytes, size_t len, int64_t offset)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = pread(fd, bytes + done, len - done, offset + (int64_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

static int load_slots(struct hf_pulse *p, int fd, uint32_t n_slots)
{
	uint8_t chunk[CHUNK_SLOTS * HF_PULSE_SLOT_LEN];

	for (uint32_t i = 0; i < n_slots;) {
		ssize_t n = pulse_read_at(fd, chunk, sizeof(chunk), hf_pulse_offset(i));
		uint32_t n_whole;

		if (n < 0)
			return (int)n;
		n_whole = (uint32_t)n / HF_PULSE_SLOT_LEN;
		if (!n_whole)
			break;
		for (uint32_t k = 0; k < n_whole && i < n_slots; k++, i++)
			take_slot(p, i, chunk + (size_t)k * HF_PULSE_SLOT_LEN);
		if (p->n_slots < i)
			p->n_slots = i;
	}
	return 0;
}

static int load_fd(struct hf_pulse *p, int fd)
{
	uint8_t head[HF_PULSE_HEAD_LEN];
	struct stat st;
	int64_t n_slots;
	int rc;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return HF_EUNSAFE;
	if (pulse_read_at(fd, head, sizeof(head), 0) != (ssize_t)sizeof(head) ||
	    memcmp(head, hf_pulse_head, sizeof(head)))
		return HF_EFORMAT;
	n_slots = (st.st_size - HF_PULSE_HEAD_LEN) / HF_PULSE_SLOT_LEN;
	if (n_slots > HF_PULSE_SLOTS_MAX)
		n_slots = HF_PULSE_SLOTS_MAX;
	rc = pulse_make_room(p, n_slots < 0 ? 0 : (uint32_t)n_slots);
	return rc ? rc : load_slots(p, fd, n_slots < 0 ? 0 : (uint32_t)n_slots);
}

int hf_pulse_load(struct hf_pulse *p, int dirfd)
{
	int fd = openat(dirfd, "pulse", O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	int rc;

	if (fd < 0)
		return -errno;
	rc = load_fd(p, fd);
	close(fd);
	return rc;
}

static struct hf_pulse_stamp get_slot(const struct hf_pulse *p, uint32_t i)
{
	return i < p->n_slots ? p->stamp[i] : (struct hf_pulse_stamp){ 0 };
}

struct hf_pulse_stamp hf_pulse_get_source(const struct hf_pulse *p, uint16_t i)
{
	return i < HF_ZONE_SOURCES_MAX ? get_slot(p, i) : (struct hf_pulse_stamp){ 0 };
}

struct hf_pulse_stamp hf_pulse_get_owner(const struct hf_pulse *p, uint16_t i)
{
	return get_slot(p, (uint32_t)HF_ZONE_SOURCES_MAX + i);
}
