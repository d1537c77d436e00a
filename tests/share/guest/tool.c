/*
 * What the guest runs on a shared folder, for tests and for the benchmark: a static program, the same on Longmode and QEMU.
 *
 *   tool exercise DIR OPERATIONS SEED PROCESSES [mmap|no-append]   random operations on files, every byte checked
 *   tool locks DIR PROCESSES ROUNDS                      a counter in a file behind fcntl locks
 *   tool trylock FILE SECONDS                            "free" and the lock is held so long, or "taken"
 *   tool create|stat|unlink DIR COUNT                    small files, one call after the other
 *   tool write|read FILE MIB [CHUNK_KIB]                 one large file from start to end
 *   tool random-read FILE COUNT                          4 KiB at random places
 *   tool fill DIR                                        write until the host says no, then remove and write again
 *   tool sync FILE                                       records, each told when written and, every fourth, when durable
 *
 * Exit status 0 and one line when all went well; 1 and a line that says what did not.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "die.h"

enum { LARGEST = 192 * 1024, LONGEST = 40 * 1024, PAGE = 4096 };

/* xorshift64*: the same numbers on every machine. */
static uint64_t state = 1;
static uint64_t rnd(uint64_t below)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (state * 2685821657736338717ULL >> 16) % below;
}

/* --- exercise: a file and what it must hold ------------------------------------------------------------------- */

struct model {
	char path[512], other[512];
	int fd, with_mmap, without_append;
	size_t size;
	unsigned char want[LARGEST], got[LARGEST];
};

static void reopen(struct model *m, int flags)
{
	if (m->fd >= 0 && close(m->fd) != 0)
		die("close %s", m->path);
	m->fd = open(m->path, O_RDWR | flags, 0644);
	if (m->fd < 0)
		die("open %s", m->path);
}

static void check(struct model *m, const unsigned char *got, size_t at, size_t length, const char *what)
{
	for (size_t i = 0; i < length; i++)
		if (got[i] != m->want[at + i])
			die("%s: %s at %zu of %zu: got %02x, wrote %02x", m->path, what, at + i, m->size, got[i], m->want[at + i]);
}

static void do_read(struct model *m)
{
	size_t at = rnd(LARGEST), length = 1 + rnd(LONGEST);
	ssize_t done = pread(m->fd, m->got, length, at);
	size_t expected = at >= m->size ? 0 : m->size - at < length ? m->size - at : length;
	if (done < 0 || (size_t)done != expected)
		die("%s: read of %zu at %zu of %zu gave %zd", m->path, length, at, m->size, done);
	check(m, m->got, at, done, "read");
}

static void written(struct model *m, size_t at, size_t length)
{
	if (at > m->size)
		memset(m->want + m->size, 0, at - m->size);
	if (at + length > m->size)
		m->size = at + length;
}

static void do_write(struct model *m, int append)
{
	size_t at = append ? m->size : rnd(LARGEST - 1);
	size_t room = LARGEST - at, length = 1 + rnd(LONGEST);
	int fd = m->fd;
	if (room == 0)
		return;
	if (length > room)
		length = room;
	written(m, at, length);
	for (size_t i = 0; i < length; i++)
		m->want[at + i] = rnd(256);
	if (append && (fd = open(m->path, O_WRONLY | O_APPEND)) < 0)
		die("open %s to append", m->path);
	ssize_t done = append ? write(fd, m->want + at, length) : pwrite(fd, m->want + at, length, at);
	if (done != (ssize_t)length)
		die("%s: write of %zu at %zu gave %zd", m->path, length, at, done);
	if (append && close(fd) != 0)
		die("close %s", m->path);
}

static void do_truncate(struct model *m)
{
	size_t size = rnd(4) == 0 ? 0 : rnd(LARGEST);
	if ((rnd(2) ? ftruncate(m->fd, size) : truncate(m->path, size)) != 0)
		die("truncate %s to %zu", m->path, size);
	if (size > m->size)
		memset(m->want + m->size, 0, size - m->size);
	m->size = size;
}

static void do_mmap(struct model *m, int writing)
{
	if (!m->with_mmap || m->size == 0)
		return;
	size_t at = rnd(m->size) / PAGE * PAGE, length = 1 + rnd(LONGEST);
	if (length > m->size - at)
		length = m->size - at;
	unsigned char *map = mmap(NULL, length, writing ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, m->fd, at);
	if (map == MAP_FAILED)
		die("mmap %s", m->path);
	check(m, map, at, length, "mmap");
	if (writing) {
		for (size_t i = rnd(length); i < length; i += 1 + rnd(64))
			map[i] = m->want[at + i] = rnd(256);
		if (msync(map, length, MS_SYNC) != 0)
			die("msync %s", m->path);
	}
	munmap(map, length);
}

static void do_stat(struct model *m)
{
	struct stat by_path, by_fd;
	if (stat(m->path, &by_path) != 0 || fstat(m->fd, &by_fd) != 0)
		die("stat %s", m->path);
	if ((size_t)by_path.st_size != m->size || (size_t)by_fd.st_size != m->size)
		die("%s: size %ld and %ld, not %zu", m->path, (long)by_path.st_size, (long)by_fd.st_size, m->size);
}

