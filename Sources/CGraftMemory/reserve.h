/* The reserve behind allocations.c; graft_memory.h says what it is for. */
#ifndef GRAFT_RESERVE_H
#define GRAFT_RESERVE_H

#include <stdbool.h>
#include <stddef.h>

/* A block aligned to 64 bytes; NULL where there is no room. */
void *gm_reserve_allocate(size_t size);

/* Bytes of a block of the reserve; 0 for any other address. */
size_t gm_reserve_size(const void *block);

/* Takes a block back; false, and nothing done, where it is not of the reserve. */
bool gm_reserve_free(void *block);

#endif
