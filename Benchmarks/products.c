/**
 * Speed of the matrix products, next to what the instructions of this processor can do.
 *
 *   flags="-O3 -std=c11 -fno-math-errno -ffp-contract=off -I Sources/CGraftKernels/include"
 *   clang $flags -fblocks -c Sources/CGraftKernels/?*.c
 *   clang $flags Benchmarks/products.c *.o -o products_speed -lm && ./products_speed [threads]
 *
 * Every line is the best of many runs, and the limit is measured again before each line: on a
 * shared or throttled machine only the percentage means something.
 */
#define _GNU_SOURCE
#include "graft_kernels.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

static double seconds(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

/* ---- The limit: independent multiply-adds in registers ---- */

typedef double measurement(void);
enum { ROUNDS = 200000, CHAINS = 12 };

#define CHAIN_LOOP(vector, zero, step)                                                                       \
    vector sums[CHAINS];                                                                                     \
    for (int i = 0; i < CHAINS; i++)                                                                         \
        sums[i] = zero;                                                                                      \
    double start = seconds();                                                                                \
    for (int round = 0; round < ROUNDS; round++) {                                                           \
        _Pragma("clang loop unroll(full)") for (int i = 0; i < CHAINS; i++) sums[i] = step;                  \
        __asm__ volatile("" : "+v"(x));                                                                      \
    }                                                                                                        \
    double elapsed = seconds() - start;                                                                      \
    __asm__ volatile("" ::"v"(sums[0]), "v"(sums[1]), "v"(sums[2]), "v"(sums[3]), "v"(sums[4]),              \
                     "v"(sums[5]), "v"(sums[6]), "v"(sums[7]), "v"(sums[8]), "v"(sums[9]), "v"(sums[10]),    \
                     "v"(sums[11]));                                                                         \
    return 2.0 * ROUNDS * CHAINS / elapsed / 1e9

#if defined(__x86_64__)
__attribute__((target("avx512f,avx512bf16"))) static double limit_avx512bf16(void) {
    __m512bh x = (__m512bh)_mm512_setzero_si512();
    CHAIN_LOOP(__m512, _mm512_setzero_ps(), _mm512_dpbf16_ps(sums[i], x, x)) * 32;
}
__attribute__((target("avx512f"))) static double limit_avx512(void) {
    __m512 x = _mm512_setzero_ps();
    CHAIN_LOOP(__m512, _mm512_setzero_ps(), _mm512_fmadd_ps(x, x, sums[i])) * 16;
}
__attribute__((target("avx2,fma"))) static double limit_avx2(void) {
    __m256 x = _mm256_setzero_ps();
    CHAIN_LOOP(__m256, _mm256_setzero_ps(), _mm256_fmadd_ps(x, x, sums[i])) * 8;
}
static double limit_portable(void) {
    __m128 x = _mm_setzero_ps();
    CHAIN_LOOP(__m128, _mm_setzero_ps(), _mm_add_ps(_mm_mul_ps(x, x), sums[i])) * 4;
}

static double limit_once(gk_type type) {
    const char *path = gk_path_name();
    if (strcmp(path, "avx512bf16") == 0 && type == GK_BFLOAT16)
        return limit_avx512bf16();
    if (strncmp(path, "avx512", 6) == 0)
        return limit_avx512();
    return strcmp(path, "avx2") == 0 ? limit_avx2() : limit_portable();
}
#else
static double limit_once(gk_type type) {
    (void)type;
    return 0;
}
#endif

/* ---- Products ---- */

typedef enum work { FORWARD, GELU, BACKWARD, GEMM } work;

typedef struct shape {
    work work;
    gk_type type;
    int64_t m, n, k;
    bool transpose_a, transpose_b;
    float beta;
} shape;

typedef struct buffers {
    float *a, *b, *c, *bias;
    void *packed;
} buffers;

static void run(const gk_team *team, const shape *s, const buffers *at) {
    gk_epilogue epilogue = {.bias = at->bias, .activation = s->work == GELU ? GK_GELU : GK_IDENTITY};
    switch (s->work) {
    case FORWARD:
    case GELU:
        gk_product(team, s->type, s->n, s->k, at->packed, s->m, at->a, s->k, &epilogue, at->c, s->n);
        break;
    case BACKWARD:
        gk_product_backward(team, s->type, s->n, s->k, at->packed, s->m, at->c, s->n, false, at->a, s->k);
        break;
    case GEMM:
        gk_gemm(team, s->transpose_a, s->transpose_b, s->m, s->n, s->k, 1, at->a,
                s->transpose_a ? s->m : s->k, at->b, s->transpose_b ? s->k : s->n, s->beta, at->c, s->n);
        break;
    }
}

static float *numbers(int64_t count) {
    float *memory = aligned_alloc(64, (size_t)(count * 4 + 63) / 64 * 64);
    for (int64_t i = 0; i < count; i++)
        memory[i] = (float)((i * 2654435761u >> 7) % 2001) / 1000 - 1;
    return memory;
}

static void measure(const gk_team *team, const shape *s) {
    buffers at = {numbers(s->m * s->k), numbers(s->n * s->k), numbers(s->m * s->n), numbers(s->n), NULL};
    size_t size = gk_packed_size(s->type, s->n, s->k);
    at.packed = aligned_alloc(64, size);
    memset(at.packed, 0, size);
    gk_pack(team, s->type, s->n, s->k, at.packed, 0, s->n, at.b, GK_FLOAT32, s->k, 1);

    double operations = 2.0 * (double)s->m * (double)s->n * (double)s->k, best = 1e9, limit = 0;
    double end = seconds() + 0.4;
    for (int round = 0; round < 5 || seconds() < end; round++) {
        double once = limit_once(s->type) * team->thread_count;
        limit = once > limit ? once : limit;
        for (int i = 0; i < 5; i++) {
            double start = seconds();
            run(team, s, &at);
            double elapsed = seconds() - start;
            best = elapsed < best ? elapsed : best;
        }
    }
    static const char *const works[] = {"forward", "gelu", "backward", "gemm"};
    char transposed[3] = {s->transpose_a ? 'T' : 'N', s->transpose_b ? 'T' : 'N', 0};
    double moved =
        4.0 * (double)(s->m * s->k + s->n * s->k + s->m * s->n * (s->beta != 0 ? 2 : 1)) / best / 1e9;
    printf("%-9s%-3s %-9s %5ld x %5ld x %5ld %9.1f us %8.1f GFLOP/s %5.1f %% of %6.0f %7.1f GB/s\n",
           works[s->work], s->work == GEMM ? transposed : "", s->type == GK_FLOAT32 ? "float32" : "bfloat16",
           (long)s->m, (long)s->n, (long)s->k, best * 1e6, operations / best / 1e9,
           100 * operations / best / 1e9 / limit, limit, moved);
    fflush(stdout);
    free(at.a), free(at.b), free(at.c), free(at.bias), free(at.packed);
}

int main(int count, char **arguments) {
    int32_t threads = count > 1 ? atoi(arguments[1]) : gk_processor_count();
    gk_team team = {.thread_count = threads, .scratch = aligned_alloc(64, gk_scratch_size(threads))};
    gk_hold_workers();
    gk_begin_call();
    printf("path %s, %d threads; rows x outputs x inputs\n", gk_path_name(), threads);
    static const int64_t sizes[][3] = {{2048, 768, 768}, {2048, 3072, 768}, {2048, 768, 3072},
                                       {1000, 768, 768}, {2048, 384, 384},  {127, 768, 768},
                                       {32, 768, 768},   {16, 768, 768},    {8, 768, 768},
                                       {4, 768, 768},    {1, 768, 768},     {1, 384, 384}};
    for (gk_type type = GK_FLOAT32; type <= GK_BFLOAT16; type++)
        for (work work = FORWARD; work <= BACKWARD; work++)
            for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
                shape s = {.work = work, .type = type, .m = sizes[i][0], .n = sizes[i][1], .k = sizes[i][2]};
                if (work == FORWARD || s.m >= 127)
                    measure(&team, &s);
            }
    static const shape adapters[] = {
        {GEMM, GK_FLOAT32, 2048, 8, 768, false, true, 0},
        {GEMM, GK_FLOAT32, 2048, 768, 8, false, true, 1},
        {GEMM, GK_FLOAT32, 8, 768, 2048, true, false, 1},
        {GEMM, GK_FLOAT32, 768, 8, 2048, true, false, 1},
        {GEMM, GK_FLOAT32, 2048, 8, 768, false, false, 0},
        {GEMM, GK_FLOAT32, 2048, 768, 8, false, false, 1},
        {GEMM, GK_FLOAT32, 2048, 64, 768, false, true, 0},
        {GEMM, GK_FLOAT32, 2048, 768, 64, false, true, 1},
        {GEMM, GK_FLOAT32, 64, 768, 2048, true, false, 1},
        {GEMM, GK_FLOAT32, 768, 64, 2048, true, false, 1},
        {GEMM, GK_FLOAT32, 768, 768, 2048, true, false, 1},
        {GEMM, GK_FLOAT32, 2048, 768, 768, false, true, 0},
        {GEMM, GK_FLOAT32, 2048, 768, 768, false, false, 0},
        {GEMM, GK_FLOAT32, 64, 64, 64, false, false, 0},
    };
    for (size_t i = 0; i < sizeof adapters / sizeof adapters[0]; i++)
        measure(&team, &adapters[i]);
}
