#include "CFalconPlatform.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <malloc.h>
#include <pthread.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

// Reflected CRC-32C polynomial, for machines without SSE 4.2.
static uint32_t crc32c_table[256];
static pthread_once_t crc32c_once = PTHREAD_ONCE_INIT;
static bool crc32c_hardware = false;

static void crc32c_init(void) {
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;
        for (int k = 0; k < 8; k++) c = (c & 1) ? (c >> 1) ^ 0x82F63B78u : c >> 1;
        crc32c_table[i] = c;
    }
#if defined(__x86_64__)
    crc32c_hardware = __builtin_cpu_supports("sse4.2");
#endif
}

static uint32_t crc32c_software(uint32_t crc, const uint8_t *p, size_t n) {
    while (n--) crc = crc32c_table[(crc ^ *p++) & 0xFF] ^ (crc >> 8);
    return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2")))
static uint32_t crc32c_sse42(uint32_t crc, const uint8_t *p, size_t n) {
    uint64_t c = crc;
    while (n >= 8) {
        uint64_t word;
        memcpy(&word, p, 8);
        c = __builtin_ia32_crc32di(c, word);
        p += 8;
        n -= 8;
    }
    uint32_t c32 = (uint32_t)c;
    while (n--) c32 = __builtin_ia32_crc32qi(c32, *p++);
    return c32;
}
#endif

uint32_t falcon_crc32c(uint32_t crc, const void *data, size_t length) {
    pthread_once(&crc32c_once, crc32c_init);
    crc = ~crc;
#if defined(__x86_64__)
    if (crc32c_hardware) return ~crc32c_sse42(crc, data, length);
#endif
    return ~crc32c_software(crc, data, length);
}

ssize_t falcon_pread_nowait(int fd, void *buffer, size_t length, int64_t offset) {
    struct iovec iov = {.iov_base = buffer, .iov_len = length};
    return preadv2(fd, &iov, 1, offset, RWF_NOWAIT);
}

bool falcon_overwrites_in_place(int fd) {
    struct statfs info;
    if (fstatfs(fd, &info) != 0) return false;
    return info.f_type == 0xEF53 /* ext4 */ || info.f_type == 0x58465342 /* XFS */;
}

int falcon_populate_writable(void *start, size_t length) {
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif
    return madvise(start, length, MADV_POPULATE_WRITE);
}

int falcon_open(const char *path, int flags, unsigned int mode) {
    return open(path, flags | O_CLOEXEC, mode);
}

int falcon_lock_exclusive(int fd) { return flock(fd, LOCK_EX | LOCK_NB); }

static uint32_t thread_ordinal_next = 1;
static _Thread_local uint32_t thread_ordinal = 0;
uint32_t falcon_thread_ordinal(void) {
    if (thread_ordinal == 0)
        thread_ordinal = __atomic_fetch_add(&thread_ordinal_next, 1, __ATOMIC_RELAXED);
    return thread_ordinal;
}

void falcon_futex_wait(const uint32_t *word, uint32_t expected, uint64_t nanos) {
    struct timespec t = {.tv_sec = (time_t)(nanos / 1000000000ull),
                         .tv_nsec = (long)(nanos % 1000000000ull)};
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, expected, &t, NULL, 0);
}
void falcon_futex_wake(const uint32_t *word, int count) {
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, count, NULL, NULL, 0);
}

void falcon_set_thread_background(int niceness) {
#ifdef SCHED_BATCH
    const struct sched_param none = {0};
    (void)pthread_setschedparam(pthread_self(), SCHED_BATCH, &none);
#endif
    // The calling thread's alone on Linux.
    if (niceness > 0) {
        (void)!nice(niceness);
    }
}

int falcon_mutex_init_spinning(pthread_mutex_t *mutex) {
    pthread_mutexattr_t attributes;
    int code = pthread_mutexattr_init(&attributes);
    if (code != 0) {
        return code;
    }
#ifdef PTHREAD_ADAPTIVE_MUTEX_INITIALIZER_NP
    (void)pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ADAPTIVE_NP);
#endif
    code = pthread_mutex_init(mutex, &attributes);
    (void)pthread_mutexattr_destroy(&attributes);
    return code;
}

void falcon_set_thread_name(const char *name) {
    char buffer[16];
    strncpy(buffer, name, 15);
    buffer[15] = 0;
    pthread_setname_np(pthread_self(), buffer);
}

static uint64_t clock_nanos(clockid_t id) {
    struct timespec t;
    clock_gettime(id, &t);
    return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}
uint64_t falcon_boottime_nanos(void) { return clock_nanos(CLOCK_BOOTTIME); }
uint64_t falcon_monotonic_nanos(void) { return clock_nanos(CLOCK_MONOTONIC); }
uint64_t falcon_realtime_nanos(void) { return clock_nanos(CLOCK_REALTIME); }

void falcon_trim_heap(void) {
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}

void falcon_limit_heaps(int count) {
#ifdef __GLIBC__
    mallopt(M_ARENA_MAX, count);
#endif
}

int falcon_start_writeback(int fd, int64_t offset, int64_t length) {
    return sync_file_range(fd, offset, length, SYNC_FILE_RANGE_WRITE);
}
