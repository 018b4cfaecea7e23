/* The functions that the linker puts before the C library's (Package.swift: --wrap), and what calls ask of them. */
#define _GNU_SOURCE
#include "graft_memory.h"
#include "reserve.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
int __real_posix_memalign(void **out, size_t alignment, size_t size);
size_t __real_malloc_usable_size(void *block);
void __real_free(void *block);

/* Bytes that a call may allocate between two looks ahead. */
enum { STRIDE = 256 << 10 };

_Thread_local gm_state gm_thread;

gm_state gm_begin(void) {
    gm_state outer = gm_thread;
    gm_thread = (gm_state){0};
    return outer;
}

void gm_end(gm_state outer) { gm_thread = outer; }

/* Address space may be gone while the C library still has a block that was freed. */
static bool can_have(size_t size) {
    if (size > PTRDIFF_MAX)
        return false;
    void *block = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (block != MAP_FAILED) {
        munmap(block, size);
        return true;
    }
    block = __real_malloc(size);
    __real_free(block);
    return block != NULL;
}

/* What grows becomes twice as large, and is copied: the next growth of the largest block must be possible, too. */
static void look_ahead(void) {
    gm_thread.since_look = 0;
    if (!gm_thread.is_short && !can_have(2 * gm_thread.largest + 4 * STRIDE))
        gm_thread.is_short = true;
}

bool gm_announce(size_t size) {
    if (size > PTRDIFF_MAX / 4)
        return false;
    if (size / 2 > gm_thread.largest)
        gm_thread.largest = size / 2;
    look_ahead();
    return !gm_thread.is_short;
}

/* Notes a block that the C library gave, or finds one where it gave none. */
static void *given(void *block, size_t size) {
    if (!block) {
        gm_thread.is_short = true;
        return gm_reserve_allocate(size);
    }
    if (size > gm_thread.largest)
        gm_thread.largest = size;
    gm_thread.since_look += size;
    if (gm_thread.since_look >= STRIDE)
        look_ahead();
    return block;
}

void *__wrap_malloc(size_t size) { return given(__real_malloc(size), size); }

void *__wrap_calloc(size_t count, size_t size) {
    void *block = __real_calloc(count, size);
    size_t total;
    if (__builtin_mul_overflow(count, size, &total))
        return NULL;
    bool is_zero = block != NULL;
    block = given(block, total);
    if (block && !is_zero)
        memset(block, 0, total);
    return block;
}

void *__wrap_realloc(void *block, size_t size) {
    size = size > 0 ? size : 1; /* the C library would free the block and return NULL */
    size_t old = block ? gm_reserve_size(block) : 0;
    void *new = given(old > 0 ? __real_malloc(size) : __real_realloc(block, size), size);
    if (!new || !block || (old == 0 && gm_reserve_size(new) == 0))
        return new;
    if (old == 0)
        old = __real_malloc_usable_size(block);
    memcpy(new, block, old < size ? old : size);
    if (!gm_reserve_free(block))
        __real_free(block);
    return new;
}

int __wrap_posix_memalign(void **out, size_t alignment, size_t size) {
    void *block = NULL;
    int status = __real_posix_memalign(&block, alignment, size);
    if (status != 0 && (status != ENOMEM || alignment > 64))
        return status;
    *out = given(status == 0 ? block : NULL, size);
    return *out ? 0 : ENOMEM;
}

size_t __wrap_malloc_usable_size(void *block) {
    size_t size = gm_reserve_size(block);
    return size > 0 ? size : __real_malloc_usable_size(block);
}

void __wrap_free(void *block) {
    if (!gm_reserve_free(block))
        __real_free(block);
}

/* C++'s operators, in the parts of Swift's runtime that are written in it. */
void *__wrap__Znwm(size_t size) { return __wrap_malloc(size); }

void *__wrap__ZnwmSt11align_val_t(size_t size, size_t alignment) {
    void *block = NULL;
    return __wrap_posix_memalign(&block, alignment, size) == 0 ? block : NULL;
}

void __wrap__ZdlPvm(void *block, size_t size) {
    (void)size;
    __wrap_free(block);
}

void __wrap__ZdlPvmSt11align_val_t(void *block, size_t size, size_t alignment) {
    (void)size;
    (void)alignment;
    __wrap_free(block);
}
