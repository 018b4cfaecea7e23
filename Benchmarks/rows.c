/**
 * Speed of the kernels that are not products: nanoseconds per element, and GFLOP/s of attention's
 * inner products. Each figure is the fastest of many calls.
 *
 *   clang -O3 -std=c11 -fblocks -fno-math-errno -ffp-contract=off -ISources/CGraftKernels/include
 *         Benchmarks/rows.c Sources/CGraftKernels/?*.c -lm -o rows && ./rows [threads]
 */
#define _POSIX_C_SOURCE 200809L
#include "graft_kernels.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/** Seconds of the fastest of the calls that fit in a third of a second, at least five. */
#define FASTEST(call)                                                                                        \
    __extension__({                                                                                          \
        double best = 1e9, stop = now() + 0.33;                                                              \
        for (int run = 0; run < 5 || now() < stop; run++) {                                                  \
            double start = now();                                                                            \
            call;                                                                                            \
            double taken = now() - start;                                                                    \
            best = taken < best ? taken : best;                                                              \
        }                                                                                                    \
        best;                                                                                                \
    })

static float *random_floats(int64_t count) {
    float *floats = aligned_alloc(64, (size_t)(count * 4 + 63) / 64 * 64);
    for (int64_t i = 0; i < count; i++)
        floats[i] = (float)rand() / (float)RAND_MAX * 2 - 1;
    return floats;
}

static void elements(const gk_team *team) {
    enum { M = 256, H = 768, COUNT = M * H };
    float *x = random_floats(COUNT), *y = random_floats(COUNT), *z = random_floats(COUNT),
          *s = random_floats(COUNT);
    float *gamma = random_floats(H), *beta = random_floats(H), *mean = random_floats(M),
          *inverse = random_floats(M);
    gk_dropout dropout = {.key = 1, .site = 2, .probability = 0.1f};
    const char *names[] = {"identity", "gelu", "gelu tanh", "relu", "silu", "tanh"};
    printf("%-34s ns/element, %d x %d, in cache\n", "", M, H);
    for (int f = GK_GELU; f <= GK_TANH; f++) {
        printf("%-34s %.4f", names[f], FASTEST(gk_activation_forward(team, f, COUNT, x, y)) * 1e9 / COUNT);
        printf("  backward %.4f\n", FASTEST(gk_activation_backward(team, f, COUNT, x, y, z)) * 1e9 / COUNT);
    }
#define LINE(name, call) printf("%-34s %.4f\n", name, FASTEST(call) * 1e9 / COUNT)
    LINE("dropout", gk_apply_dropout(team, &dropout, COUNT, x, y));
    LINE("add", gk_add(team, COUNT, 0.5f, x, y));
    LINE("layer norm",
         gk_layer_norm_forward(team, M, H, x, NULL, NULL, gamma, beta, 1e-12f, NULL, y, mean, inverse));
    LINE("layer norm, residual",
         gk_layer_norm_forward(team, M, H, x, NULL, z, gamma, beta, 1e-12f, s, y, mean, inverse));
    LINE("layer norm, residual, dropout",
         gk_layer_norm_forward(team, M, H, x, &dropout, z, gamma, beta, 1e-12f, s, y, mean, inverse));
    LINE("layer norm backward",
         gk_layer_norm_backward(team, M, H, y, s, mean, inverse, gamma, z, NULL, NULL));
    LINE("layer norm backward, gamma, beta",
         gk_layer_norm_backward(team, M, H, y, s, mean, inverse, gamma, z, gamma, beta));
    LINE("rms norm", gk_rms_norm_forward(team, M, H, 1, x, H, gamma, 0, 1e-6f, y, inverse));
    LINE("sum of squares", (void)gk_sum_of_squares(team, COUNT, x));
    gk_adam adamw = {1e-3f, 0.9f, 0.999f, 1e-8f, 0.01f, 0, 1, {0}, 3};
    memset(z, 0, COUNT * sizeof *z);
    memset(s, 0, COUNT * sizeof *s);
    LINE("adamw", gk_adam_update(team, &adamw, COUNT, y, x, z, s));
    int32_t positions[M], labels[M];
    for (int i = 0; i < M; i++)
        positions[i] = i, labels[i] = i;
    LINE("rotate", gk_rotate(team, M, H / 64, 64, 64, positions, gamma, 1, false, x, H));
    double loss = 0, weight = 0;
    LINE("cross entropy, gradient",
         gk_cross_entropy(team, M, H, y, H, labels, NULL, 0, 1, z, H, &loss, &weight));
}

