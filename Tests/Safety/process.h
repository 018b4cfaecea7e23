/* What the programs of this folder need of the process that they run in. */
#ifndef PROCESS_H
#define PROCESS_H

#include <graft.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

/* A call without which the rest means nothing. */
static inline void need(graft_status status, const char *what) {
    if (status == GRAFT_OK)
        return;
    printf("FAILED  %s: %s: %s\n", what, graft_status_name(status), graft_last_error_message());
    exit(1);
}

/* Bytes that the process has mapped, and those of them that are resident; 0 where the system does
 * not tell. */
static inline int measure_memory(size_t *mapped, size_t *resident) {
    unsigned long pages[2] = {0, 0};
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    FILE *file = fopen("/proc/self/statm", "r");
    int is_read = file && fscanf(file, "%lu %lu", &pages[0], &pages[1]) == 2;
    *mapped = pages[0] * page;
    *resident = pages[1] * page;
    return file && fclose(file) == 0 && is_read;
}

/* Lets the process map `size` bytes more than it has. It may raise that again up to `most`. */
static inline int limit_memory(size_t size, rlim_t most) {
    size_t mapped, resident;
    if (!measure_memory(&mapped, &resident))
        return 0;
    const rlim_t bytes = mapped + size;
    return setrlimit(RLIMIT_AS, &(struct rlimit){bytes, most < bytes ? bytes : most}) == 0;
}

#endif
