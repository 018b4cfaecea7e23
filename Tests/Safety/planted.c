/* A race inside a region, which the thread sanitizer must see as it sees the kernels': with an
 * argument. And none where regions follow each other. */
#include "executor.h"
#include <stdlib.h>

enum { PART_COUNT = 64, ELEMENTS_PER_PART = 500, COUNT = PART_COUNT * ELEMENTS_PER_PART };

static volatile int shared;
static int numbers[COUNT], sums[PART_COUNT];
static atomic_bool is_helped;

/* Until a helper has had a part of it. */
static void race(const gk_team *team) {
    for (int round = 0; round < 100000 && !atomic_load(&is_helped); round++)
        gk_run(team, gk_threads(team, 3), PART_COUNT, ^(int64_t part, int32_t seat) {
          for (int i = 0; i < ELEMENTS_PER_PART; i++)
              shared = (int)part + i;
          if (seat > 0)
              atomic_store(&is_helped, true);
        });
}

/* What one region writes, the next one reads on other threads, and then the caller. */
static int sum(const gk_team *team) {
    int total = 0;
    for (int round = 1; round <= 200; round++) {
        gk_run(team, gk_threads(team, 3), PART_COUNT, ^(int64_t part, int32_t seat) {
          (void)seat;
          for (int64_t i = part * ELEMENTS_PER_PART; i < (part + 1) * ELEMENTS_PER_PART; i++)
              numbers[i] = round;
        });
        gk_run(team, gk_threads(team, 2), PART_COUNT, ^(int64_t part, int32_t seat) {
          (void)seat;
          sums[part] = 0;
          for (int64_t i = 0; i < ELEMENTS_PER_PART; i++)
              sums[part] += numbers[COUNT - 1 - part * ELEMENTS_PER_PART - i];
        });
        total = 0;
        for (int part = 0; part < PART_COUNT; part++)
            total += sums[part];
        if (total != round * COUNT)
            return 1;
    }
    return 0;
}

int main(int argument_count, char **arguments) {
    const char *asked;
    (void)arguments;
    gk_team team = {.thread_count = 3};
    gk_assume_processors(3);
    team.scratch = aligned_alloc(64, gk_scratch_size(3));
    if (!team.scratch || gk_open_executor(&asked) != GK_EXECUTOR_READY)
        return 2;
    gk_hold_workers();
    gk_begin_call();
    int wrong = 0;
    if (argument_count > 1)
        race(&team);
    else
        wrong = sum(&team);
    gk_end_call();
    gk_release_workers();
    free(team.scratch);
    return wrong;
}