static void do_rename(struct model *m)
{
	char old[512];
	if (rename(m->path, m->other) != 0)
		die("rename %s", m->path);
	if (access(m->path, F_OK) == 0 || errno != ENOENT)
		die("%s is still there", m->path);
	memcpy(old, m->path, sizeof old);
	memcpy(m->path, m->other, sizeof old);
	memcpy(m->other, old, sizeof old);
}

static void do_replace(struct model *m)
{
	/* A new file renamed over the open one: the descriptor keeps the old, the path shows the new. */
	char fresh[520];
	snprintf(fresh, sizeof fresh, "%s.new", m->path);
	int fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL, 0600);
	if (fd < 0 || write(fd, "new", 3) != 3 || close(fd) != 0 || rename(fresh, m->path) != 0)
		die("replace %s", m->path);
	do_read(m);
	reopen(m, 0);
	m->size = 3;
	memcpy(m->want, "new", 3);
}

static void step(struct model *m)
{
	switch (rnd(20)) {
	case 0: case 1: case 2: case 3: case 4: do_read(m); break;
	case 5: case 6: case 7: case 8: do_write(m, 0); break;
	case 9: case 10: do_write(m, !m->without_append); break;
	case 11: case 12: do_truncate(m); break;
	case 13: do_mmap(m, 0); break;
	case 14: case 15: do_mmap(m, 1); break;
	case 16: do_stat(m); break;
	case 17: rnd(8) ? reopen(m, 0) : do_replace(m); break;
	case 18: do_rename(m); break;
	case 19: if (rnd(16) == 0 && fsync(m->fd) != 0) die("fsync %s", m->path); break;
	}
}

static void exercise_one(const char *dir, long operations, uint64_t seed, const char *how)
{
	static struct model m;
	state = seed * 0x9e3779b97f4a7c15ULL + 1;
	m.fd = -1;
	m.with_mmap = strcmp(how, "mmap") == 0;
	m.without_append = strcmp(how, "no-append") == 0;
	snprintf(m.path, sizeof m.path, "%s/a%llu", dir, (unsigned long long)seed);
	snprintf(m.other, sizeof m.other, "%s/b%llu", dir, (unsigned long long)seed);
	reopen(&m, O_CREAT | O_EXCL);
	for (long i = 0; i < operations; i++)
		step(&m);
	reopen(&m, 0);
	if (pread(m.fd, m.got, LARGEST, 0) != (ssize_t)m.size)
		die("%s: the whole is not %zu bytes", m.path, m.size);
	check(&m, m.got, 0, m.size, "the whole");
}

static int collect(int processes)
{
	int status, failed = 0;
	for (int i = 0; i < processes; i++)
		if (wait(&status) < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
			failed = 1;
	return failed;
}

static int exercise(const char *dir, long operations, uint64_t seed, int processes, const char *how)
{
	for (int i = 0; i < processes; i++)
		if (fork() == 0) {
			exercise_one(dir, operations / processes, seed + i, how);
			exit(0);
		}
	if (collect(processes))
		return 1;
	printf("%ld operations by %d processes, every byte as written\n", operations, processes);
	return 0;
}

/* --- locks --------------------------------------------------------------------------------------------------- */

static void count_up(const char *path, int rounds)
{
	int fd = open(path, O_RDWR);
	for (int i = 0; i < rounds; i++) {
		struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 8 };
		uint64_t value;
		if (fd < 0 || fcntl(fd, F_SETLKW, &lock) != 0)
			die("lock %s", path);
		if (pread(fd, &value, 8, 0) != 8)
			die("read %s", path);
		value++;
		if (pwrite(fd, &value, 8, 0) != 8)
			die("write %s", path);
		lock.l_type = F_UNLCK;
		if (fcntl(fd, F_SETLK, &lock) != 0)
			die("unlock %s", path);
	}
	exit(0);
}

static int locks(const char *dir, int processes, int rounds)
{
	char path[512];
	uint64_t value = 0;
	snprintf(path, sizeof path, "%s/counter", dir);
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0644);
	if (fd < 0 || write(fd, &value, 8) != 8)
		die("create %s", path);
	for (int i = 0; i < processes; i++)
		if (fork() == 0)
			count_up(path, rounds);
	if (collect(processes))
		return 1;
	if (pread(fd, &value, 8, 0) != 8 || value != (uint64_t)processes * rounds) {
		printf("the counter is %llu\n", (unsigned long long)value);
		return 1;
	}
	printf("%llu increments, none lost\n", (unsigned long long)value);
	return 0;
}

/* Both ways to ask whether somebody has the lock have to agree. */
static int try_lock(const char *path, int seconds)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 8 }, seen = lock;
	int fd = open(path, O_RDWR);
	if (fd < 0 || fcntl(fd, F_GETLK, &seen) != 0)
		die("ask for the lock of %s", path);
	int taken = fcntl(fd, F_SETLK, &lock) != 0;
	if (taken && errno != EAGAIN && errno != EACCES)
		die("lock %s", path);
	if (taken != (seen.l_type != F_UNLCK))
		die("%s: F_SETLK says %s, F_GETLK type %d", path, taken ? "taken" : "free", seen.l_type);
	printf("%s\n", taken ? "taken" : "free");
	if (!taken)
		sleep(seconds);
	return 0;
}

