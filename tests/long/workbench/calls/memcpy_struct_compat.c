
#ifdef CONFIG_COMPAT
struct compat_memcpy_data {
	compat_uptr_t src;
	compat_uptr_t dst;
	compat_ulong_t size;
};

COMPAT_SYSCALL_DEFINE1(memcpy_struct, struct compat_memcpy_data __user *, data)
{
	struct compat_memcpy_data narrow;
	struct memcpy_data own;

	if (copy_from_user(&narrow, data, sizeof(narrow)))
		return -EFAULT;
	own.src = compat_ptr(narrow.src);
	own.dst = compat_ptr(narrow.dst);
	own.size = narrow.size;
	return copy(&own);
}
#endif
