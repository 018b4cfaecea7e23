/* The functions that the linker puts before the C library's (Package.swift: --wrap), and what calls
 * ask of them. */
#define _GNU_SOURCE
#include "graft_memory.h"
#include "reserve.h"

#include <errno.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
int __real_posix_memalign(void **out, size_t alignment, size_t size);
size_t __real_malloc_usable_size(void *block);
void __real_free(void *block);

_Thread_local gm_state gm_thread;

static size_t page_size(void) {
    return (size_t)sysconf(_SC_PAGESIZE);
}

gm_state gm_begin(void) {
    gm_state outer = gm_thread;
    gm_thread = (gm_state){0};
    return outer;
}

void gm_end(gm_state outer) {
    if (gm_thread.standby)
        munmap(gm_thread.standby, gm_thread.standby_size);
    gm_thread = outer;
}

/* Makes the standby at least so large. Its pages cost nothing until they are used. */
static bool stand_by(size_t size) {
    gm_state *state = &gm_thread;
    if (size <= state->standby_size)
        return true;
    if (size > PTRDIFF_MAX)
        return false;
    size = (size + page_size() - 1) & -page_size();
    void *new = state->standby ? mremap(state->standby, state->standby_size, size, MREMAP_MAYMOVE)
                               : mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (new == MAP_FAILED)
        return false;
    state->standby = new;
    state->standby_size = size;
    return true;
}

bool gm_announce(size_t size) {
    if (!stand_by(size))
        gm_thread.is_short = true;
    return !gm_thread.is_short;
}

void gm_give_back(void) {
    static atomic_size_t waiting;
    enum { MUCH = 1 << 20 };
    if (atomic_fetch_add(&waiting, gm_thread.freed) + gm_thread.freed < MUCH)
        return;
    if (atomic_exchange(&waiting, 0) >= MUCH)
        malloc_trim(0);
}

/* Cuts a block off the standby; NULL where it is too small. */
static void *cut_off(size_t size) {
    gm_state *state = &gm_thread;
    size = (size + page_size() - 1) & -page_size();
    if (size == 0 || size > state->standby_size || !gm_reserve_add(state->standby, size))
        return NULL;
    void *block = state->standby;
    state->standby_size -= size;
    state->standby = state->standby_size > 0 ? state->standby + size : NULL;
    return block;
}

/* Takes note of a block that the C library gave, or finds one where it gave none. */
static void *given(void *block, size_t size) {
    bool is_large = size > GM_SMALL;
    if (!block) {
        gm_thread.is_short = true;
        block = is_large ? NULL : gm_reserve_allocate(size);
        if (!block)
            block = cut_off(size);
    }
    /* What grows becomes twice as large, and is copied: that must be possible, too. */
    if (size > GM_SMALL / 2 && !stand_by(2 * size + GM_SMALL))
        gm_thread.is_short = true;
    return block;
}

void *__wrap_malloc(size_t size) {
    return given(__real_malloc(size), size);
}

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
    if (!block || gm_reserve_free(block))
        return;
    gm_thread.freed += __real_malloc_usable_size(block);
    __real_free(block);
}

/* C++'s operators, in the parts of Swift's runtime that are written in it. */
void *__wrap__Znwm(size_t size) {
    return __wrap_malloc(size);
}

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
