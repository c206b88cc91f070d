/* SPDX-License-Identifier: Apache-2.0 */
#include "config/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"

enum { FILE_MAX = HF_TOKEN_MAX + 64 }; /* some blank lines are forgiven */

/* Others' eyes are what must be kept out. */
static const unsigned token_checks = HF_FILE_OWN | HF_FILE_NO_OTHER_READ | HF_FILE_NO_SYMLINK;
/* Who may write the URL may have the token. */
static const unsigned url_checks = HF_FILE_OWN | HF_FILE_NO_OTHER_WRITE | HF_FILE_NO_SYMLINK;

static int secret_fail(int code, char *why, const char *place, const char *text)
{
	snprintf(why, HF_SECRET_WHY_MAX, "%.300s: %.440s", place, text);
	return code;
}

/* Without the white space around it, in place. */
static char *secret_trim(char *text)
{
	size_t n;

	text += strspn(text, " \t\r\n");
	n = strlen(text);
	while (n && strchr(" \t\r\n", text[n - 1]))
		text[--n] = '\0';
	return text;
}

static int read_fd(int fd, char buf[static FILE_MAX + 1], char *why, const char *path)
{
	size_t len = 0;

	while (len < FILE_MAX + 1) {
		ssize_t n = read(fd, buf + len, FILE_MAX + 1 - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return secret_fail(-errno, why, path, hf_strerror(-errno));
		if (!n)
			break;
		len += (size_t)n;
	}
	if (len > FILE_MAX)
		return secret_fail(
		    HF_EFORMAT, why, path, "it is too large for what it should hold");
	if (memchr(buf, '\0', len))
		return secret_fail(HF_EFORMAT, why, path, "it holds bytes that are no text");
	buf[len] = '\0';
	return 0;
}

/* One line of text from a file. The caller wipes buf. */
static int secret_read_line(
    const char *path, unsigned checks, char buf[static FILE_MAX + 1], char **ret_text, char *why)
{
	char unsafe[440] = "";
	int fd = hf_file_open_checked(path, checks, unsafe, sizeof(unsafe));
	int rc;

	if (fd < 0)
		return secret_fail(fd, why, path, unsafe[0] ? unsafe : hf_strerror(fd));
	rc = read_fd(fd, buf, why, path);
	close(fd);
	if (rc)
		return rc;
	*ret_text = secret_trim(buf);
	return **ret_text ? 0 : secret_fail(HF_EFORMAT, why, path, "it is empty");
}

/* --- token --- */

static int take_token(const char *text, enum hf_secret_from from, const char *place,
    struct hf_token *ret_token, char *why)
{
	size_t n = strlen(text);

	if (n > HF_TOKEN_MAX)
		return secret_fail(
		    HF_EFORMAT, why, place, "it holds no token: it is longer than 1024 characters");
	for (size_t i = 0; i < n; i++) {
		if (text[i] < 0x21 || text[i] > 0x7e)
			return secret_fail(HF_EFORMAT, why, place,
			    "it holds no token: a token is one word of printable ASCII");
	}
	memcpy(ret_token->text, text, n + 1);
	ret_token->from = from;
	snprintf(ret_token->place, sizeof(ret_token->place), "%s", place);
	return 0;
}

static int token_from_file(const char *path, unsigned checks, enum hf_secret_from from,
    struct hf_token *ret_token, char *why)
{
	char buf[FILE_MAX + 1], *text;
	int rc = secret_read_line(path, checks, buf, &text, why);

	if (!rc)
		rc = take_token(text, from, path, ret_token, why);
	explicit_bzero(buf, sizeof(buf));
	return rc;
}

static int token_from_credential(const char *source, struct hf_token *ret_token, char *why)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");
	char path[PATH_MAX];
	int rc;

	if (!dir || *dir != '/')
		return -ENOENT;
	snprintf(path, sizeof(path), "%s/" HF_CREDENTIAL_TOKEN ".%s", dir, source);
	rc = token_from_file(path, token_checks, HF_SECRET_CREDENTIAL, ret_token, why);
	if (rc != -ENOENT)
		return rc;
	snprintf(path, sizeof(path), "%s/" HF_CREDENTIAL_TOKEN, dir);
	return token_from_file(path, token_checks, HF_SECRET_CREDENTIAL, ret_token, why);
}

static int token_from_env(const char *url, bool sole, struct hf_token *ret_token, char *why)
{
	const char *token = getenv("CODER_SESSION_TOKEN"), *its_url = getenv("CODER_URL");

	if (!token || !*token)
		return -ENOENT;
	if (its_url && *its_url ? !hf_url_same_origin(its_url, url) : !sole)
		return -ENOENT;
	return take_token(token, HF_SECRET_ENV, "CODER_SESSION_TOKEN", ret_token, why);
}

/* --- the coder CLI's files --- */

