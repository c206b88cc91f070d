/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include <check.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include "bridge/stream/client/system_events.h"

Suite *system_events_suite(void);

static struct hf_interfaces told;

static void note(uint16_t type, const void *body, size_t len)
{
	union {
		struct nlmsghdr h;
		uint8_t bytes[256];
	} m = { .h = { .nlmsg_len = (uint32_t)(NLMSG_HDRLEN + len), .nlmsg_type = type } };

	memcpy(m.bytes + NLMSG_HDRLEN, body, len);
	hf_system_events_note(&told, m.bytes, NLMSG_ALIGN(m.h.nlmsg_len));
}

static void note_route(uint16_t attribute, unsigned index)
{
	struct {
		struct rtmsg r;
		struct rtattr a;
		unsigned index;
	} body = { .a = { .rta_len = 8, .rta_type = attribute }, .index = index };

	note(RTM_NEWROUTE, &body, sizeof(body));
}

static void setup(void)
{
	memset(&told, 0, sizeof(told));
}

START_TEST(each_kind_tells_its_interface_once)
{
	const struct ifinfomsg link = { .ifi_index = 7 };
	const struct ifaddrmsg address = { .ifa_index = 9 };

	note(RTM_NEWLINK, &link, sizeof(link));
	note(RTM_DELLINK, &link, sizeof(link));
	note(RTM_NEWADDR, &address, sizeof(address));
	note(RTM_DELADDR, &address, sizeof(address));
	note_route(RTA_OIF, 11);
	ck_assert(!told.all);
	ck_assert_uint_eq(told.n, 3);
	ck_assert_uint_eq(told.at[0], 7);
	ck_assert_uint_eq(told.at[1], 9);
	ck_assert_uint_eq(told.at[2], 11);
}
END_TEST

START_TEST(what_leads_nowhere_alone_concerns_all)
{
	note_route(RTA_MULTIPATH, 11);
	ck_assert(told.all);
}
END_TEST

START_TEST(what_is_not_understood_concerns_all)
{
	const struct rtmsg r = { 0 };

	note(RTM_NEWNEIGH, &r, sizeof(r));
	ck_assert(told.all);
	setup();
	hf_system_events_note(&told, "xyz", 3);
	ck_assert(told.all);
	setup();
	hf_system_events_note(&told, NULL, 0);
	ck_assert(!told.all && !told.n);
}
END_TEST

START_TEST(more_than_are_kept_concern_all)
{
	for (int i = 1; i <= HF_INTERFACES_MAX + 1; i++) {
		const struct ifinfomsg link = { .ifi_index = i };

		ck_assert(!told.all);
		note(RTM_NEWLINK, &link, sizeof(link));
	}
	ck_assert(told.all);
}
END_TEST

Suite *system_events_suite(void)
{
	Suite *s = suite_create("system_events");
	TCase *tc = tcase_create("wake");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, each_kind_tells_its_interface_once);
	tcase_add_test(tc, what_leads_nowhere_alone_concerns_all);
	tcase_add_test(tc, what_is_not_understood_concerns_all);
	tcase_add_test(tc, more_than_are_kept_concern_all);
	suite_add_tcase(s, tc);
	return s;
}
