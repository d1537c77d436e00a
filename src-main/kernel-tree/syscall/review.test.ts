import { describe, expect, it } from 'vitest'
import { TreeFiles } from './facts.ts'
import { reviewText } from './review.ts'

/** Rule and line of each remark; the body begins in line 4. */
function remarks(parameters: string, body: string, before = ''): string[] {
  const count = parameters === '' ? 0 : parameters.split(',').length / 2
  const text = `#include <linux/syscalls.h>\n${before}\nSYSCALL_DEFINE${count}(copy${count === 0 ? '' : ', '}${parameters})\n{\n${body}\n}\n`
  const first = text.split('\n').indexOf('{') + 2
  return reviewText('kernel/copy.c', text, new TreeFiles('/nonexistent')).map(
    ({ rule, line }) => `${rule} ${line - first}`,
  )
}

const source = 'void __user *, src, void __user *, dst, unsigned long, len'

describe('the reviewer', () => {
  it("sees the two leaks and the unchecked length of the tutorial's own code", () => {
    const body = [
      'void *buf;',
      '',
      'buf = kmalloc(len, GFP_KERNEL);',
      'if (!buf)',
      '\treturn -ENOMEM;',
      '',
      'if (copy_from_user(buf, src, len))',
      '\treturn -EFAULT;',
      '',
      'if (copy_to_user(dst, buf, len))',
      '\treturn -EFAULT;',
      '',
      'kfree(buf);',
      'return 0;',
    ].join('\n')
    expect(remarks(source, body)).toEqual(['unchecked-length 2', 'leak 7', 'leak 10'])
  })

  it('is content with the mended code', () => {
    const body = [
      'long error = -EFAULT;',
      'void *buf;',
      'if (len > SZ_1M)',
      '\treturn -E2BIG;',
      'buf = kmalloc(len, GFP_KERNEL);',
      'if (unlikely(!buf)) return -ENOMEM;',
      'if (copy_from_user(buf, src, len)) goto out;',
      'if (copy_to_user(dst, buf, len)) goto out;',
      'error = 0;',
      'out:',
      'kfree(buf);',
      'return error;',
    ].join('\n')
    expect(remarks(source, body)).toEqual([])
  })

  it.each([
    ['char __user *, s', 'return s[0];', ['user-pointer-dereferenced 0']],
    ['int __user *, p', 'return *p;', ['user-pointer-dereferenced 0']],
    ['struct pair __user *, p', 'return p->a;', ['user-pointer-dereferenced 0']],
    ['char __user *, s', 'return strlen(s);', ['user-pointer-dereferenced 0']],
    ['void __user *, a, void __user *, b', 'memcpy(buffer, b, 4);\nreturn 0;', ['user-pointer-dereferenced 0']],
    ['int __user *, p', 'int v;\nif (get_user(v, p)) return -EFAULT;\nreturn v;', []],
    [
      'struct pair __user *, p',
      'struct pair k;\nif (copy_from_user(&k, p, sizeof(*p))) return -EFAULT;\nreturn put_user(k.a, &p->b);',
      [],
    ],
    ['int, a, int, b', 'return a * b;', []],
    ['char *, s', 'return 0;', ['missing-__user -2']],
    ['void __user *, p, size_t, n', 'copy_to_user(p, &x, n);\nreturn 0;', ['copy-not-checked 0']],
    ['void __user *, p, size_t, n', 'return copy_to_user(p, &x, n);', ['copy-result-returned 0']],
    ['void __user *, p, int, n', 'if (copy_to_user(p, x, n)) return -EFAULT;\nreturn 0;', ['signed-length 0']],
    [
      'void __user *, p, int, n',
      'if (n < 0) return -EINVAL;\nif (copy_to_user(p, x, n)) return -EFAULT;\nreturn 0;',
      [],
    ],
    ['int, a', 'if (a) return EINVAL;\nreturn 0;', ['positive-errno 0']],
    ['int, a', 'char *p = kmalloc(8, GFP_KERNEL);\np[0] = 1;\nkfree(p);\nreturn 0;', ['allocation-not-checked 0']],
    [
      'void __user *, u, size_t, n',
      'char *p;\nif (n > 8) return -E2BIG;\np = memdup_user(u, n);\nif (!p) return -ENOMEM;\nkfree(p);\nreturn 0;',
      ['wrong-allocation-test 3'],
    ],
    [
      'void __user *, u, size_t, n',
      'char *p;\nif (n > 8) return -E2BIG;\np = memdup_user(u, n);\nif (IS_ERR(p)) return PTR_ERR(p);\nkfree(p);\nreturn 0;',
      [],
    ],
    [
      'int, a',
      'void *p = kmalloc(8, GFP_KERNEL);\nvoid *q;\nif (!p) return -ENOMEM;\nq = kmalloc(8, GFP_KERNEL);\nif (!q) return -ENOMEM;\nkfree(q);\nkfree(p);\nreturn 0;',
      ['leak 4'],
    ],
    [
      'int, a',
      'void *p = kmalloc(8, GFP_KERNEL);\nif (!p) return -ENOMEM;\nif (a) {\nkfree(p);\nreturn 1;\n}\nreturn 0;',
      ['leak 6'],
    ],
    ['int, a', 'void *p = kmalloc(8, GFP_KERNEL);\nif (!p) return -ENOMEM;\nfile->private_data = p;\nreturn 0;', []],
    [
      'size_t, n',
      'void *p;\nn = min(n, 64UL);\np = kmalloc(n, GFP_KERNEL);\nif (!p) return -ENOMEM;\nkfree(p);\nreturn 0;',
      [],
    ],
    ['', '/* return EINVAL; */\nreturn 0;', []],
  ] as const)('(%s) { %s }', (parameters, body, expected) => {
    expect(remarks(parameters, body)).toEqual(expected)
  })

  it('computes the layout of a struct for both kinds of programs', () => {
    const data = 'struct data { void __user *src; void __user *dst; unsigned long size; };'
    const text = `${data}\nSYSCALL_DEFINE1(copy, struct data __user *, data)\n{\n\treturn 0;\n}\n`
    const [remark] = reviewText('kernel/copy.c', text, new TreeFiles('/nonexistent'))
    expect(remark).toMatchObject({ rule: 'struct-layout-i386', severity: 'question', line: 2 })
    expect(remark.sentence).toContain('24 bytes for 64-bit and 12 for 32-bit')
    const rule = (struct: string) => remarks('struct data __user *, data', 'return 0;', struct)
    expect(rule('struct data { __u64 src; __u64 dst; __u64 size; };')).toEqual([])
    expect(rule('struct data { __u32 a; __u64 b; };')).toEqual(['struct-layout-i386 -2'])
    expect(rule('struct data { __u32 a[2]; __u64 b; };')).toEqual([])
    expect(rule('struct data { char name[12]; __aligned_u64 b; };')).toEqual([])
  })

  it('tells a macro of the wrong arity', () => {
    const text = 'SYSCALL_DEFINE2(copy, int, a)\n{\n\treturn 0;\n}\n'
    expect(reviewText('a.c', text, new TreeFiles('/nonexistent')).map(({ rule }) => rule)).toEqual(['argument-count'])
  })
})

describe('memory that is given away', () => {
  const body = (use: string) => `void *p = kmalloc(8, GFP_KERNEL);\nif (!p) return -ENOMEM;\n${use}\nreturn 0;`
  it('is not a leak: an unknown function may keep it', () => {
    expect(remarks('int, a', body('register_thing(name, p);'))).toEqual([])
    expect(
      remarks('int, a', 'void *p __free(kfree) = kmalloc(8, GFP_KERNEL);\nif (!p) return -ENOMEM;\nreturn 0;'),
    ).toEqual([])
  })
  it('is one when the function only borrows', () => {
    expect(remarks('int, a', body('memset(p, 0, 8);'))).toEqual(['leak 3'])
    expect(remarks('int, a', body('rotate(p);'), 'static void rotate(char *p) { }')).toEqual(['leak 3'])
  })
})
