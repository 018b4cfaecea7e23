/* Small blocks come from chunks of granules, searched from where the latest block ended. The first
 * chunk is part of the library: its pages cost nothing until they are used, and no limit set later
 * can take them away. Others are added while most of it is in use by what outlives calls. A granule
 * where a block begins knows the block's length.
 *
 * A large block is a mapping of its own. */
#define _GNU_SOURCE
#include "reserve.h"

#include "graft_memory.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>

enum { GRANULE = 64, GRANULE_COUNT = 32 << 10, MOST_CHUNKS = 32, MOST_MAPPINGS = 256 };

typedef struct {
    atomic_size_t used;
    size_t cursor;
    uint32_t lengths[GRANULE_COUNT];
    _Alignas(GRANULE) char granules[GRANULE_COUNT][GRANULE];
} chunk;

static chunk first;
static chunk *chunks[MOST_CHUNKS] = {&first};
static atomic_int chunk_count = 1;
static struct {
    void *start;
    size_t size;
} mappings[MOST_MAPPINGS];
static atomic_int mapping_count;
static atomic_flag is_locked = ATOMIC_FLAG_INIT;

void gm_lock(void) {
    while (atomic_flag_test_and_set_explicit(&is_locked, memory_order_acquire))
        sched_yield();
}

void gm_unlock(void) {
    atomic_flag_clear_explicit(&is_locked, memory_order_release);
}

static void *allocate_in(chunk *chunk, size_t count, size_t start, size_t end) {
    for (size_t i = start, length = 0; i < end;) {
        if (chunk->lengths[i] > 0) {
            i += chunk->lengths[i];
            length = 0;
        } else if (++length, ++i, length == count) {
            chunk->lengths[i - count] = (uint32_t)count;
            chunk->used += count;
            chunk->cursor = i;
            return chunk->granules[i - count];
        }
    }
    return NULL;
}

bool gm_reserve_add(void *mapping, size_t size) {
    gm_lock();
    int i = 0;
    while (i < MOST_MAPPINGS && mappings[i].start)
        i++;
    bool fits = i < MOST_MAPPINGS;
    if (fits) {
        mappings[i].start = mapping;
        mappings[i].size = size;
        atomic_fetch_add_explicit(&mapping_count, 1, memory_order_release);
    }
    gm_unlock();
    return fits;
}

/* Size of a large block, 0 where it is none; takes it off the list if it `leaves`. */
static size_t find_mapping(const void *block, bool leaves) {
    if (!block || atomic_load_explicit(&mapping_count, memory_order_acquire) == 0)
        return 0;
    size_t size = 0;
    gm_lock();
    for (int i = 0; i < MOST_MAPPINGS && size == 0; i++) {
        if (mappings[i].start != block)
            continue;
        size = mappings[i].size;
        if (leaves) {
            mappings[i].start = NULL;
            atomic_fetch_sub_explicit(&mapping_count, 1, memory_order_release);
        }
    }
    gm_unlock();
    return size;
}

void *gm_reserve_allocate(size_t size) {
    size_t count = size > 0 ? (size + GRANULE - 1) / GRANULE : 1;
    void *block = NULL;
    gm_lock();
    for (int i = 0; i < atomic_load_explicit(&chunk_count, memory_order_relaxed) && !block; i++) {
        size_t cursor = chunks[i]->cursor;
        block = allocate_in(chunks[i], count, cursor, GRANULE_COUNT);
        if (!block)
            block = allocate_in(chunks[i], count, 0, cursor);
    }
    gm_unlock();
    return block;
}

/* The chunk of a block, and where in it the block begins. */
static chunk *chunk_of(const void *block, size_t *granule) {
    int count = atomic_load_explicit(&chunk_count, memory_order_acquire);
    for (int i = 0; i < count; i++) {
        uintptr_t offset = (uintptr_t)block - (uintptr_t)chunks[i]->granules;
        if (offset < sizeof chunks[i]->granules) {
            *granule = offset / GRANULE;
            return chunks[i];
        }
    }
    return NULL;
}

size_t gm_reserve_size(const void *block) {
    size_t granule;
    chunk *chunk = chunk_of(block, &granule);
    return chunk ? (size_t)chunk->lengths[granule] * GRANULE : find_mapping(block, false);
}

bool gm_reserve_free(void *block) {
    size_t granule;
    chunk *chunk = chunk_of(block, &granule);
    if (!chunk) {
        size_t size = find_mapping(block, true);
        return size > 0 && munmap(block, size) == 0;
    }
    gm_lock();
    chunk->used -= chunk->lengths[granule];
    chunk->lengths[granule] = 0;
    gm_unlock();
    return true;
}

bool gm_has_reserve(void) {
    int count = atomic_load_explicit(&chunk_count, memory_order_acquire);
    if (chunks[count - 1]->used <= GRANULE_COUNT / 2) /* a guess: others may be at work */
        return true;
    if (count == MOST_CHUNKS)
        return false;
    chunk *new = mmap(NULL, sizeof *new, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (new == MAP_FAILED)
        return false;
    gm_lock();
    int now = atomic_load_explicit(&chunk_count, memory_order_relaxed);
    bool adds = now == count;
    if (adds) {
        chunks[count] = new;
        atomic_store_explicit(&chunk_count, count + 1, memory_order_release);
    }
    gm_unlock();
    if (!adds)
        munmap(new, sizeof *new);
    return true;
}
