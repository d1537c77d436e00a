#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <errno.h>
struct memcpy_data { void *src; void *dst; unsigned long size; };
int main(int argc, char **argv)
{
	char from[] = "some bytes", to[16] = "";
	/* what lies behind a 12-byte struct is read by a kernel that expects 24 */
	struct { struct memcpy_data data; unsigned char zero[32]; } call;
	memset(&call, 0, sizeof(call));
	call.data.src = from; call.data.dst = to; call.data.size = sizeof(from);
	errno = 0;
	long result = syscall(atol(argv[1]), &call.data);
	printf("%d bytes: result %ld errno %d, \"%s\"\n", (int)sizeof(struct memcpy_data), result, errno, to);
	return 0;
}
