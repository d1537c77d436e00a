/*
 * Small workloads in plain C, each named by its first argument: static NAME [SCALE]. Every one prints its name, its own wall time
 * in ms by the guest's clock, and a checksum that both machines must agree on. gcc -O2 -static.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Keeps the compiler from seeing through a value or a call. */
#define OPAQUE(x) __asm__ volatile("" : "+r"(x))

static uint64_t random_state;

/* xorshift64*: the same numbers everywhere. */
static uint64_t next_random(void)
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return random_state * 0x2545f4914f6cdd1dULL;
}

static uint64_t crc32_bytes(int scale)
{
    static uint8_t data[1 << 20];
    uint32_t table[256];
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t value = i;
        for (int bit = 0; bit < 8; bit++)
            value = value & 1 ? value >> 1 ^ 0xedb88320u : value >> 1;
        table[i] = value;
    }
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = next_random() >> 56;
    uint32_t crc = ~0u;
    for (int round = 0; round < 100 * scale; round++)
        for (size_t i = 0; i < sizeof data; i++)
            crc = table[(crc ^ data[i]) & 0xff] ^ crc >> 8;
    return ~crc;
}

static int compare_ints(const void *a, const void *b)
{
    int x = *(const int *)a, y = *(const int *)b;
    return x < y ? -1 : x > y;
}

static uint64_t sort(int scale)
{
    enum { COUNT = 200000 };
    static int numbers[COUNT];
    uint64_t sum = 0;
    for (int round = 0; round < 4 * scale; round++) {
        for (int i = 0; i < COUNT; i++)
            numbers[i] = next_random() >> 33;
        qsort(numbers, COUNT, sizeof *numbers, compare_ints);
        for (int i = 0; i < COUNT; i += 997)
            sum = sum * 31 + numbers[i];
    }
    return sum;
}

enum { SIDE = 160 };

static uint64_t matmul_int(int scale)
{
    static int a[SIDE][SIDE], b[SIDE][SIDE], c[SIDE][SIDE];
    for (int i = 0; i < SIDE; i++)
        for (int j = 0; j < SIDE; j++) {
            a[i][j] = next_random() & 0xff;
            b[i][j] = next_random() & 0xff;
        }
    uint64_t sum = 0;
    for (int round = 0; round < 12 * scale; round++) {
        memset(c, 0, sizeof c);
        for (int i = 0; i < SIDE; i++)
            for (int k = 0; k < SIDE; k++)
                for (int j = 0; j < SIDE; j++)
                    c[i][j] += a[i][k] * b[k][j];
        a[round % SIDE][0] ^= c[round % SIDE][1] & 0xff;
        sum += c[round % SIDE][round % SIDE];
    }
    return sum;
}

static uint64_t matmul_double(int scale)
{
    static double a[SIDE][SIDE], b[SIDE][SIDE], c[SIDE][SIDE];
    for (int i = 0; i < SIDE; i++)
        for (int j = 0; j < SIDE; j++) {
            a[i][j] = (double)(next_random() & 0xffff) / 256;
            b[i][j] = (double)(next_random() & 0xffff) / 256;
        }
    double sum = 0;
    for (int round = 0; round < 6 * scale; round++) {
        memset(c, 0, sizeof c);
        for (int i = 0; i < SIDE; i++)
            for (int k = 0; k < SIDE; k++)
                for (int j = 0; j < SIDE; j++)
                    c[i][j] += a[i][k] * b[k][j];
        a[round % SIDE][0] = c[round % SIDE][1] / 65536;
        sum += c[round % SIDE][round % SIDE];
    }
    return (uint64_t)(sum / 1024);
}

static uint64_t string_search(int scale)
{
    enum { LENGTH = 1 << 20 };
    static char text[LENGTH + 1];
    for (int i = 0; i < LENGTH; i++)
        text[i] = 'a' + (next_random() >> 60) % 4;
    const char *needles[] = {"abcdabcdabcd", "ddddddddddd", "abacadabacad", "cccabcccabccc"};
    uint64_t found = 0;
    for (int round = 0; round < 40 * scale; round++)
        for (int n = 0; n < 4; n++)
            for (const char *at = text; (at = strstr(at, needles[n])) != NULL; at++)
                found += at - text + 1;
    return found;
}

static uint64_t sieve(int scale)
{
    enum { LIMIT = 2000000 };
    static uint8_t composite[LIMIT];
    uint64_t primes = 0;
    for (int round = 0; round < 20 * scale; round++) {
        memset(composite, 0, sizeof composite);
        for (int i = 2; i < LIMIT; i++) {
            if (composite[i])
                continue;
            primes++;
            for (long j = (long)i * i; j < LIMIT; j += i)
                composite[j] = 1;
        }
    }
    return primes;
}