static int cli_path(const char *name, char path[static PATH_MAX])
{
	const char *dir = getenv("CODER_CONFIG_DIR"), *xdg = getenv("XDG_CONFIG_HOME");
	const char *home = getenv("HOME");
	int n;

	if (dir && *dir == '/')
		n = snprintf(path, PATH_MAX, "%s/%s", dir, name);
	else if (xdg && *xdg == '/')
		n = snprintf(path, PATH_MAX, "%s/coderv2/%s", xdg, name);
	else if (home && *home == '/')
		n = snprintf(path, PATH_MAX, "%s/.config/coderv2/%s", home, name);
	else
		return -ENOENT;
	return n < PATH_MAX ? 0 : -ENOENT;
}

static int cli_url(struct hf_place_url *ret_url, char *why)
{
	char path[PATH_MAX], buf[FILE_MAX + 1], *text;
	int rc = cli_path("url", path);

	if (!rc)
		rc = secret_read_line(path, url_checks, buf, &text, why);
	if (rc)
		return rc;
	if (strlen(text) > HF_URL_MAX)
		return secret_fail(HF_EFORMAT, why, path, "it holds no URL of a Coder server");
	snprintf(ret_url->text, sizeof(ret_url->text), "%s", text);
	ret_url->from = HF_SECRET_CLI;
	snprintf(ret_url->place, sizeof(ret_url->place), "%s", path);
	return 0;
}

static int token_from_cli(const char *url, struct hf_token *ret_token, char *why)
{
	struct hf_place_url its_url;
	char path[PATH_MAX];
	int rc = cli_url(&its_url, why);

	if (rc)
		return rc;
	if (!hf_url_same_origin(its_url.text, url) || cli_path("session", path))
		return -ENOENT;
	return token_from_file(path, token_checks, HF_SECRET_CLI, ret_token, why);
}

/* --- in their order --- */

int hf_secret_token(const struct hf_config_source *source, const char *url, bool sole,
    struct hf_token *ret_token, char ret_why[static HF_SECRET_WHY_MAX])
{
	struct hf_token token;
	int rc;

	*ret_why = '\0';
	if (source->token_file) {
		rc = token_from_file(
		    source->token_file, token_checks, HF_SECRET_CONFIG, &token, ret_why);
	} else {
		rc = token_from_credential(source->name, &token, ret_why);
		if (rc == -ENOENT)
			rc = token_from_env(url, sole, &token, ret_why);
		if (rc == -ENOENT)
			rc = token_from_cli(url, &token, ret_why);
		if (rc == -ENOENT)
			snprintf(ret_why, HF_SECRET_WHY_MAX,
			    "no token: expected the key token-file, or the systemd credential " HF_CREDENTIAL_TOKEN
			    ", or CODER_SESSION_TOKEN, or 'coder login' by this user, for %s",
			    url);
	}
	if (!rc)
		*ret_token = token;
	hf_secret_wipe(&token);
	return rc;
}

static int url_from_env(struct hf_place_url *ret_url, char *why)
{
	const char *text = getenv("CODER_URL");

	if (!text || !*text)
		return -ENOENT;
	if (strlen(text) > HF_URL_MAX)
		return secret_fail(
		    HF_EFORMAT, why, "CODER_URL", "it holds no URL of a Coder server");
	snprintf(ret_url->text, sizeof(ret_url->text), "%s", text);
	ret_url->from = HF_SECRET_ENV;
	snprintf(ret_url->place, sizeof(ret_url->place), "CODER_URL");
	return 0;
}

static int secret_check_url(
    const struct hf_config_source *source, const struct hf_place_url *found, char *why)
{
	const char *reason = "it holds no URL of a Coder server";
	struct hf_url url;
	int rc = hf_url_parse(found->text, &url, &reason);

	if (rc)
		return secret_fail(rc, why, found->place, reason);
	if (!url.tls && !source->allow_http && !hf_url_is_loopback(&url))
		return secret_fail(HF_EREFUSED, why, found->place,
		    "http:// to another host would send the token in clear (allow-http: true allows it)");
	return 0;
}

int hf_secret_url(const struct hf_config_source *source, struct hf_place_url *ret_url,
    char ret_why[static HF_SECRET_WHY_MAX])
{
	struct hf_place_url found;
	int rc;

	*ret_why = '\0';
	if (source->url) {
		snprintf(found.text, sizeof(found.text), "%s", source->url);
		snprintf(found.place, sizeof(found.place), "the key url");
		found.from = HF_SECRET_CONFIG;
		rc = 0;
	} else {
		rc = url_from_env(&found, ret_why);
		if (rc == -ENOENT)
			rc = cli_url(&found, ret_why);
		if (rc == -ENOENT)
			snprintf(ret_why, HF_SECRET_WHY_MAX,
			    "no URL: expected the key url, or CODER_URL, or 'coder login' by this user");
	}
	if (!rc)
		rc = secret_check_url(source, &found, ret_why);
	if (!rc)
		*ret_url = found;
	return rc;
}

void hf_secret_wipe(struct hf_token *token)
{
	if (token)
		explicit_bzero(token, sizeof(*token));
}
