/** Which instruction set this process uses. */
#include "gk_internal.h"
#include <stdlib.h>
#include <string.h>

static const char *const path_names[] = {"portable", "avx2", "avx512", "avx512bf16"};

static int chosen_path = -1;

/** The last that the processor has the instructions of. */
static int supported_path(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma"))
        return GK_PATH_PORTABLE;
    if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") ||
        !__builtin_cpu_supports("avx512dq") || !__builtin_cpu_supports("avx512vl"))
        return GK_PATH_AVX2;
    return __builtin_cpu_supports("avx512bf16") ? GK_PATH_AVX512_BF16 : GK_PATH_AVX512;
#else
    return GK_PATH_PORTABLE;
#endif
}

/**
 * Intel's products of two bfloat16 are no faster than those of float32, and what is multiplied has
 * to be rounded before them (measured in docs/embedding.md).
 */
static int best_path(void) {
    int path = supported_path();
#if defined(__x86_64__)
    if (path == GK_PATH_AVX512_BF16 && __builtin_cpu_is("intel"))
        return GK_PATH_AVX512;
#endif
    return path;
}

static int named_path(const char *name) {
    for (int path = 0; path <= supported_path(); path++)
        if (strcmp(name, path_names[path]) == 0)
            return path;
    return -1;
}

int gk_path(void) {
    int path = __atomic_load_n(&chosen_path, __ATOMIC_RELAXED);
    if (path < 0) {
        const char *forced = getenv("GRAFT_KERNELS");
        path = forced ? named_path(forced) : -1;
        if (path < 0)
            path = best_path();
        __atomic_store_n(&chosen_path, path, __ATOMIC_RELAXED);
    }
    return path;
}

const char *gk_missing_path(void) {
    const char *forced = getenv("GRAFT_KERNELS");
    return forced && named_path(forced) < 0 ? forced : NULL;
}

const char *gk_path_name(void) {
    return path_names[gk_path()];
}

bool gk_choose_path(const char *name) {
    int path = named_path(name);
    if (path < 0)
        return false;
    __atomic_store_n(&chosen_path, path, __ATOMIC_RELAXED);
    return true;
}
