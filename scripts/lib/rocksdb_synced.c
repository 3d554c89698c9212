/* Random synced (or unsynced) puts into RocksDB by several threads, through its C interface.
 * rocksdb_synced DIRECTORY THREADS WRITES_OF_EACH SYNC(0|1): prints operations a second. */
#include <pthread.h>
#include <rocksdb/c.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static rocksdb_t *database;
static rocksdb_writeoptions_t *write_options;
static long writes;
static uint64_t key_space;

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec + now.tv_nsec / 1e9;
}

static void check(char *error) {
    if (error == NULL) return;
    fprintf(stderr, "%s\n", error);
    exit(1);
}

static void *put_all(void *thread) {
    uint64_t state = ((uintptr_t)thread + 1) * 0x9E3779B97F4A7C15u;
    char key[16], value[100], *error = NULL;
    memset(key, '0', sizeof key);
    for (int i = 0; i < 100; i++) value[i] = i < 50 ? (char)rand() : 0;
    for (long i = 0; i < writes; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        uint64_t number = state % key_space;
        for (int j = 0; j < 8; j++) key[7 - j] = (char)(number >> (8 * j));
        value[i % 50] = (char)state;
        rocksdb_put(database, write_options, key, sizeof key, value, sizeof value, &error);
        check(error);
    }
    return NULL;
}

int main(int count, char **arguments) {
    if (count != 5) return 2;
    int threads = atoi(arguments[2]);
    pthread_t running[64];
    char *error = NULL;
    if (threads < 1 || threads > 64) return 2;
    writes = atol(arguments[3]);
    key_space = (uint64_t)writes * (uint64_t)threads;
    rocksdb_options_t *options = rocksdb_options_create();
    rocksdb_options_set_create_if_missing(options, 1);
    rocksdb_options_set_write_buffer_size(options, 64 << 20);
    rocksdb_options_set_compression(options, rocksdb_no_compression);
    rocksdb_options_set_max_background_jobs(options, 2);
    database = rocksdb_open(options, arguments[1], &error);
    check(error);
    write_options = rocksdb_writeoptions_create();
    rocksdb_writeoptions_set_sync(write_options, atoi(arguments[4]) != 0);
    double began = seconds();
    for (int i = 0; i < threads; i++) pthread_create(&running[i], NULL, put_all, (void *)(uintptr_t)i);
    for (int i = 0; i < threads; i++) pthread_join(running[i], NULL);
    printf("%.0f\n", (double)key_space / (seconds() - began));
    rocksdb_close(database);
    return 0;
}