static void attention(const gk_team *team, int64_t batch, int64_t length, int32_t heads, int32_t width,
                      gk_type precision, float probability) {
    int64_t rows = batch * length, h = heads * width;
    float *q = random_floats(rows * h), *k = random_floats(rows * h), *v = random_floats(rows * h);
    float *out = random_floats(rows * h), *dout = random_floats(rows * h),
          *log_sum = random_floats(rows * heads);
    float *dq = random_floats(rows * h), *dk = random_floats(rows * h), *dv = random_floats(rows * h);
    gk_sequence *sequences = calloc((size_t)batch, sizeof *sequences);
    for (int64_t i = 0; i < batch; i++)
        sequences[i] = (gk_sequence){i * length, length, i * length, length, i};
    gk_attention settings = {.sequence_count = batch,
                             .sequences = sequences,
                             .head_count = heads,
                             .key_value_head_count = heads,
                             .head_width = width,
                             .precision = precision,
                             .scale = 1 / sqrtf((float)width),
                             .dropout = {.key = 1, .site = 2, .probability = probability}};
    double work = 4e-9 * (double)(batch * heads * length * length * width);
    double forward = FASTEST(gk_attention_forward(team, &settings, q, h, k, h, v, h, out, h, log_sum));
    double backward = FASTEST(gk_attention_backward(team, &settings, q, h, k, h, v, h, out, h, log_sum, dout,
                                                    h, dq, h, dk, h, dv, h));
    printf("attention %2d x %3d, %2d heads of %3d, %s, dropout %.1f: forward %8.3f ms %6.1f GFLOP/s, "
           "backward %8.3f "
           "ms %6.1f GFLOP/s\n",
           (int)batch, (int)length, heads, width, precision == GK_BFLOAT16 ? "bfloat16" : "float32 ",
           (double)probability, forward * 1e3, work / forward, backward * 1e3, 2.5 * work / backward);
    free(q), free(k), free(v), free(out), free(dout), free(log_sum), free(dq), free(dk), free(dv),
        free(sequences);
}

/** Search among 100,000 vectors of 384 numbers, and reading them alone. */
static void search(const gk_team *team) {
    const int64_t count = 100000, h = 384, wanted = 10, most = 64;
    float *vectors = random_floats(count * h), *queries = random_floats(most * h);
    gk_found *found = malloc(sizeof *found * (size_t)(team->thread_count * most * wanted));
    double reading = FASTEST(gk_sum_of_squares(team, count * h, vectors));
    for (int64_t asked = 1; asked <= most; asked *= 8) {
        double searching = FASTEST(gk_nearest(team, count, h, vectors, asked, queries, wanted, found));
        printf("search %d x %d, %2d queries: %6.1f ms, %.2f times reading\n", (int)count, (int)h, (int)asked,
               searching * 1e3, searching / reading);
    }
    free(vectors), free(queries), free(found);
}

int main(int count, char **arguments) {
    int threads = count > 1 ? atoi(arguments[1]) : gk_processor_count();
    gk_team team = {.thread_count = threads, .scratch = aligned_alloc(64, gk_scratch_size(threads))};
    gk_hold_workers();
    gk_begin_call();
    printf("%s, %d threads\n", gk_path_name(), threads);
    if (count < 3)
        elements(&team), search(&team);
    for (gk_type precision = GK_FLOAT32; precision <= GK_BFLOAT16; precision++) {
        for (int dropped = 0; dropped < 2; dropped++) {
            float probability = dropped ? 0.1f : 0;
            attention(&team, 8, 512, 12, 64, precision, probability);
            attention(&team, 16, 128, 12, 64, precision, probability);
            attention(&team, 1, 128, 12, 64, precision, probability);
            attention(&team, 1, 32, 12, 64, precision, probability);
            attention(&team, 32, 64, 12, 32, precision, probability);
            attention(&team, 32, 128, 12, 32, precision, probability);
            attention(&team, 1, 32, 12, 32, precision, probability);
        }
    }
    free(team.scratch);
}
