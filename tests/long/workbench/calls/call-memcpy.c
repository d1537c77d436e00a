#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static long number;

static void attempt(const char *name, const void *from, void *to, unsigned long length)
{
	errno = 0;
	long result = syscall(number, from, to, length);
	printf("%s: %ld, errno %d\n", name, result, errno);
}

int main(int argc, char **argv)
{
	int from[] = {1, 2, 3, 777, '5', 'a', 0x0800, -15500, 42, 1337};
	int to[10] = {0};

	if (argc < 2)
		return 2;
	number = atol(argv[1]);
	attempt("good", from, to, sizeof(from));
	printf("equal: %d\n", memcmp(from, to, sizeof(from)) == 0);
	attempt("null", NULL, to, 4);
	attempt("kernel address", from, (void *)0xffffffff81000000UL, 4);
	attempt("no canonical address", from, (void *)0x1234567890abcdefUL, 4);
	attempt("length 0", from, to, 0);
	attempt("huge", from, to, 1UL << 40);
	return 0;
}
