// SPDX-License-Identifier: GPL-2.0
#include <linux/compat.h>
#include <linux/slab.h>
#include <linux/syscalls.h>
#include <linux/uaccess.h>

#define LARGEST SZ_1M

struct memcpy_data {
	void __user *src;
	void __user *dst;
	unsigned long size;
};

static long copy(const struct memcpy_data *data)
{
	long error = 0;
	void *buf;

	if (data->size > LARGEST)
		return -E2BIG;
	buf = kmalloc(data->size, GFP_KERNEL);
	if (!buf)
		return -ENOMEM;
	if (copy_from_user(buf, data->src, data->size) ||
	    copy_to_user(data->dst, buf, data->size))
		error = -EFAULT;
	kfree(buf);
	return error;
}

SYSCALL_DEFINE1(memcpy_struct, struct memcpy_data __user *, data)
{
	struct memcpy_data own;

	if (copy_from_user(&own, data, sizeof(own)))
		return -EFAULT;
	return copy(&own);
}
