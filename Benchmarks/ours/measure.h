/* What the programs of this folder share: a check, a clock, and an order for qsort(). */
#ifndef MEASURE_H
#define MEASURE_H

#include <graft.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* Ends the program, saying what failed, unless all is well. */
static inline void check(graft_status status) {
    if (status == GRAFT_OK)
        return;
    fprintf(stderr, "%s: %s\n", graft_status_name(status), graft_last_error_message());
    exit(EXIT_FAILURE);
}

static inline double milliseconds(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e3 + (double)time.tv_nsec * 1e-6;
}

static inline int ascending(const void *a, const void *b) {
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

#endif
