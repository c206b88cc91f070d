/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/stream/client/system_events.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

enum { SLEPT_MS = 1000, SETTLE_MS = 300, FAR_S = 10 * 365 * 86400 };

struct hf_system_events {
	int timer_fd; /* a timer far away that the kernel cancels when the wall clock is set */
	int netlink_fd;
	struct event *clock_set; /* owned, as both below */
	struct event *netlink;
	struct event *settled;
	struct hf_interfaces changed;
	int64_t asleep_ms; /* the time spent asleep since boot, as last seen */
	hf_system_events_cb cb;
	void *arg;
};

static int64_t asleep_ms(void)
{
	struct timespec boot, mono;

	clock_gettime(CLOCK_MONOTONIC, &mono);
	clock_gettime(CLOCK_BOOTTIME, &boot);
	return (boot.tv_sec - mono.tv_sec) * 1000 + (boot.tv_nsec - mono.tv_nsec) / 1000000;
}

static void clock_timer_arm(struct hf_system_events *w)
{
	/*
	 * Far from now, whatever the clock says; after a sleep the kernel sets the clock, which
	 * cancels it.
	 */
	const struct itimerspec far = { .it_value = { .tv_sec = time(NULL) + FAR_S } };

	timerfd_settime(w->timer_fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &far, NULL);
}

static void on_clock_set(evutil_socket_t fd, short what, void *arg)
{
	struct hf_system_events *w = arg;
	int64_t now, slept;
	uint64_t rings;

	ssize_t n = read(fd, &rings, sizeof(rings));

	if (n < 0 && errno == EAGAIN)
		return;
	if (n >= 0) { /* it rang: nothing was set */
		clock_timer_arm(w);
		return;
	}
	now = asleep_ms();
	slept = now - w->asleep_ms;
	w->asleep_ms = now;
	clock_timer_arm(w);
	w->cb(w->arg, slept >= SLEPT_MS ? HF_SYSTEM_EVENTS_SLEPT : HF_SYSTEM_EVENTS_CLOCK, NULL);
}

static void on_settled(evutil_socket_t fd, short what, void *arg)
{
	struct hf_system_events *w = arg;
	struct hf_interfaces changed = w->changed;

	w->changed = (struct hf_interfaces){ 0 };
	w->cb(w->arg, HF_SYSTEM_EVENTS_NETWORK, &changed);
}

/* --- which interfaces --- */

static void note_interface(struct hf_interfaces *i, unsigned index)
{
	for (size_t k = 0; k < i->n; k++)
		if (i->at[k] == index)
			return;
	if (!index || i->n == HF_INTERFACES_MAX)
		i->all = true;
	else
		i->at[i->n++] = index;
}

/* Of a route: the interface that it leads to; 0: several, or none. */
static unsigned route_interface(const struct nlmsghdr *h)
{
	size_t left = h->nlmsg_len - NLMSG_LENGTH(sizeof(struct rtmsg));
	const uint8_t *at = (const uint8_t *)h + NLMSG_LENGTH(sizeof(struct rtmsg));
	struct rtattr a;
	unsigned index;

	while (left >= sizeof(a)) {
		memcpy(&a, at, sizeof(a));
		if (a.rta_len < sizeof(a) || a.rta_len > left)
			return 0;
		if (a.rta_type == RTA_OIF && a.rta_len >= sizeof(a) + sizeof(index)) {
			memcpy(&index, at + sizeof(a), sizeof(index));
			return index;
		}
		if (RTA_ALIGN(a.rta_len) >= left)
			return 0;
		at += RTA_ALIGN(a.rta_len);
		left -= RTA_ALIGN(a.rta_len);
	}
	return 0;
}

