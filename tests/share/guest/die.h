#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Says what went wrong, with errno, and ends the program. */
static void die(const char *format, ...)
{
	va_list arguments;
	int cause = errno;
	va_start(arguments, format);
	vprintf(format, arguments);
	printf(" (errno %d, %s)\n", cause, strerror(cause));
	exit(1);
}
