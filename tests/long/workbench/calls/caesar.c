// SPDX-License-Identifier: GPL-2.0
#include <linux/slab.h>
#include <linux/syscalls.h>
#include <linux/uaccess.h>

#define OP_ENCRYPT 0
#define OP_DECRYPT 1
#define LONGEST PAGE_SIZE

static char rotate(char c, unsigned int by)
{
	if (c >= 'a' && c <= 'z')
		return 'a' + (c - 'a' + by) % 26;
	if (c >= 'A' && c <= 'Z')
		return 'A' + (c - 'A' + by) % 26;
	return c;
}

SYSCALL_DEFINE4(caesar, const char __user *, in_str, char __user *, out_str,
		unsigned int, op, unsigned int, rot)
{
	long error = 0;
	char *text;
	char *c;

	if (op != OP_ENCRYPT && op != OP_DECRYPT)
		return -EINVAL;
	text = strndup_user(in_str, LONGEST);
	if (IS_ERR(text))
		return PTR_ERR(text);
	rot %= 26;
	for (c = text; *c; c++)
		*c = rotate(*c, op == OP_ENCRYPT ? rot : 26 - rot);
	if (copy_to_user(out_str, text, strlen(text) + 1))
		error = -EFAULT;
	kfree(text);
	return error;
}
