/* The reserve behind allocations.c; graft_memory.h says what it is for. */
#ifndef GRAFT_RESERVE_H
#define GRAFT_RESERVE_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes of the largest block that the reserve is for. */
enum { GM_SMALL = 256 << 10 };

/* A block of at most GM_SMALL bytes, aligned to 64; NULL where there is no room. */
void *gm_reserve_allocate(size_t size);

/* Makes a mapping, whole pages, a block of the reserve; false where there are too many. */
bool gm_reserve_add(void *mapping, size_t size);

/* Bytes of a block of the reserve; 0 for any other address. */
size_t gm_reserve_size(const void *block);

/* Takes a block back; false, and nothing done, where it is not of the reserve. */
bool gm_reserve_free(void *block);

#endif
