/* Memory that runs out without ending the process.
 *
 * Swift's runtime ends the process where the C library has no memory for an object, an array or a
 * string. The linker therefore puts the functions of allocations.c before the C library's, for all
 * that is in this library and for nothing outside it. Where the system refuses memory, small blocks
 * come from a reserve that is there from the start, and the call on this thread is "short of
 * memory": it goes on, and turns that into an error where it next asks. A large block comes from
 * the call's standby: address space as large as the next growth of its largest block, or as was
 * announced. A call that cannot have such a standby is short of memory before it needs it. */
#ifndef GRAFT_MEMORY_H
#define GRAFT_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/* What a call on this thread has. */
typedef struct {
    /* Address space that large blocks are cut from where the system refuses them. */
    char *standby;
    size_t standby_size;
    /* Bytes of the blocks that it freed. */
    size_t freed;
    bool is_short;
} gm_state;

/* In memory that each thread has from its start: to make room for it later could fail. */
extern _Thread_local gm_state gm_thread __attribute__((tls_model("initial-exec"), visibility("hidden")));

/* Begins a call on this thread, with nothing allocated. `gm_end` takes what this returns; calls may
 * nest. */
gm_state gm_begin(void);
void gm_end(gm_state outer);

/* Has the C library give the system what this thread's call freed, once that and what others freed
 * is much. By itself it keeps pages of small blocks that lie between others, or that it expects to
 * be wanted again. */
void gm_give_back(void);

/* Whether the reserve has what a call needs; looks for more where it has not. */
bool gm_has_reserve(void);

/* Whether the system refused memory since the call began, or the address space for what may
 * come. */
static inline bool gm_is_short(void) {
    return gm_thread.is_short;
}

/* Takes address space for blocks of `size` bytes in all, which are there then until the call ends;
 * false where the system refuses it. */
bool gm_announce(size_t size);

/* Around a fork: a child must not wait for a thread that it does not have. */
void gm_lock(void);
void gm_unlock(void);

#endif
