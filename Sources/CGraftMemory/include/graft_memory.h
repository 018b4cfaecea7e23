/* Memory that runs out without ending the process.
 *
 * Swift's runtime ends the process where the C library has no memory for an object, an array or a string. The linker
 * therefore puts the functions of allocations.c before the C library's, for all that is in this library and for nothing
 * outside it. Where the system refuses memory, small blocks come from a reserve that is there from the start, and the
 * call on this thread is "short of memory": it goes on, and turns that into an error where it next asks. Before a block too
 * large for the reserve is allocated, the call has asked whether it can be had.
 */
#ifndef GRAFT_MEMORY_H
#define GRAFT_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/* What a call has allocated so far. */
typedef struct {
    /* The largest block, or half of the largest that was announced. */
    size_t largest;
    /* Bytes since the latest look ahead. */
    size_t since_look;
    bool is_short;
} gm_state;

/* In memory that each thread has from its start: to make room for it later could fail. */
extern _Thread_local gm_state gm_thread __attribute__((tls_model("initial-exec"), visibility("hidden")));

/* Begins a call on this thread: as if nothing had been allocated. `gm_end` takes what this returns; calls may nest. */
gm_state gm_begin(void);
void gm_end(gm_state outer);

/* Whether the reserve has what a call needs; looks for more where it has not. */
bool gm_has_reserve(void);

/* Whether the system refused memory since the call began, or would refuse the next growth of its largest block. */
static inline bool gm_is_short(void) { return gm_thread.is_short; }

/* Whether a block of `size` bytes can be had; from then on until the call ends, blocks of that size count as expected. */
bool gm_announce(size_t size);

/* Around a fork: a child must not wait for a thread that it does not have. */
void gm_lock(void);
void gm_unlock(void);

#endif
