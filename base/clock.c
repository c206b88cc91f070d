/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#include "base/hex.h"

static int64_t read_ms(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int64_t system_boot_ms(const struct hf_clock *c)
{
	return read_ms(CLOCK_BOOTTIME);
}

static int64_t system_wall_ms(const struct hf_clock *c)
{
	return read_ms(CLOCK_REALTIME);
}

const struct hf_clock hf_clock_system = { system_boot_ms, system_wall_ms };

static int64_t fake_boot_ms(const struct hf_clock *c)
{
	return ((const struct hf_fake_clock *)c)->boot;
}

static int64_t fake_wall_ms(const struct hf_clock *c)
{
	return ((const struct hf_fake_clock *)c)->wall;
}

void hf_fake_clock_init(struct hf_fake_clock *f, int64_t boot_ms, int64_t wall_ms)
{
	f->clock.boot_ms = fake_boot_ms;
	f->clock.wall_ms = fake_wall_ms;
	f->boot = boot_ms;
	f->wall = wall_ms;
}

void hf_fake_clock_add(struct hf_fake_clock *f, int64_t ms)
{
	f->boot += ms;
	f->wall += ms;
}

static pthread_once_t boot_id_once = PTHREAD_ONCE_INIT;
static uint8_t boot_id[16];
static int boot_id_error;

static void read_boot_id(void)
{
	char text[64];
	uint8_t id[16];
	size_t n = 0;
	ssize_t len;
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);

	if (fd < 0) {
		boot_id_error = -errno;
		return;
	}
	len = read(fd, text, sizeof(text) - 1);
	boot_id_error = len < 0 ? -errno : -EIO;
	close(fd);
	for (ssize_t i = 0; i + 1 < len && n < sizeof(id); i++) {
		if (hf_hex_value(text[i]) < 0 || hf_hex_value(text[i + 1]) < 0)
			continue;
		id[n++] = (uint8_t)(hf_hex_value(text[i]) << 4 | hf_hex_value(text[i + 1]));
		i++;
	}
	if (n < sizeof(id))
		return;
	memcpy(boot_id, id, sizeof(id));
	boot_id_error = 0;
}

int hf_boot_id(uint8_t ret_id[16])
{
	pthread_once(&boot_id_once, read_boot_id);
	memcpy(ret_id, boot_id, sizeof(boot_id));
	return boot_id_error;
}

bool hf_wall_synced_by(int adjtime_state, const char *mark)
{
	if (adjtime_state >= 0)
		return adjtime_state != TIME_ERROR;
	return access(mark, F_OK) == 0;
}

bool hf_wall_synced(void)
{
	struct timex t = { .modes = 0 };

	return hf_wall_synced_by(ntp_adjtime(&t), "/run/systemd/timesync/synchronized");
}

char *hf_wall_text(int64_t wall_s, char out[static HF_WALL_TEXT_MAX])
{
	time_t at = (time_t)wall_s;
	struct tm tm;

	if (wall_s <= 0 || !gmtime_r(&at, &tm) ||
	    !strftime(out, HF_WALL_TEXT_MAX, "%Y-%m-%dT%H:%M:%SZ", &tm))
		return NULL;
	return out;
}