static void note_message(struct hf_interfaces *i, const struct nlmsghdr *h)
{
	const void *data = (const uint8_t *)h + NLMSG_HDRLEN;
	size_t len = h->nlmsg_len - NLMSG_HDRLEN;
	struct ifinfomsg link;
	struct ifaddrmsg address;

	switch (h->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		memset(&link, 0, sizeof(link));
		memcpy(&link, data, len < sizeof(link) ? len : sizeof(link));
		note_interface(i, (unsigned)link.ifi_index);
		break;
	case RTM_NEWADDR:
	case RTM_DELADDR:
		memset(&address, 0, sizeof(address));
		memcpy(&address, data, len < sizeof(address) ? len : sizeof(address));
		note_interface(i, address.ifa_index);
		break;
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		note_interface(i, len >= sizeof(struct rtmsg) ? route_interface(h) : 0);
		break;
	default:
		i->all = true;
	}
}

void hf_system_events_note(struct hf_interfaces *i, const void *bytes, size_t len)
{
	union {
		struct nlmsghdr h;
		uint8_t bytes[8192];
	} message;
	const uint8_t *at = bytes;
	struct nlmsghdr h;

	while (len >= sizeof(h)) {
		memcpy(&h, at, sizeof(h));
		if (h.nlmsg_len < sizeof(h) || h.nlmsg_len > len || h.nlmsg_len > sizeof(message)) {
			i->all = true;
			return;
		}
		memcpy(message.bytes, at, h.nlmsg_len);
		note_message(i, &message.h);
		if (NLMSG_ALIGN(h.nlmsg_len) >= len)
			return;
		at += NLMSG_ALIGN(h.nlmsg_len);
		len -= NLMSG_ALIGN(h.nlmsg_len);
	}
	i->all |= len > 0;
}

/* What exactly changed does not matter, only where; for neighbours and the like we did not ask. */
static void on_netlink(evutil_socket_t fd, short what, void *arg)
{
	struct hf_system_events *w = arg;
	const struct timeval soon = { .tv_usec = SETTLE_MS * 1000 };
	char buf[8192];

	for (int i = 0; i < 64; i++) {
		ssize_t n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT | MSG_TRUNC);

		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0 || (size_t)n > sizeof(buf))
			w->changed.all = true; /* the kernel had more to tell than we took */
		else
			hf_system_events_note(&w->changed, buf, (size_t)n);
	}
	if (!event_pending(w->settled, EV_TIMEOUT, NULL))
		event_add(w->settled, &soon);
}

static int open_netlink(struct hf_system_events *w)
{
	struct sockaddr_nl at = { .nl_family = AF_NETLINK,
		.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR |
			     RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE };

	w->netlink_fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	if (w->netlink_fd < 0)
		return -errno;
	return bind(w->netlink_fd, (struct sockaddr *)&at, sizeof(at)) < 0 ? -errno : 0;
}

static int system_events_begin(struct hf_system_events *w, struct event_base *base)
{
	int rc = open_netlink(w);

	if (rc)
		return rc;
	w->timer_fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	if (w->timer_fd < 0)
		return -errno;
	w->asleep_ms = asleep_ms();
	clock_timer_arm(w);
	w->clock_set = event_new(base, w->timer_fd, EV_READ | EV_PERSIST, on_clock_set, w);
	w->netlink = event_new(base, w->netlink_fd, EV_READ | EV_PERSIST, on_netlink, w);
	w->settled = evtimer_new(base, on_settled, w);
	if (!w->clock_set || !w->netlink || !w->settled || event_add(w->clock_set, NULL) ||
	    event_add(w->netlink, NULL))
		return -ENOMEM;
	return 0;
}

int hf_system_events_new(
    struct event_base *base, hf_system_events_cb cb, void *arg, struct hf_system_events **ret_wake)
{
	struct hf_system_events *w = calloc(1, sizeof(*w));
	int rc;

	if (!w)
		return -ENOMEM;
	w->timer_fd = w->netlink_fd = -1;
	w->cb = cb;
	w->arg = arg;
	rc = system_events_begin(w, base);
	if (rc)
		hf_system_events_free(w);
	else
		*ret_wake = w;
	return rc;
}

void hf_system_events_free(struct hf_system_events *w)
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