/* --- plain work, measured from outside ----------------------------------------------------------------------- */

static char *name_of(const char *dir, int i)
{
	static char name[512];
	snprintf(name, sizeof name, "%s/file%05d", dir, i);
	return name;
}

static void create_files(const char *dir, int count)
{
	static char data[100];
	for (int i = 0; i < count; i++) {
		int fd = open(name_of(dir, i), O_WRONLY | O_CREAT | O_EXCL, 0644);
		if (fd < 0 || write(fd, data, sizeof data) != sizeof data || close(fd) != 0)
			die("create %s", name_of(dir, i));
	}
}

static void stat_files(const char *dir, int count)
{
	struct stat s;
	for (int i = 0; i < count; i++)
		if (stat(name_of(dir, i), &s) != 0 || s.st_size != 100)
			die("stat %s", name_of(dir, i));
}

static void unlink_files(const char *dir, int count)
{
	for (int i = 0; i < count; i++)
		if (unlink(name_of(dir, i)) != 0)
			die("unlink %s", name_of(dir, i));
}

static void whole_file(const char *path, long mib, long chunk_kib, int writing)
{
	size_t chunk = chunk_kib * 1024, rest = (size_t)mib << 20;
	char *data = malloc(chunk);
	int fd = open(path, writing ? O_WRONLY | O_CREAT | O_TRUNC : O_RDONLY, 0644);
	if (fd < 0 || data == NULL)
		die("open %s", path);
	memset(data, 0x5a, chunk);
	while (rest > 0) {
		size_t length = rest < chunk ? rest : chunk;
		ssize_t done = writing ? write(fd, data, length) : read(fd, data, length);
		if (done <= 0)
			die("%s: %zu bytes before the end", path, rest);
		rest -= done;
	}
	if (close(fd) != 0)
		die("close %s", path);
}

static void random_read(const char *path, int count)
{
	static char data[PAGE];
	struct stat s;
	int fd = open(path, O_RDONLY);
	if (fd < 0 || fstat(fd, &s) != 0)
		die("open %s", path);
	for (int i = 0; i < count; i++)
		if (pread(fd, data, PAGE, rnd(s.st_size / PAGE) * PAGE) != PAGE)
			die("read %s", path);
}

/* --- failures of the host ------------------------------------------------------------------------------------ */

/* Prints the error with which the host stopped us, and whether there is room again once the file is gone. */
static int fill(const char *dir)
{
	static char data[65536];
	char path[512];
	snprintf(path, sizeof path, "%s/filler", dir);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	if (fd < 0)
		die("open %s", path);
	while (write(fd, data, sizeof data) > 0)
		;
	int full = errno;
	if (ftruncate(fd, 0) != 0 || pwrite(fd, "room", 4, 0) != 4)
		die("no room after truncating");
	printf("full: errno %d, then room again\n", full);
	return close(fd) != 0 || unlink(path) != 0;
}

static void sync_records(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	char record[24];
	if (fd < 0)
		die("open %s", path);
	for (int i = 0;; i++) {
		snprintf(record, sizeof record, "record %08d\n", i);
		if (write(fd, record, 16) != 16)
			die("record %d", i);
		printf("written %d\n", i);
		if (i % 4 == 3) {
			if (fsync(fd) != 0)
				die("record %d", i);
			printf("durable %d\n", i);
		}
		fflush(stdout);
	}
}

int main(int argc, char **argv)
{
	const char *verb = argc > 2 ? argv[1] : "", *place = argc > 2 ? argv[2] : "";
	long number = argc > 3 ? atol(argv[3]) : 0, second = argc > 4 ? atol(argv[4]) : 0;
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (strcmp(verb, "exercise") == 0 && argc >= 6)
		return exercise(place, number, second, atoi(argv[5]), argc > 6 ? argv[6] : "");
	if (strcmp(verb, "locks") == 0)
		return locks(place, number, second);
	if (strcmp(verb, "trylock") == 0)
		return try_lock(place, number);
	if (strcmp(verb, "fill") == 0)
		return fill(place);
	if (strcmp(verb, "create") == 0)
		create_files(place, number);
	else if (strcmp(verb, "stat") == 0)
		stat_files(place, number);
	else if (strcmp(verb, "unlink") == 0)
		unlink_files(place, number);
	else if (strcmp(verb, "write") == 0 || strcmp(verb, "read") == 0)
		whole_file(place, number, second ? second : 1024, verb[0] == 'w');
	else if (strcmp(verb, "random-read") == 0)
		random_read(place, number);
	else if (strcmp(verb, "sync") == 0)
		sync_records(place);
	else {
		printf("usage: see the head of tool.c\n");
		return 2;
	}
	return 0;
}
