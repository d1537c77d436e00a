#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
int main(int argc, char **argv)
{
	char out[64], back[64];
	long nr = atol(argv[1]);
	long there = syscall(nr, "Hello, Kernel xyz!", out, 0, 3);
	long again = syscall(nr, out, back, 1, 3);
	printf("%ld %s\n%ld %s\n", there, out, again, back);
	return 0;
}
