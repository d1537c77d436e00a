/*
 * Files that are unlike others, as a guest's programs meet them on a shared folder: a static program, the same on Longmode and QEMU.
 *
 *   corners files DIR [no-fifo]    holes, 5 GiB, O_APPEND, O_DIRECT, odd names, links, extended attributes, files that lost their name
 *   corners list DIR COUNT         every one of f0 to f(COUNT-1) is listed once; "also N others" tells what else is there
 *   corners as UID FILE            makes FILE as that user and tells the errno of it
 *   corners look UID FILE          opens FILE for reading as that user and tells the errno of it
 *
 * Exit status 0 and one line when all went well; 1 and a line that says what did not.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "die.h"

enum { BLOCK = 4096 };

static int opened(const char *name, int flags)
{
	int fd = open(name, flags, 0644);
	if (fd < 0)
		die("open %s", name);
	return fd;
}

static void expect_bytes(int fd, off_t at, const char *want, size_t length)
{
	char got[BLOCK];
	ssize_t done = pread(fd, got, length, at);
	if (done != (ssize_t)length || memcmp(got, want, length) != 0)
		die("%zd bytes at %jd, not what was written", done, (intmax_t)at);
}

static void large_and_sparse(void)
{
	static const char hole[BLOCK];
	const off_t far = ((off_t)5 << 30) + 1;
	struct stat s;
	int fd = opened("sparse", O_RDWR | O_CREAT | O_TRUNC);
	if (pwrite(fd, "end", 3, far) != 3 || fstat(fd, &s) != 0)
		die("write at 5 GiB");
	if (s.st_size != far + 3 || s.st_blocks > 1024)
		die("size %jd, %jd blocks", (intmax_t)s.st_size, (intmax_t)s.st_blocks);
	expect_bytes(fd, far, "end", 3);
	expect_bytes(fd, (off_t)1 << 32, hole, BLOCK);
	if (ftruncate(fd, ((off_t)1 << 32) + 5) != 0 || fstat(fd, &s) != 0 || s.st_size != ((off_t)1 << 32) + 5)
		die("cut to 4 GiB and 5");
	close(fd);
}

static void append(void)
{
	int a = opened("log", O_WRONLY | O_CREAT | O_TRUNC | O_APPEND), b = opened("log", O_RDWR | O_APPEND);
	for (int i = 0; i < 50; i++)
		if (write(a, "aa", 2) != 2 || write(b, "b", 1) != 1)
			die("append %d", i);
	if (lseek(b, 0, SEEK_END) != 150)
		die("appended files of another length");
	for (int i = 0; i < 50; i++)
		expect_bytes(b, 3 * i, "aab", 3);
	close(a);
	close(b);
}

static void direct(void)
{
	char *block;
	int fd = opened("direct", O_RDWR | O_CREAT | O_DIRECT);
	if (posix_memalign((void **)&block, BLOCK, BLOCK) != 0)
		die("memory");
	memset(block, 'd', BLOCK);
	if (pwrite(fd, block, BLOCK, BLOCK) != BLOCK || pread(fd, block, BLOCK, 0) != BLOCK)
		die("O_DIRECT");
	for (int i = 0; i < BLOCK; i++)
		if (block[i] != 0)
			die("O_DIRECT: byte %d of a hole", i);
	if (pread(fd, block, BLOCK, BLOCK) != BLOCK || block[0] != 'd' || block[BLOCK - 1] != 'd')
		die("O_DIRECT: what was written");
	free(block);
	close(fd);
}

static void names(void)
{
	char longest[257];
	memset(longest, 'n', sizeof longest);
	longest[256] = 0;
	if (open(longest, O_WRONLY | O_CREAT, 0644) >= 0 || errno != ENAMETOOLONG)
		die("a name of 256 bytes");
	longest[255] = 0;
	close(opened(longest, O_WRONLY | O_CREAT));
	close(opened("latin \xe9\xff \xc3", O_WRONLY | O_CREAT));
	close(opened("line\nbreak\\", O_WRONLY | O_CREAT));
	if (access(longest, F_OK) != 0 || access("latin \xe9\xff \xc3", F_OK) != 0 || access("line\nbreak\\", F_OK) != 0)
		die("odd names");
}

static void links(int with_fifo)
{
	static char target[3001], got[4096];
	struct stat a, b;
	close(opened("first", O_WRONLY | O_CREAT));
	if (link("first", "second") != 0 || stat("first", &a) != 0 || stat("second", &b) != 0)
		die("link");
	if (a.st_ino != b.st_ino || a.st_nlink != 2 || b.st_nlink != 2)
		die("two names: inodes %ju and %ju, %ju links", (uintmax_t)a.st_ino, (uintmax_t)b.st_ino, (uintmax_t)b.st_nlink);
	memset(target, '/', sizeof target - 1);
	if (symlink(target, "nowhere") != 0 || readlink("nowhere", got, sizeof got) != 3000 || memcmp(target, got, 3000) != 0)
		die("a link of 3000 bytes");
	if (lstat("nowhere", &a) != 0 || !S_ISLNK(a.st_mode))
		die("lstat of a link");
	if (with_fifo && (mkfifo("pipe", 0600) != 0 || lstat("pipe", &a) != 0 || !S_ISFIFO(a.st_mode)))
		die("mkfifo");
}

static void attributes(void)
{
	static char large[3000], got[4096];
	memset(large, 'x', sizeof large);
	if (setxattr("first", "user.small", "value", 5, XATTR_CREATE) != 0 || setxattr("first", "user.large", large, sizeof large, 0) != 0)
		die("setxattr");
	if (setxattr("first", "user.small", "again", 5, XATTR_CREATE) == 0 || errno != EEXIST)
		die("an attribute made twice");
	if (setxattr("first", "user.none", "x", 1, XATTR_REPLACE) == 0 || errno != ENODATA)
		die("an attribute replaced that is not there");
	if (getxattr("second", "user.small", got, sizeof got) != 5 || memcmp(got, "value", 5) != 0)
		die("getxattr by the other name");
	if (getxattr("first", "user.large", got, sizeof got) != sizeof large || memcmp(got, large, sizeof large) != 0)
		die("getxattr of 3000 bytes");
	if (getxattr("first", "user.large", got, 10) >= 0 || errno != ERANGE)
		die("getxattr into 10 bytes");
	ssize_t length = listxattr("first", got, sizeof got);
	if (length < 0 || memmem(got, length, "user.small", 11) == NULL || memmem(got, length, "user.large", 11) == NULL)
		die("listxattr");
	if (memmem(got, length, "user.virtfs", 11) != NULL)
		die("the host's own attributes are listed");
	if (removexattr("first", "user.large") != 0 || getxattr("first", "user.large", got, sizeof got) >= 0 || errno != ENODATA)
		die("removexattr");
}

static void room(void)
{
	struct statfs s;
	if (statfs(".", &s) != 0 || s.f_namelen != 255 || s.f_blocks == 0 || s.f_bfree > s.f_blocks)
		die("statfs");
}

static void nameless(void)
{
	struct stat s;
	int fd = opened("gone", O_RDWR | O_CREAT | O_TRUNC), old = opened("old", O_RDWR | O_CREAT | O_TRUNC);
	if (write(fd, "still", 5) != 5 || unlink("gone") != 0 || pwrite(fd, " here", 5, 5) != 5)
		die("write without a name");
	expect_bytes(fd, 0, "still here", 10);
	if (fstat(fd, &s) != 0 || s.st_size != 10 || access("gone", F_OK) == 0 || errno != ENOENT)
		die("a file without a name");
	close(fd);
	fd = opened("new", O_WRONLY | O_CREAT | O_TRUNC);
	if (write(old, "old", 3) != 3 || write(fd, "new", 3) != 3 || rename("new", "old") != 0)
		die("rename over an open file");
	expect_bytes(old, 0, "old", 3);
	close(fd);
	fd = opened("old", O_RDONLY);
	expect_bytes(fd, 0, "new", 3);
	close(fd);
	close(old);
}

static int files(const char *dir, int with_fifo)
{
	if (chdir(dir) != 0)
		die("chdir %s", dir);
	large_and_sparse();
	append();
	direct();
	names();
	links(with_fifo);
	attributes();
	room();
	nameless();
	printf("all as on a local disk\n");
	return 0;
}

static int list(const char *path, long count)
{
	unsigned char *seen = calloc(count, 1);
	long listed = 0, others = 0;
	DIR *dir = opendir(path);
	if (seen == NULL || dir == NULL)
		die("opendir %s", path);
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		char *end;
		long n = strtol(entry->d_name + 1, &end, 10);
		if (entry->d_name[0] != 'f' || *end != 0 || end == entry->d_name + 1 || n < 0 || n >= count) {
			others++;
			continue;
		}
		if (seen[n]++)
			die("%s is listed twice", entry->d_name);
		listed++;
	}
	if (listed != count)
		die("%ld of %ld are listed", listed, count);
	printf("%ld listed once each, also %ld others\n", listed, others);
	closedir(dir);
	return 0;
}

static int as_user(int uid, const char *path, int flags)
{
	if (setgid(uid) != 0 || setuid(uid) != 0)
		die("become %d", uid);
	int fd = open(path, flags, 0640);
	printf("errno %d\n", fd < 0 ? errno : 0);
	return 0;
}

int main(int argc, char **argv)
{
	const char *verb = argc > 2 ? argv[1] : "";
	if (strcmp(verb, "files") == 0)
		return files(argv[2], argc < 4 || strcmp(argv[3], "no-fifo") != 0);
	if (strcmp(verb, "list") == 0 && argc > 3)
		return list(argv[2], atol(argv[3]));
	if (strcmp(verb, "as") == 0 && argc > 3)
		return as_user(atoi(argv[2]), argv[3], O_WRONLY | O_CREAT | O_EXCL);
	if (strcmp(verb, "look") == 0 && argc > 3)
		return as_user(atoi(argv[2]), argv[3], O_RDONLY);
	printf("usage: see the head of corners.c\n");
	return 2;
}