static uint64_t list_walk(int scale)
{
    enum { NODES = 1 << 18 };
    struct node {
        struct node *next;
        uint64_t value, padding[6];
    };
    struct node *nodes = calloc(NODES, sizeof *nodes);
    uint32_t *order = calloc(NODES, sizeof *order);
    for (uint32_t i = 0; i < NODES; i++)
        order[i] = i;
    for (uint32_t i = NODES - 1; i > 0; i--) {
        uint32_t j = next_random() % (i + 1), kept = order[i];
        order[i] = order[j];
        order[j] = kept;
    }
    for (uint32_t i = 0; i < NODES; i++) {
        nodes[order[i]].next = &nodes[order[(i + 1) % NODES]];
        nodes[order[i]].value = i;
    }
    uint64_t sum = 0;
    struct node *at = nodes;
    for (long step = 0; step < 12L * NODES * scale; step++) {
        sum += at->value;
        at = at->next;
    }
    return sum;
}

static __attribute__((noinline)) uint64_t fibonacci(unsigned n)
{
    __asm__ volatile("");
    return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

static uint64_t calls(int scale)
{
    uint64_t sum = 0;
    for (int round = 0; round < scale; round++)
        sum += fibonacci(36);
    return sum;
}

static __attribute__((noinline)) uint64_t op_add(uint64_t x) { return x + 7; }
static __attribute__((noinline)) uint64_t op_xor(uint64_t x) { return x ^ 0x55; }
static __attribute__((noinline)) uint64_t op_shift(uint64_t x) { return x << 1 | x >> 63; }
static __attribute__((noinline)) uint64_t op_sub(uint64_t x) { return x - 3; }

static uint64_t indirect_calls(int scale)
{
    uint64_t (*operations[4])(uint64_t) = {op_add, op_xor, op_shift, op_sub};
    uint64_t value = 1;
    for (long i = 0; i < 40000000L * scale; i++)
        value = operations[(value ^ i) & 3](value);
    return value;
}

static uint64_t divide(int scale)
{
    uint64_t sum = 0, divisor = 3;
    for (long i = 0; i < 50000000L * scale; i++) {
        OPAQUE(divisor);
        sum += (0x123456789abcdefULL + sum) / divisor + i % divisor;
        divisor = (divisor * 5 + 1) & 0xffffff;
        divisor |= 1;
    }
    return sum;
}

static uint64_t copy(int scale)
{
    enum { SIZE = 1 << 20 };
    static uint8_t from[SIZE + 64], to[SIZE + 64];
    for (size_t i = 0; i < sizeof from; i++)
        from[i] = i * 7;
    uint64_t sum = 0;
    for (int round = 0; round < 1500 * scale; round++) {
        uint8_t *target = to + round % 16;
        OPAQUE(target);
        memcpy(target, from + round % 32, SIZE);
        sum += to[(round * 4099) % SIZE];
    }
    return sum;
}

static uint64_t syscalls(int scale)
{
    uint64_t count = 0;
    for (long i = 0; i < 1000000L * scale; i++)
        count += syscall(SYS_getppid) > 0;
    return count;
}

static uint64_t page_faults(int scale)
{
    enum { PAGES = 4096 };
    uint64_t sum = 0;
    for (int round = 0; round < 12 * scale; round++) {
        uint8_t *area = mmap(NULL, PAGES * 4096L, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        for (long page = 0; page < PAGES; page++)
            area[page * 4096] = page;
        sum += area[77 * 4096];
        munmap(area, PAGES * 4096L);
    }
    return sum;
}

static const struct {
    const char *name;
    uint64_t (*run)(int scale);
} workloads[] = {
    {"crc32", crc32_bytes},   {"sort", sort},         {"matmul-int", matmul_int},
    {"matmul-double", matmul_double}, {"string-search", string_search}, {"sieve", sieve},
    {"list-walk", list_walk}, {"calls", calls},       {"indirect-calls", indirect_calls},
    {"divide", divide},       {"memcpy", copy},       {"syscalls", syscalls},
    {"page-faults", page_faults},
};

int main(int argc, char **argv)
{
    int scale = argc > 2 ? atoi(argv[2]) : 1;
    for (size_t i = 0; argc > 1 && i < sizeof workloads / sizeof *workloads; i++) {
        if (strcmp(argv[1], workloads[i].name) != 0)
            continue;
        struct timespec begun, ended;
        random_state = 0x9e3779b97f4a7c15ULL;
        clock_gettime(CLOCK_MONOTONIC, &begun);
        uint64_t sum = workloads[i].run(scale);
        clock_gettime(CLOCK_MONOTONIC, &ended);
        long ms = (ended.tv_sec - begun.tv_sec) * 1000 + (ended.tv_nsec - begun.tv_nsec) / 1000000;
        printf("%s %ld ms %016llx\n", argv[1], ms, (unsigned long long)sum);
        return 0;
    }
    fprintf(stderr, "usage: static NAME [SCALE]\n");
    return 2;
}
