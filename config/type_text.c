/* SPDX-License-Identifier: Apache-2.0 */
/* Types whose value is a text, and the suffix. */
#include "config/type.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "base/error.h"
#include "config/key.h"
#include "config/url.h"
#include "zone/name.h"

int hf_type_text_copy(const char *text, void *ret)
{
	char *copy = strdup(text);

	if (!copy)
		return -ENOMEM;
	*(char **)ret = copy;
	return 0;
}

void hf_type_text_print(const struct hf_key *key, const void *value, FILE *out)
{
	const char *text = *(char *const *)value;

	fputs(text ? text : "", out);
}

bool hf_type_text_is_set(const void *value)
{
	return *(char *const *)value != NULL;
}

void hf_type_text_done(void *value)
{
	free(*(char **)value);
	*(char **)value = NULL;
}

/* A type of text: how it is called, what is said to be expected, and its check. */
#define TEXT_TYPE(type, a_noun, expected)                                                          \
	static void type##_expect(const struct hf_key *key, char out[static HF_EXPECT_MAX])        \
	{                                                                                          \
		snprintf(out, HF_EXPECT_MAX, "%s", expected);                                      \
	}                                                                                          \
	static int type##_parse(                                                                   \
	    const struct hf_key *key, const char *text, void *ret, const char **ret_why)           \
	{                                                                                          \
		int rc = type##_check(text, ret_why);                                              \
                                                                                                   \
		return rc ? rc : hf_type_text_copy(text, ret);                                     \
	}                                                                                          \
	const struct hf_type hf_type_##type = {                                                    \
		.noun = a_noun,                                                                    \
		.size = sizeof(char *),                                                            \
		.parse = type##_parse,                                                             \
		.print = hf_type_text_print,                                                       \
		.expect = type##_expect,                                                           \
		.is_set = hf_type_text_is_set,                                                     \
		.done = hf_type_text_done,                                                         \
	}

static int string_check(const char *text, const char **ret_why)
{
	return *text ? 0 : HF_EFORMAT;
}

TEXT_TYPE(string, "a text", "a text that is not empty");

static int path_check(const char *text, const char **ret_why)
{
	if (*text != '/')
		return HF_EFORMAT;
	if (strlen(text) >= PATH_MAX) {
		*ret_why = "it is longer than a path can be";
		return HF_EREFUSED;
	}
	return 0;
}

TEXT_TYPE(path, "an absolute path", "a path that begins with '/'");

static int socket_check(const char *text, const char **ret_why)
{
	struct sockaddr_un un;

	if (*text != '/')
		return HF_EFORMAT;
	if (strlen(text) >= sizeof(un.sun_path)) {
		*ret_why = "it is longer than the 107 characters that a socket's path can have";
		return HF_EREFUSED;
	}
	return 0;
}

TEXT_TYPE(socket, "an absolute path", "a path that begins with '/', of at most 107 characters");

static int label_check(const char *text, const char **ret_why)
{
	return hf_label_ok(text, strlen(text)) ? 0 : HF_EFORMAT;
}

TEXT_TYPE(label, "a name", "a name of at most 63 letters, digits, '-' and '_'");

/* What useradd takes, and what directory services add: dots, capitals, a realm, blanks within. */
static int group_check(const char *text, const char **ret_why)
{
	size_t n = strlen(text);

	if (!n || n > 255 || *text == '-' || *text == ' ' || text[n - 1] == ' ')
		return HF_EFORMAT;
	return strpbrk(text, ":/,") ? HF_EFORMAT : 0;
}

TEXT_TYPE(group, "the name of a group", "the name of a group of this system");

static int url_check(const char *text, const char **ret_why)
{
	struct hf_url url;

	return hf_url_parse(text, &url, ret_why);
}

TEXT_TYPE(url, "a URL of a Coder server", "https://HOST, with :PORT and /PATH where need be");

/* libcurl reads it; here only what would make libcurl take it for something else. */
static int proxy_check(const char *text, const char **ret_why)
{
	static const char *const schemes[] = { "http://", "https://", "socks4://", "socks4a://",
		"socks5://", "socks5h://" };

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		size_t n = strlen(schemes[i]);

		if (!strncasecmp(text, schemes[i], n) && text[n] && !strchr(text, ' ') &&
		    strlen(text) <= HF_URL_MAX)
			return 0;
	}
	return HF_EFORMAT;
}

TEXT_TYPE(proxy, "a URL of a proxy",
    "http://, https://, socks4://, socks4a://, socks5:// or socks5h:// and [USER:PASSWORD@]HOST[:PORT]");

/* "me" and "all", too, have the form of a label; so has a user id. */
static int owner_check(const char *text, const char **ret_why)
{
	return label_check(text, ret_why);
}

TEXT_TYPE(owner, "an owner", "me, all, the name of a user, or a user id");

/*
 * RFC 9110: a token, a colon, a value. What the stream itself sends is not the operator's to
 * change.
 */
static int header_check(const char *text, const char **ret_why)
{
	static const char *const ours[] = { "Coder-Session-Token", "Connection", "Content-Length",
		"Expect", "Host", "TE", "Trailer", "Transfer-Encoding", "Upgrade" };
	size_t n = 0;

	while (isalnum((unsigned char)text[n]) || (text[n] && strchr("!#$%&'*+-.^_`|~", text[n])))
		n++;
	if (!n || text[n] != ':' || !text[n + 1 + strspn(text + n + 1, " ")])
		return HF_EFORMAT;
	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
		if (strlen(ours[i]) == n && !strncasecmp(text, ours[i], n)) {
			*ret_why = "this header is Holdfast's own to set";
			return HF_EREFUSED;
		}
	}
	if (!strncasecmp(text, "Sec-WebSocket-", 14)) {
		*ret_why = "this header is Holdfast's own to set";
		return HF_EREFUSED;
	}
	return 0;
}

TEXT_TYPE(header, "a header", "a text in quotes: \"NAME: VALUE\"");

/* --- suffix --- */

static int suffix_parse(const struct hf_key *key, const char *text, void *ret, const char **ret_why)
{
	if (!strcmp(text, "auto")) {
		memset(ret, 0, sizeof(struct hf_name));
		return 0;
	}
	if (hf_suffix_check(text, HF_SUFFIX_TYPED, ret, ret_why))
		return HF_EREFUSED;
	return 0;
}

static void suffix_print(const struct hf_key *key, const void *value, FILE *out)
{
	const struct hf_name *name = value;
	char text[HF_NAME_TEXT_MAX];

	fputs(name->len ? hf_name_text(name, text) : "auto", out);
}

static void suffix_expect(const struct hf_key *key, char out[static HF_EXPECT_MAX])
{
	snprintf(out, HF_EXPECT_MAX, "auto, or a DNS name that is no public top level domain");
}

static bool suffix_is_set(const void *value)
{
	return true;
}

const struct hf_type hf_type_suffix = {
	.noun = "a suffix",
	.size = sizeof(struct hf_name),
	.parse = suffix_parse,
	.print = suffix_print,
	.expect = suffix_expect,
	.is_set = suffix_is_set,
};
