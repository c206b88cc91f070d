#include "bridge/stream/wake.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

enum { SLEPT_MS = 1000, SETTLE_MS = 300, FAR_S = 10 * 365 * 86400 };

struct hf_wake {
	int timer_fd; /* a timer far away that the kernel cancels when the wall clock is set */
	int netlink_fd;
	struct event *clock_set; /* owned, as both below */
	struct event *netlink;
	struct event *settled;
	int64_t asleep_ms; /* the time spent asleep since boot, as last seen */
	hf_wake_cb cb;
	void *arg;
};

static int64_t asleep_ms(void)
{
	struct timespec boot, mono;

	clock_gettime(CLOCK_MONOTONIC, &mono);
	clock_gettime(CLOCK_BOOTTIME, &boot);
	return (boot.tv_sec - mono.tv_sec) * 1000 + (boot.tv_nsec - mono.tv_nsec) / 1000000;
}

static void arm(struct hf_wake *w)
{
	/* Far from now, whatever the clock says; after a sleep the kernel sets the clock, which cancels it. */
	const struct itimerspec far = { .it_value = { .tv_sec = time(NULL) + FAR_S } };

	timerfd_settime(w->timer_fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &far, NULL);
}

static void on_clock_set(evutil_socket_t fd, short what, void *arg)
{
	struct hf_wake *w = arg;
	int64_t now, slept;
	uint64_t rings;

	ssize_t n = read(fd, &rings, sizeof(rings));

	if (n < 0 && errno == EAGAIN)
		return;
	if (n >= 0) { /* it rang: nothing was set */
		arm(w);
		return;
	}
	now = asleep_ms();
	slept = now - w->asleep_ms;
	w->asleep_ms = now;
	arm(w);
	w->cb(w->arg, slept >= SLEPT_MS ? WAKE_SLEPT : WAKE_CLOCK);
}

static void on_settled(evutil_socket_t fd, short what, void *arg)
{
	struct hf_wake *w = arg;

	w->cb(w->arg, WAKE_NETWORK);
}

/* What exactly changed does not matter, but for neighbours and the like we did not ask. */
static void on_netlink(evutil_socket_t fd, short what, void *arg)
{
	struct hf_wake *w = arg;
	const struct timeval soon = { .tv_usec = SETTLE_MS * 1000 };
	char buf[8192];

	for (int i = 0; i < 64 && recv(fd, buf, sizeof(buf), MSG_DONTWAIT) != 0; i++)
		if (errno == EAGAIN)
			break;
	if (!event_pending(w->settled, EV_TIMEOUT, NULL))
		event_add(w->settled, &soon);
}

static int open_netlink(struct hf_wake *w)
{
	struct sockaddr_nl at = { .nl_family = AF_NETLINK,
		.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR |
			     RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE };

	w->netlink_fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	if (w->netlink_fd < 0)
		return -errno;
	return bind(w->netlink_fd, (struct sockaddr *)&at, sizeof(at)) < 0 ? -errno : 0;
}

static int begin(struct hf_wake *w, struct event_base *base)
{
	int rc = open_netlink(w);

	if (rc)
		return rc;
	w->timer_fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	if (w->timer_fd < 0)
		return -errno;
	w->asleep_ms = asleep_ms();
	arm(w);
	w->clock_set = event_new(base, w->timer_fd, EV_READ | EV_PERSIST, on_clock_set, w);
	w->netlink = event_new(base, w->netlink_fd, EV_READ | EV_PERSIST, on_netlink, w);
	w->settled = evtimer_new(base, on_settled, w);
	if (!w->clock_set || !w->netlink || !w->settled || event_add(w->clock_set, NULL) ||
	    event_add(w->netlink, NULL))
		return -ENOMEM;
	return 0;
}

int hf_wake_new(struct event_base *base, hf_wake_cb cb, void *arg, struct hf_wake **ret_wake)
{
	struct hf_wake *w = calloc(1, sizeof(*w));
	int rc;

	if (!w)
		return -ENOMEM;
	w->timer_fd = w->netlink_fd = -1;
	w->cb = cb;
	w->arg = arg;
	rc = begin(w, base);
	if (rc)
		hf_wake_free(w);
	else
		*ret_wake = w;
	return rc;
}

void hf_wake_free(struct hf_wake *w)
{
	if (!w)
		return;
	if (w->clock_set)
		event_free(w->clock_set);
	if (w->netlink)
		event_free(w->netlink);
	if (w->settled)
		event_free(w->settled);
	if (w->timer_fd >= 0)
		close(w->timer_fd);
	if (w->netlink_fd >= 0)
		close(w->netlink_fd);
	free(w);
}
