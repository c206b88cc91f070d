/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "base/error.h"
#include "base/file.h"
#include "tests/unit/tmpdir.h"

Suite *file_suite(void);

static struct tmpdir dir;

static void setup(void)
{
	tmpdir_make(&dir);
}

static void teardown(void)
{
	tmpdir_remove(&dir);
}

static void make(const char *name, const char *content, mode_t mode)
{
	int fd = openat(dir.fd, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(hf_file_write_all(fd, content, strlen(content)), 0);
	ck_assert_int_eq(fchmod(fd, mode), 0);
	close(fd);
}

static void expect(const char *name, const char *content)
{
	uint8_t *bytes;
	size_t len;

	ck_assert_int_eq(hf_file_read(dir.fd, name, 1000, &bytes, &len), 0);
	ck_assert_uint_eq(len, strlen(content));
	ck_assert_str_eq((char *)bytes, content);
	free(bytes);
}

static void expect_no_temporary(const char *name)
{
	char tmp[100];

	snprintf(tmp, sizeof(tmp), ".%s.tmp", name);
	ck_assert_int_ne(faccessat(dir.fd, tmp, F_OK, AT_SYMLINK_NOFOLLOW), 0);
	ck_assert_int_eq(errno, ENOENT);
}

/* --- reading --- */

START_TEST(file_is_read_whole_with_a_nul_behind)
{
	uint8_t *bytes;
	size_t len;

	make("f", "hello", 0600);
	ck_assert_int_eq(hf_file_read(dir.fd, "f", 5, &bytes, &len), 0);
	ck_assert_uint_eq(len, 5);
	ck_assert_str_eq((char *)bytes, "hello");
	free(bytes);
	make("f", "", 0600);
	ck_assert_int_eq(hf_file_read(dir.fd, "f", 0, &bytes, &len), 0);
	ck_assert_uint_eq(len, 0);
	ck_assert_uint_eq(bytes[0], 0);
	free(bytes);
}
END_TEST

START_TEST(file_over_the_limit_is_refused)
{
	uint8_t *bytes = NULL;
	char path[300];
	size_t len = 77;

	make("f", "hello", 0600);
	ck_assert_int_eq(hf_file_read(dir.fd, "f", 4, &bytes, &len), HF_ELIMIT);
	/* A file can claim any size without having it. */
	ck_assert_int_eq(truncate(tmpdir_path(&dir, "f", path, sizeof(path)), (off_t)INT_MAX), 0);
	ck_assert_int_eq(hf_file_read(dir.fd, "f", SIZE_MAX, &bytes, &len), HF_ELIMIT);
	ck_assert_ptr_null(bytes);
	ck_assert_uint_eq(len, 77);
}
END_TEST

START_TEST(only_regular_files_are_read)
{
	uint8_t *bytes;
	size_t len;

	ck_assert_int_eq(hf_file_read(dir.fd, "none", 9, &bytes, &len), -ENOENT);
	ck_assert_int_eq(hf_file_read(dir.fd, ".", 9, &bytes, &len), HF_EUNSAFE);
	ck_assert_int_eq(mkfifoat(dir.fd, "fifo", 0600), 0);
	ck_assert_int_eq(hf_file_read(dir.fd, "fifo", 9, &bytes, &len), HF_EUNSAFE);
	ck_assert_int_eq(hf_file_read(AT_FDCWD, "/dev/zero", 9, &bytes, &len), HF_EUNSAFE);
}
END_TEST

/* --- writing --- */

START_TEST(replace_makes_a_file_of_that_content_and_mode)
{
	struct stat st;

	umask(0077);
	ck_assert_int_eq(hf_file_replace(dir.fd, "f", "one", 3, 0644), 0);
	expect("f", "one");
	ck_assert_int_eq(fstatat(dir.fd, "f", &st, 0), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0644); /* whatever the umask */
	ck_assert_int_eq(hf_file_replace(dir.fd, "f", "", 0, 0600), 0);
	expect("f", "");
	ck_assert_int_eq(fstatat(dir.fd, "f", &st, 0), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	expect_no_temporary("f");
	ck_assert_int_eq(hf_file_sync_dir(dir.fd), 0);
}
END_TEST

START_TEST(replace_is_a_new_file_beside_the_old_one)
{
	char old[4] = "";
	int fd;

	make("f", "old", 0600);
	fd = openat(dir.fd, "f", O_RDONLY);
	ck_assert_int_eq(hf_file_replace(dir.fd, "f", "new", 3, 0600), 0);
	/* Who has the old one open still sees all of it. */
	ck_assert_int_eq(read(fd, old, 3), 3);
	ck_assert_str_eq(old, "old");
	expect("f", "new");
	close(fd);
}
END_TEST

START_TEST(replace_writes_through_no_symlink)
{
	struct stat st;

	make("victim", "precious", 0600);
	ck_assert_int_eq(symlinkat("victim", dir.fd, "f"), 0);
	ck_assert_int_eq(symlinkat("victim", dir.fd, ".f.tmp"), 0);
	ck_assert_int_eq(hf_file_replace(dir.fd, "f", "new", 3, 0644), 0);
	expect("victim", "precious");
	ck_assert_int_eq(fstatat(dir.fd, "victim", &st, 0), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	ck_assert_int_eq(fstatat(dir.fd, "f", &st, AT_SYMLINK_NOFOLLOW), 0);
	ck_assert(S_ISREG(st.st_mode));
	expect("f", "new");
	expect_no_temporary("f");
}
END_TEST

START_TEST(what_a_crash_left_is_no_obstacle)
{
	make(".f.tmp", "half of someth", 0400);
	ck_assert_int_eq(hf_file_replace(dir.fd, "f", "new", 3, 0600), 0);
	expect("f", "new");
	expect_no_temporary("f");
}
END_TEST

/* A disk that is full after 100 bytes; in a process of its own, since Check writes files too. */
static int replace_on_a_full_disk(const char *name)
{
	struct rlimit limit = { 100, RLIM_INFINITY };
	char big[200] = "";
	int status;
	pid_t child = fork();

	ck_assert_int_ge(child, 0);
	if (child == 0) {
		signal(SIGXFSZ, SIG_IGN);
		setrlimit(RLIMIT_FSIZE, &limit);
		_exit(-hf_file_replace(dir.fd, name, big, sizeof(big), 0600));
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFEXITED(status));
	return -WEXITSTATUS(status);
}

START_TEST(failed_replace_leaves_the_old_file_and_no_litter)
{
	make("f", "old", 0600);
	ck_assert_int_eq(replace_on_a_full_disk("f"), -EFBIG);
	expect("f", "old");
	expect_no_temporary("f");
	/* A folder has the name. */
	ck_assert_int_eq(mkdirat(dir.fd, "d", 0700), 0);
	ck_assert_int_eq(hf_file_replace(dir.fd, "d", "new", 3, 0600), -EISDIR);
	expect_no_temporary("d");
	/* A folder has the name of the temporary file. */
	ck_assert_int_eq(mkdirat(dir.fd, ".f.tmp", 0700), 0);
	ck_assert_int_lt(hf_file_replace(dir.fd, "f", "new", 3, 0600), 0);
	expect("f", "old");
}
END_TEST

START_TEST(replace_stays_in_its_folder)
{
	char name[NAME_MAX + 1];

	ck_assert_int_eq(hf_file_replace(dir.fd, "", "x", 1, 0600), -EINVAL);
	ck_assert_int_eq(hf_file_replace(dir.fd, "../f", "x", 1, 0600), -EINVAL);
	ck_assert_int_eq(hf_file_replace(dir.fd, "/tmp/f", "x", 1, 0600), -EINVAL);
	memset(name, 'x', NAME_MAX - 4);
	name[NAME_MAX - 4] = '\0'; /* fits, but its temporary name does not */
	ck_assert_int_eq(hf_file_replace(dir.fd, name, "x", 1, 0600), -ENAMETOOLONG);
	name[NAME_MAX - 5] = '\0';
	ck_assert_int_eq(hf_file_replace(dir.fd, name, "x", 1, 0600), 0);
}
END_TEST

START_TEST(trouble_is_told_by_errno)
{
	int fd;

	ck_assert_int_eq(hf_file_sync_dir(-1), -EBADF);
	ck_assert_int_eq(hf_file_replace(-1, "f", "x", 1, 0600), -EBADF);
	fd = open("/dev/full", O_WRONLY);
	ck_assert_int_eq(hf_file_write_all(fd, "x", 1), -ENOSPC);
	ck_assert_int_eq(hf_file_write_all(fd, "x", 0), 0);
	close(fd);
}
END_TEST

START_TEST(write_all_goes_on_after_a_part)
{
	static char big[300000], back[300000];
	int fds[2], status;
	pid_t child;
	size_t got = 0;
	ssize_t n;

	/* A pipe takes 64 KiB at a time. */
	memset(big, 'y', sizeof(big));
	ck_assert_int_eq(pipe(fds), 0);
	child = fork();
	if (child == 0) {
		close(fds[0]);
		_exit(hf_file_write_all(fds[1], big, sizeof(big)) != 0);
	}
	close(fds[1]);
	while ((n = read(fds[0], back + got, sizeof(back) - got)) > 0)
		got += (size_t)n;
	ck_assert_uint_eq(got, sizeof(big));
	ck_assert(!memcmp(big, back, sizeof(big)));
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
}
END_TEST

/* --- checks before something is trusted --- */

enum { READ = HF_FILE_NO_OTHER_READ, WRITE = HF_FILE_NO_OTHER_WRITE };

static const struct {
	mode_t file, folder;
	unsigned checks;
	const char *why; /* NULL: fine */
} modes[] = {
	{ 0600, 0700, READ | WRITE, NULL },
	{ 0640, 0700, READ | WRITE, NULL }, /* the group is ours */
	{ 0440, 0755, READ | WRITE, NULL },
	{ 0644, 0700, READ, "others may read it (mode 0644); chmod 0600 it" },
	{ 0604, 0700, READ, "others may read it" },
	{ 0644, 0755, WRITE, NULL },
	{ 0664, 0755, WRITE, "others may write it (mode 0664); chmod go-w it" },
	{ 0646, 0755, WRITE, "others may write it" },
	{ 0644, 0775, WRITE, "others may write its folder" },
	{ 0644, 0757, WRITE, "others may write its folder" },
	{ 0644, 01777, WRITE, NULL }, /* sticky: nobody can replace what is not his */
	{ 0666, 0777, 0, NULL },
	{ 0666, 0777, HF_FILE_OWN | HF_FILE_NO_SYMLINK, NULL },
	{ 0604, 0777, WRITE, "others may write its folder" },
};

START_TEST(modes_are_checked_as_asked)
{
	char path[300], why[400] = "";
	int rc;

	make("f", "x", modes[_i].file);
	ck_assert_int_eq(fchmod(dir.fd, modes[_i].folder), 0);
	rc = hf_file_open_checked(
	    tmpdir_path(&dir, "f", path, sizeof(path)), modes[_i].checks, why, sizeof(why));
	if (modes[_i].why) {
		ck_assert_int_eq(rc, HF_EUNSAFE);
		ck_assert_msg(!strncmp(why, modes[_i].why, strlen(modes[_i].why)), "%s", why);
		ck_assert_int_eq(hf_file_open_checked(path, modes[_i].checks, NULL, 0), HF_EUNSAFE);
		return;
	}
	ck_assert_int_ge(rc, 0);
	ck_assert_str_eq(why, "");
	ck_assert_int_eq(fcntl(rc, F_GETFD), FD_CLOEXEC);
	close(rc);
}
END_TEST

START_TEST(symlinks_are_refused_where_asked)
{
	char path[300], why[400];
	int fd;

	make("f", "x", 0600);
	ck_assert_int_eq(symlinkat("f", dir.fd, "link"), 0);
	ck_assert_int_eq(symlinkat("loop", dir.fd, "loop"), 0);
	tmpdir_path(&dir, "link", path, sizeof(path));
	ck_assert_int_eq(
	    hf_file_open_checked(path, HF_FILE_NO_SYMLINK, why, sizeof(why)), HF_EUNSAFE);
	ck_assert_str_eq(why, "it is a symlink");
	fd = hf_file_open_checked(path, READ | WRITE, why, sizeof(why));
	ck_assert_int_ge(fd, 0);
	close(fd);
	tmpdir_path(&dir, "loop", path, sizeof(path));
	ck_assert_int_eq(hf_file_open_checked(path, 0, why, sizeof(why)), -ELOOP);
}
END_TEST

static const struct {
	const char *file, *link, *to;
} links[] = { { "open/f", "link", "open/f" }, { "f", "open/link", "../f" } };

START_TEST(both_folders_of_a_symlink_count)
{
	char path[300], why[400];

	ck_assert_int_eq(mkdirat(dir.fd, "open", 0700), 0);
	make(links[_i].file, "x", 0600);
	ck_assert_int_eq(fchmodat(dir.fd, "open", 0777, 0), 0);
	ck_assert_int_eq(symlinkat(links[_i].to, dir.fd, links[_i].link), 0);
	tmpdir_path(&dir, links[_i].link, path, sizeof(path));
	ck_assert_int_eq(hf_file_open_checked(path, WRITE, why, sizeof(why)), HF_EUNSAFE);
	ck_assert_ptr_nonnull(strstr(why, "/open (mode 0777)"));
}
END_TEST

START_TEST(only_regular_files_are_trusted)
{
	char path[300], why[400] = "";

	ck_assert_int_eq(hf_file_open_checked(dir.path, 0, why, sizeof(why)), HF_EUNSAFE);
	ck_assert_str_eq(why, "it is no regular file");
	ck_assert_int_eq(mkfifoat(dir.fd, "fifo", 0600), 0);
	tmpdir_path(&dir, "fifo", path, sizeof(path));
	ck_assert_int_eq(hf_file_open_checked(path, 0, why, sizeof(why)), HF_EUNSAFE);
	tmpdir_path(&dir, "none", path, sizeof(path));
	ck_assert_int_eq(hf_file_open_checked(path, READ, why, sizeof(why)), -ENOENT);
	ck_assert_str_eq(why, "");
}
END_TEST

START_TEST(why_is_cut_to_its_room)
{
	char path[300], why[10] = "123456789";

	make("f", "x", 0644);
	tmpdir_path(&dir, "f", path, sizeof(path));
	ck_assert_int_eq(hf_file_open_checked(path, READ, why, 7), HF_EUNSAFE);
	ck_assert_str_eq(why, "others");
	ck_assert_str_eq(why + 7, "89");
}
END_TEST

/* These need a second user, whom only root can be. */
enum { OTHER = 65534 };

START_TEST(files_of_others_are_refused_where_asked)
{
	char path[300], why[400];
	int fd;

	make("f", "x", 0644);
	ck_assert_int_eq(fchownat(dir.fd, "f", OTHER, OTHER, 0), 0);
	tmpdir_path(&dir, "f", path, sizeof(path));
	ck_assert_int_eq(hf_file_open_checked(path, HF_FILE_OWN, why, sizeof(why)), HF_EUNSAFE);
	ck_assert_str_eq(why, "it belongs to user 65534, not to user 0 or root");
	fd = hf_file_open_checked(path, WRITE, why, sizeof(why));
	ck_assert_int_ge(fd, 0);
	close(fd);
	/* The group is neither ours nor root's. */
	ck_assert_int_eq(fchmodat(dir.fd, "f", 0640, 0), 0);
	ck_assert_int_eq(hf_file_open_checked(path, READ, why, sizeof(why)), HF_EUNSAFE);
}
END_TEST

START_TEST(folders_of_others_are_refused_where_asked)
{
	char path[300], why[400];
	int fd;

	make("f", "x", 0600);
	/* Also a sticky one: its owner may replace what is in it. */
	ck_assert_int_eq(fchmod(dir.fd, 01777), 0);
	ck_assert_int_eq(fchown(dir.fd, OTHER, OTHER), 0);
	tmpdir_path(&dir, "f", path, sizeof(path));
	ck_assert_int_eq(
	    hf_file_open_checked(path, HF_FILE_OWN | WRITE, why, sizeof(why)), HF_EUNSAFE);
	ck_assert_ptr_nonnull(strstr(why, "belongs to user 65534"));
	fd = hf_file_open_checked(path, HF_FILE_OWN | READ, why, sizeof(why));
	ck_assert_int_ge(fd, 0);
	close(fd);
}
END_TEST

START_TEST(files_of_root_are_trusted)
{
	char path[300], why[400];
	int fd;

	make("f", "x", 0444);
	ck_assert_int_eq(fchmod(dir.fd, 0755), 0);
	ck_assert_int_eq(setegid(OTHER), 0);
	ck_assert_int_eq(seteuid(OTHER), 0);
	tmpdir_path(&dir, "f", path, sizeof(path));
	fd = hf_file_open_checked(path, HF_FILE_OWN | WRITE, why, sizeof(why));
	ck_assert_int_ge(fd, 0);
	close(fd);
	ck_assert_int_eq(seteuid(0), 0);
	ck_assert_int_eq(setegid(0), 0);
}
END_TEST

/* systemd's credentials: of root's group, with the mask of an access list in the group bits. */
START_TEST(secrets_that_roots_group_may_read_are_accepted)
{
	char path[300], why[400];
	int fd;

	make("f", "x", 0440);
	ck_assert_int_eq(setegid(OTHER), 0);
	tmpdir_path(&dir, "f", path, sizeof(path));
	fd = hf_file_open_checked(path, HF_FILE_OWN | READ, why, sizeof(why));
	ck_assert_int_ge(fd, 0);
	close(fd);
	ck_assert_int_eq(fchownat(dir.fd, "f", 0, OTHER - 1, 0), 0);
	ck_assert_int_eq(
	    hf_file_open_checked(path, HF_FILE_OWN | READ, why, sizeof(why)), HF_EUNSAFE);
	ck_assert_int_eq(setegid(0), 0);
}
END_TEST

static TCase *write_case(void)
{
	TCase *tc = tcase_create("write");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, replace_makes_a_file_of_that_content_and_mode);
	tcase_add_test(tc, replace_is_a_new_file_beside_the_old_one);
	tcase_add_test(tc, replace_writes_through_no_symlink);
	tcase_add_test(tc, what_a_crash_left_is_no_obstacle);
	tcase_add_test(tc, failed_replace_leaves_the_old_file_and_no_litter);
	tcase_add_test(tc, replace_stays_in_its_folder);
	tcase_add_test(tc, trouble_is_told_by_errno);
	tcase_add_test(tc, write_all_goes_on_after_a_part);
	return tc;
}

static TCase *trust_case(void)
{
	TCase *tc = tcase_create("trust");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, modes_are_checked_as_asked, 0, sizeof(modes) / sizeof(modes[0]));
	tcase_add_test(tc, symlinks_are_refused_where_asked);
	tcase_add_loop_test(
	    tc, both_folders_of_a_symlink_count, 0, sizeof(links) / sizeof(links[0]));
	tcase_add_test(tc, only_regular_files_are_trusted);
	tcase_add_test(tc, why_is_cut_to_its_room);
	if (geteuid() == 0) {
		tcase_add_test(tc, files_of_others_are_refused_where_asked);
		tcase_add_test(tc, folders_of_others_are_refused_where_asked);
		tcase_add_test(tc, files_of_root_are_trusted);
		tcase_add_test(tc, secrets_that_roots_group_may_read_are_accepted);
	}
	return tc;
}

Suite *file_suite(void)
{
	Suite *s = suite_create("file");
	TCase *tc = tcase_create("read");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, file_is_read_whole_with_a_nul_behind);
	tcase_add_test(tc, file_over_the_limit_is_refused);
	tcase_add_test(tc, only_regular_files_are_read);
	suite_add_tcase(s, tc);
	suite_add_tcase(s, write_case());
	suite_add_tcase(s, trust_case());
	return s;
}
