// Platform shims without logic: atomics on raw memory, hardware CRC-32C, prefetch, and the system
// calls Swift cannot import.
#pragma once
#include <stddef.h>
#include <pthread.h>
#include <stdint.h>
#include <stdbool.h>
#include <sys/types.h>

// Atomics on raw memory. Swift's Atomic<T> cannot live inside an arena that is addressed by offset.
static inline uint32_t falcon_load_acquire_u32(const void *p) {
    return __atomic_load_n((const uint32_t *)p, __ATOMIC_ACQUIRE);
}
static inline uint64_t falcon_load_acquire_u64(const void *p) {
    return __atomic_load_n((const uint64_t *)p, __ATOMIC_ACQUIRE);
}
static inline uint32_t falcon_load_relaxed_u32(const void *p) {
    return __atomic_load_n((const uint32_t *)p, __ATOMIC_RELAXED);
}
static inline uint64_t falcon_load_relaxed_u64(const void *p) {
    return __atomic_load_n((const uint64_t *)p, __ATOMIC_RELAXED);
}
static inline void falcon_store_release_u32(void *p, uint32_t v) {
    __atomic_store_n((uint32_t *)p, v, __ATOMIC_RELEASE);
}
static inline void falcon_store_release_u64(void *p, uint64_t v) {
    __atomic_store_n((uint64_t *)p, v, __ATOMIC_RELEASE);
}
static inline void falcon_store_relaxed_u32(void *p, uint32_t v) {
    __atomic_store_n((uint32_t *)p, v, __ATOMIC_RELAXED);
}
static inline void falcon_store_relaxed_u64(void *p, uint64_t v) {
    __atomic_store_n((uint64_t *)p, v, __ATOMIC_RELAXED);
}
static inline uint64_t falcon_fetch_add_u64(void *p, uint64_t v) {
    return __atomic_fetch_add((uint64_t *)p, v, __ATOMIC_ACQ_REL);
}
static inline uint32_t falcon_fetch_add_u32(void *p, uint32_t v) {
    return __atomic_fetch_add((uint32_t *)p, v, __ATOMIC_ACQ_REL);
}
static inline bool falcon_cas_u64(void *p, uint64_t *expected, uint64_t desired) {
    return __atomic_compare_exchange_n((uint64_t *)p, expected, desired, false,
                                       __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}
static inline uint64_t falcon_exchange_u64(void *p, uint64_t v) {
    return __atomic_exchange_n((uint64_t *)p, v, __ATOMIC_ACQ_REL);
}
static inline void falcon_fence_acquire(void) { __atomic_thread_fence(__ATOMIC_ACQUIRE); }
static inline void falcon_fence_release(void) { __atomic_thread_fence(__ATOMIC_RELEASE); }

static inline void falcon_prefetch(const void *p) { __builtin_prefetch(p, 0, 3); }

/// CRC-32C (Castagnoli) of `length` bytes continuing from `crc` (0 to begin).
uint32_t falcon_crc32c(uint32_t crc, const void *data, size_t length);

/// preadv2 with RWF_NOWAIT: the bytes read, or -1 with errno (EAGAIN when the disk would be waited for).
ssize_t falcon_pread_nowait(int fd, void *buffer, size_t length, int64_t offset);
/// Starts writing dirty pages of the range to the device, without waiting; nonzero where it cannot.
int falcon_start_writeback(int fd, int64_t offset, int64_t length);

/// The file lies on a file system that writes blocks again where they are (ext4, XFS).
bool falcon_overwrites_in_place(int fd);
/// madvise(MADV_POPULATE_WRITE): makes mapped pages present and writable; 0, or -1 with errno.
int falcon_populate_writable(void *start, size_t length);

/// open(2) without its variadic tail.
int falcon_open(const char *path, int flags, unsigned int mode);
/// flock(LOCK_EX | LOCK_NB); 0 or -1 with errno.
int falcon_lock_exclusive(int fd);
/// A small number of the calling thread, the same at each call: for picking a shard.
uint32_t falcon_thread_ordinal(void);
/// Sleeps while *word == expected, at most `nanos`; may wake for no reason.
void falcon_futex_wait(const uint32_t *word, uint32_t expected, uint64_t nanos);
/// Wakes up to `count` sleepers on `word`.
void falcon_futex_wake(const uint32_t *word, int count);
/// Sets the calling thread's name (15 bytes at most).
void falcon_set_thread_name(const char *name);
/// Makes the calling thread one whose work others should not wait behind: with more niceness, and not to
/// interrupt a thread that runs when it is woken. What the system refuses is left out.
void falcon_set_thread_background(int niceness);
/// A mutex that a thread which finds it taken first waits for awake, for a microsecond or so.
int falcon_mutex_init_spinning(pthread_mutex_t *mutex);
/// CLOCK_BOOTTIME in nanoseconds: runs through suspend and is untouched by clock steps.
uint64_t falcon_boottime_nanos(void);
/// CLOCK_MONOTONIC in nanoseconds.
uint64_t falcon_monotonic_nanos(void);
/// Gives freed memory that the allocator keeps back to the system; nothing where it has no such call.
void falcon_trim_heap(void);
/// Has all threads share so many heaps; nothing where the allocator has no such setting. Before threads begin.
void falcon_limit_heaps(int count);
/// CLOCK_REALTIME in nanoseconds since 1970.
uint64_t falcon_realtime_nanos(void);
