/**
 * @file graft_kernels.h
 * @brief The arithmetic of Graft: pure functions on numbers. Swift decides what is computed; this
 * floor computes it. Chains of labels and rows of logits have headers of their own,
 * graft_chain_kernels.h and graft_logit_kernels.h.
 *
 * Letters   m rows (tokens), n outputs, k inputs, h width; row-major; `ld…` is the distance between
 *           rows in elements.
 *
 * Threads   Every function that takes a team uses up to `team->thread_count` threads of the chosen
 *           executor, and returns when all are done.
 *
 * Bits      A result depends neither on the number of threads nor on the other rows of a call:
 *           every output element is one fixed sequence of operations, and sums over rows run in
 *           fixed blocks.
 *
 * Errors    None: callers pass valid shapes. A count of zero is valid everywhere and does nothing.
 * Paths     Each function has a portable, an AVX2+FMA, an AVX-512 and an AVX-512 BF16 form where
 *           that pays; one is chosen for the process at first use, and
 *           GRAFT_KERNELS=portable|avx2|avx512|avx512bf16 forces one.
 */
#ifndef GRAFT_KERNELS_H
#define GRAFT_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- Processor, threads, scratch ---- */

/** Name of the chosen path: "portable", "avx2", "avx512" or "avx512bf16". */
const char *gk_path_name(void);
/** What GRAFT_KERNELS asks for, where that is no path of this processor; else NULL. */
const char *gk_missing_path(void);
/** Chooses a path, for tests, not thread safe; false where this processor lacks it. */
bool gk_choose_path(const char *name);

/** Begins to bring what lies at an address into the cache; nothing happens where it is none. */
static inline void gk_prefetch(const void *address) {
    __builtin_prefetch(address);
}

/** The threads and the scratch memory of one stream of calls; not shared by concurrent calls. */
typedef struct gk_team {
    int32_t thread_count; /**< At least 1. */
    int32_t reserved;
    void *scratch; /**< gk_scratch_size(thread_count) bytes, 64-byte aligned; nobody's. */
} gk_team;

size_t gk_scratch_size(int32_t thread_count);

/** Threads of a team, at most. */
enum { GK_MAXIMUM_THREADS = 256 };

/** Reads anew what the process may use of the machine beside the affinity of its threads: the
 *  quotas of its control groups, OMP_NUM_THREADS, OMP_THREAD_LIMIT. */
void gk_read_limits(void);
/** Processors that the calling thread may use, at least 1. No more threads than that are ever in
 *  use. */
int32_t gk_processor_count(void);
/** Says how many there are, for tests; 0 asks the system again. */
void gk_assume_processors(int32_t count);
/** Processors that the control groups of this process grant, rounded up; INT32_MAX without a limit.
 *  `root` stands before all paths: "", or a test's. */
int32_t gk_quota(const char *root);

/* ---- Executors: who provides the threads ---- */

typedef enum gk_executor_status {
    GK_EXECUTOR_READY = 0,
    GK_EXECUTOR_UNKNOWN = 1, /**< No executor has this name. */
    GK_EXECUTOR_MISSING = 2  /**< It is OpenMP, and no runtime was found. */
} gk_executor_status;

/** Chooses at first use: GRAFT_EXECUTOR=threads|openmp, "threads" without it. `asked` receives the
 *  name. */
gk_executor_status gk_open_executor(const char **asked);
/** Chooses by name, at any time, for the regions that follow. No change where it is not ready. */
gk_executor_status gk_choose_executor(const char *name);
/** "threads" or "openmp". */
const char *gk_executor_name(void);

/** Says that threads may be wanted, until gk_release_workers: with the last one that says so they
 *  end. */
void gk_hold_workers(void);
void gk_release_workers(void);

/** Begins a call of the library on this thread, or goes on with it: arithmetic rounds to nearest,
 *  with subnormal numbers and without traps, whatever the host has set; threads that a region finds
 *  stay for the next ones. */
void gk_begin_call(void);
/** Ends it: the host's settings are back, and the threads are free and at rest. */
void gk_end_call(void);
/** Interrupts it for a callback of the host: the same, but the threads are soon wanted again. */
void gk_pause_call(void);

/* ---- Element types ---- */

typedef int32_t gk_type;
enum { GK_FLOAT32 = 0, GK_BFLOAT16 = 1, GK_FLOAT16 = 2, GK_FLOAT64 = 3 };

/** Types of llama.cpp's files: blocks of elements that share their scales, at most 256 and a
 *  divisor of it. They are read; of them only GK_Q8_0 is written. A row begins with a block and is
 *  a whole number of them. */
enum {
    GK_Q4_0 = 4,
    GK_Q4_1 = 5,
    GK_Q5_0 = 6,
    GK_Q5_1 = 7,
    GK_Q8_0 = 8,
    GK_Q2_K = 9,
    GK_Q3_K = 10,
    GK_Q4_K = 11,
    GK_Q5_K = 12,
    GK_Q6_K = 13,
    GK_IQ4_NL = 14,
    GK_MXFP4 = 15
};

/** Bytes of one stored element of the types that have no blocks. */
static inline int64_t gk_element_size(gk_type type) {
    return type == GK_FLOAT64 ? 8 : type == GK_FLOAT32 ? 4 : 2;
}
/** Bytes of `count` elements, a whole number of blocks. */
int64_t gk_row_size(gk_type type, int64_t count);

/** Converts `count` stored numbers of `type`, whole blocks, at any address, to float32. A float64
 *  beyond its range becomes infinite. */
void gk_to_float32(int64_t count, const void *source, gk_type type, float *out);
/** Converts to stored numbers of `type`, at any address for float64. Rounds to nearest even; NaN
 *  stays NaN. */
void gk_from_float32(int64_t count, const float *source, gk_type type, void *out);
/** Converts `count` finite numbers, whole blocks, to blocks of GK_Q8_0 as the gguf package does: d
 *  is the largest magnitude / 127, and each element is round(x / d), halves away from 0. */
void gk_to_q8_0(int64_t count, const float *source, void *out);
/** Index of the first element that is infinite or not a number; -1 where all are finite. */
int64_t gk_first_not_finite(int64_t count, const float *x);

/* ---- Activations ---- */

typedef int32_t gk_activation;
enum {
    GK_IDENTITY = 0,
    GK_GELU = 1,      /**< x Φ(x), with erf: Hugging Face "gelu". */
    GK_GELU_TANH = 2, /**< Hugging Face "gelu_new", "gelu_pytorch_tanh". */
    GK_RELU = 3,
    GK_SILU = 4, /**< x σ(x): "silu", "swish". */
    GK_TANH = 5
};

/** y = f(x); y may be x. */
void gk_activation_forward(const gk_team *team, gk_activation f, int64_t count, const float *x, float *y);
/** dx = dy ∘ f′(x), where x is what the forward was given; dx may be dy. */
void gk_activation_backward(const gk_team *team, gk_activation f, int64_t count, const float *x,
                            const float *dy, float *dx);

/** x = cap · tanh(x / cap). */
void gk_soft_cap(const gk_team *team, int64_t count, float cap, float *x);
/** dy ∘= 1 - (y / cap)², where y is what the forward gave. */
void gk_soft_cap_backward(const gk_team *team, int64_t count, float cap, const float *y, float *dy);

/** y = f(gate) ∘ up: each row of x [m, 2 h] is gate and up side by side; y [m, h]. */
void gk_gated_forward(const gk_team *team, gk_activation f, int64_t m, int64_t h, const float *x, float *y);
/** dx [m, 2 h] from dy [m, h]; dx may be x. */
void gk_gated_backward(const gk_team *team, gk_activation f, int64_t m, int64_t h, const float *x,
                       const float *dy, float *dx);

/* ---- Products with frozen weights: W [n, k], packed once ---- */

/** Bytes of packed W [n, k] of `type` (GK_FLOAT32 or GK_BFLOAT16). Packed memory is 64-byte
 *  aligned, zeroed first. */
size_t gk_packed_size(gk_type type, int64_t n, int64_t k);
/** Packs rows [first_row, first_row + row_count) of W [n, k]. `rows` [row_count, k] is of `source`
 *  type, with element (r, c) at r * row_stride + c * column_stride, so that transposed storage
 *  packs too; of types with blocks row after row. */
void gk_pack(const gk_team *team, gk_type type, int64_t n, int64_t k, void *packed, int64_t first_row,
             int64_t row_count, const void *rows, gk_type source, int64_t row_stride, int64_t column_stride);
/** Writes rows of W back as float32 [row_count, k]: what the products see. */
void gk_unpack(gk_type type, int64_t n, int64_t k, const void *packed, int64_t first_row, int64_t row_count,
               float *rows);

/** What a product does to its result before it stores it. */
typedef struct gk_epilogue {
    const float *bias;        /**< [n], or NULL. */
    float *before_activation; /**< [m, n], ldy apart: x Wᵀ + bias, kept for backward; or NULL. */
    gk_activation activation;
    int32_t reserved;
} gk_epilogue;

/** y = f(x Wᵀ + bias). x [m, k], y [m, n]. `epilogue` may be NULL. With GK_BFLOAT16, x is rounded
 *  to bfloat16. */
void gk_product(const gk_team *team, gk_type type, int64_t n, int64_t k, const void *packed, int64_t m,
                const float *x, int64_t ldx, const gk_epilogue *epilogue, float *y, int64_t ldy);
/** dx = dy W, or dx += dy W. dy [m, n], dx [m, k]. */
void gk_product_backward(const gk_team *team, gk_type type, int64_t n, int64_t k, const void *packed,
                         int64_t m, const float *dy, int64_t lddy, bool accumulate, float *dx, int64_t lddx);

/* ---- Products of small or trained matrices, float32 ---- */

/** c [m, n] = beta c + alpha op(a) op(b), where op(a) is [m, k] and op(b) is [k, n]; op transposes
 *  what is stored. Never reads c when beta is 0. Each element of c is one sum over k in order,
 *  whatever the threads. */
void gk_gemm(const gk_team *team, bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k,
             float alpha, const float *a, int64_t lda, const float *b, int64_t ldb, float beta, float *c,
             int64_t ldc);
/** out [n] += column sums of x [m, n]. */
void gk_add_column_sums(const gk_team *team, int64_t m, int64_t n, const float *x, int64_t ldx, float *out);

/* ---- Dropout, counter based (Philox 4x32-10): no state, no stored mask ---- */

/** Keeps an element with 1 - probability (to 1/65536) and scales it by the inverse. The decision
 *  for element e of a site is a function of (key, site, e) alone. */
typedef struct gk_dropout {
    uint64_t key;           /**< Mixes the seed and the step. */
    uint64_t first_element; /**< Of the call: its row offset in the batch times width. */
    uint32_t site;          /**< Which dropout of the model. */
    float probability;      /**< In [0, 1); 0 keeps all. */
} gk_dropout;

/** y = dropout(x), also the gradient's path backward; y may be x. */
void gk_apply_dropout(const gk_team *team, const gk_dropout *dropout, int64_t count, const float *x,
                      float *y);
/** Philox 4x32-10 (Salmon et al. 2011): four random words of one counter. */
void gk_philox(uint64_t key, const uint32_t counter[4], uint32_t out[4]);

/* ---- Rows ---- */

/** y [m, h] = rows `ids` of a stored table [rows, h] of `type`; adds to y if `accumulate`. ids are
 *  in range. */
void gk_gather_rows(const gk_team *team, int64_t m, int64_t h, const int32_t *ids, const void *table,
                    gk_type type, bool accumulate, float *y, int64_t ldy);
/** table[ids[i]] += x[i], in order of i. */
void gk_scatter_add_rows(const gk_team *team, int64_t m, int64_t h, const int32_t *ids, const float *x,
                         int64_t ldx, float *table);
/** y += alpha x; y may be x. */
void gk_add(const gk_team *team, int64_t count, float alpha, const float *x, float *y);
/** x *= alpha. */
void gk_scale(const gk_team *team, int64_t count, float alpha, float *x);
/** y += alpha (x - y) for x, y [m, h]. */
void gk_blend(const gk_team *team, int64_t m, int64_t h, float alpha, const float *x, int64_t ldx, float *y,
              int64_t ldy);
/** The Euclidean length of each row of x [m, h]. */
void gk_row_lengths(const gk_team *team, int64_t m, int64_t h, const float *x, float *lengths);

/**
 * Layer norm with what surrounds it: s = dropout(x) + residual, y = gamma ∘ (s - mean) / √(variance
 * + epsilon) + beta. x, residual, sum, y [m, h]; mean, inverse_deviation [m]. `dropout`,
 * `residual`, `sum` (when not kept for backward), `mean` and `inverse_deviation` may be NULL; sum
 * may be x; y may be x or sum.
 */
void gk_layer_norm_forward(const gk_team *team, int64_t m, int64_t h, const float *x,
                           const gk_dropout *dropout, const float *residual, const float *gamma,
                           const float *beta, float epsilon, float *sum, float *y, float *mean,
                           float *inverse_deviation);
/** ds [m, h] from dy; ds may be dy. Adds to dgamma and dbeta [h] where they are not NULL. */
void gk_layer_norm_backward(const gk_team *team, int64_t m, int64_t h, const float *dy, const float *sum,
                            const float *mean, const float *inverse_deviation, const float *gamma, float *ds,
                            float *dgamma, float *dbeta);
/**
 * RMS norm (Zhang and Sennrich 2019) of m vectors of h numbers: y = (gamma + unit) ∘ x /
 * √(mean(x²) + epsilon), where unit is 0, or 1 for a gamma that is kept as what it differs from 1
 * by. In x `groups` of them stand end to end in each row, as a token's heads do, and rows begin ldx
 * apart; in y [m, h] and inverse_root [m], which may be NULL, all stand end to end. y may be x
 * where these do, too.
 */
void gk_rms_norm_forward(const gk_team *team, int64_t m, int64_t h, int64_t groups, const float *x,
                         int64_t ldx, const float *gamma, float unit, float epsilon, float *y,
                         float *inverse_root);
/** dx, laid out as x, from dy [m, h]; dx may be dy where both stand end to end. Adds to dgamma [h]
 *  where it is not NULL. */
void gk_rms_norm_backward(const gk_team *team, int64_t m, int64_t h, int64_t groups, const float *dy,
                          const float *x, int64_t ldx, const float *inverse_root, const float *gamma,
                          float unit, float *dx, int64_t lddx, float *dgamma);

/** How a sequence's rows become one: Σ x / n, Σ x / √n, Σ i x / Σ i for the i-th row from 1, or the
 *  largest of each column. */
typedef int32_t gk_pool;
enum { GK_POOL_MEAN = 0, GK_POOL_ROOT = 1, GK_POOL_PLACE = 2, GK_POOL_LARGEST = 3 };

/** y [count, h] of each sequence's rows, at least one; rows of sequence i are starts[i] … starts[i
 *  + 1]. */
void gk_pool_rows(const gk_team *team, gk_pool pool, int64_t count, const int64_t *starts, int64_t h,
                  const float *x, float *y, int64_t ldy);
/** Adds to d(x) [starts[count], h] from d(y) [count, h]. x is read for the largest alone, whose
 *  first of equals it is that learns. */
void gk_pool_rows_backward(const gk_team *team, gk_pool pool, int64_t count, const int64_t *starts, int64_t h,
                           const float *x, const float *dy, int64_t lddy, float *dx);
/** Divides each row by its Euclidean length (at least 1e-12), which goes to lengths [m] where that
 *  is not NULL. */
void gk_normalize_rows(const gk_team *team, int64_t m, int64_t h, float *x, float *lengths);
/** d(x) from d(y), in its place, with what that left. */
void gk_normalize_rows_backward(const gk_team *team, int64_t m, int64_t h, const float *y,
                                const float *lengths, float *dy);

/* ---- Search ---- */

/** A stored vector and its product with a query. */
typedef struct gk_found {
    float product;
    int32_t reserved;
    int64_t place; /**< INT64_MAX where there are no more vectors. */
} gk_found;

/** found [query_count, best_count]: of each query [h] the vectors of [count, h] with the largest
 *  products, the largest first, and equals in their order. `found` has room for as many for each of
 *  the team's threads. Returns the first vector with a product that is not finite, which is not
 *  found; -1 where all are. */
int64_t gk_nearest(const gk_team *team, int64_t count, int64_t h, const float *vectors, int64_t query_count,
                   const float *queries, int64_t best_count, gk_found *found);

/* ---- Columns ---- */

/** y = x ∘ scale, with scale [h] for every row. y may be x. */
void gk_scale_columns(const gk_team *team, int64_t m, int64_t h, const float *x, int64_t ldx,
                      const float *scale, float *y, int64_t ldy);
/** out [h] += column sums of x ∘ y [m, h]. */
void gk_add_column_products(const gk_team *team, int64_t m, int64_t h, const float *x, int64_t ldx,
                            const float *y, int64_t ldy, float *out);
/** out [m] = row sums of x ∘ y [m, h], which follow one another. */
void gk_row_products(const gk_team *team, int64_t m, int64_t h, const float *x, const float *y, float *out);
/** x = √x. */
void gk_square_roots(int64_t count, float *x);
/** quotients = x / y; they may be x or y. */
void gk_divide(int64_t count, const float *x, const float *y, float *quotients);
/** y [m, h] = columns `ids` of a table [h, columns]. ids are in range. */
void gk_gather_columns(const gk_team *team, int64_t m, int64_t h, const int32_t *ids, const float *table,
                       int64_t ldt, float *y);
/** Column ids[i] of the table += x[i], in order of i; column `frozen` stays as it is. */
void gk_scatter_add_columns(const gk_team *team, int64_t m, int64_t h, const int32_t *ids, int32_t frozen,
                            const float *x, float *table, int64_t ldt);

/* ---- Attention: streaming softmax on packed sequences of any lengths ---- */

/** Keys in a page. */
enum { GK_PAGE_KEYS = 64 };

/** Rows of one sequence in q (and out) and in k and v. */
typedef struct gk_sequence {
    int64_t query_start;
    int64_t query_count;
    int64_t key_start;
    int64_t key_count;
    int64_t query_position; /**< Of the first query among the keys; counts where causal. */
    int64_t identity;       /**< Number of the row in its batch, below 65,536: for dropout. */
} gk_sequence;

/**
 * out = softmax(scale q kᵀ + bias) v for each head, dropout on the probabilities. With a soft cap
 * soft_cap · tanh(scale q kᵀ / soft_cap) stands for scale q kᵀ. Head j of a row starts at j *
 * head_width.
 */
typedef struct gk_attention {
    int64_t sequence_count;
    const gk_sequence *sequences;
    int32_t head_count;
    int32_t key_value_head_count; /**< Divides head_count; head j reads j / (head_count / it). */
    int32_t head_width;           /**< At most 256. */
    gk_type precision;            /**< GK_FLOAT32, or GK_BFLOAT16: products of rounded operands. */
    float scale;
    float soft_cap; /**< Of the scores; 0 for none; not with a bias. */
    bool causal;    /**< Query i sees keys up to query_position + i. */
    uint8_t reserved[7];
    int64_t window;     /**< Of those, keys less than so many places before the query, and where not
                             causal behind it; 0 for all. */
    gk_dropout dropout; /**< first_element is not used. */
    /** What is added to a score by how many places its key is behind the query, from -bias_reach to
     *  bias_reach and the same beyond: [head_count, 2 bias_reach + 1]. NULL adds nothing. */
    const float *bias;
    int64_t bias_reach;
    /** NULL: the keys of a sequence are the rows of k and v from key_start on. Else they lie in
     *  pages, the i-th of which begins at row pages[key_start + i]. Forward alone. */
    const int64_t *pages;
    gk_type key_type; /**< Of k and v: GK_FLOAT32, or in pages GK_BFLOAT16. */
    int32_t padding;
} gk_attention;

/** `log_sum` [rows of q, head_count] receives what backward needs; NULL when nothing is kept. */
void gk_attention_forward(const gk_team *team, const gk_attention *attention, const float *q, int64_t ldq,
                          const float *k, int64_t ldk, const float *v, int64_t ldv, float *out, int64_t ldo,
                          float *log_sum);
/** Writes dq, dk, dv (same layout as q, k, v). No [length, length] storage. */
void gk_attention_backward(const gk_team *team, const gk_attention *attention, const float *q, int64_t ldq,
                           const float *k, int64_t ldk, const float *v, int64_t ldv, const float *out,
                           int64_t ldo, const float *log_sum, const float *dout, int64_t lddo, float *dq,
                           int64_t lddq, float *dk, int64_t lddk, float *dv, int64_t lddv);

/** How the scores of one head over one sequence depend on distances. */
typedef struct gk_distances {
    const int32_t *buckets; /**< Of distance 0, behind those of later keys, before others. */
    int64_t lowest;         /**< The bucket of the first column of c and d. */
    int64_t first;          /**< Place of the first query among the keys. */
    int64_t apart;          /**< So many keys come first, which no distance concerns. */
    float scale;
    int32_t padding;
} gk_distances;

/** scores[i, j] becomes softmax over j of scale (scores[i, j] + c[i, b] + d[j, b]), where b is the
 *  bucket of first + i - j. c [queries, buckets] and d [keys, buckets], or NULL. */
void gk_distance_softmax(const gk_team *team, const gk_distances *distances, int64_t queries, int64_t keys,
                         const float *c, int64_t ldc, const float *d, int64_t ldd, float *scores,
                         int64_t lds);
/** From probabilities p and their gradient in dscores: the gradient of the scores in its place, and
 *  those of c and d, where there are such. */
void gk_distance_softmax_backward(const gk_team *team, const gk_distances *distances, int64_t queries,
                                  int64_t keys, int64_t buckets, const float *p, int64_t ldp, float *dscores,
                                  int64_t lds, float *dc, int64_t ldc, float *dd, int64_t ldd);

/** Rotates pairs (i, i + turned_width / 2) of each head's first turned_width numbers by position *
 *  frequencies[i] (RoPE, Su et al. 2021), in place, times `magnitude`. `inverse` rotates back: the
 *  gradient. */
void gk_rotate(const gk_team *team, int64_t m, int32_t head_count, int32_t head_width, int32_t turned_width,
               const int32_t *positions, const float *frequencies, float magnitude, bool inverse, float *x,
               int64_t ldx);

/* ---- Loss ---- */

/**
 * Softmax cross-entropy from logits [m, classes]. Rows with label < 0 do not count. With weights w
 * and smoothing ε, a row's loss is, as in torch,
 *
 *     w[label] (1 - ε) (-log p[label]) + ε / classes · Σ_c w[c] (-log p[c])
 *
 * Adds the losses of the rows to *loss and w[label] of each to *weight (in double, in row order);
 * writes dlogits = scale · d loss / d logits where not NULL (it may be logits).
 */
void gk_cross_entropy(const gk_team *team, int64_t m, int64_t classes, const float *logits, int64_t ldl,
                      const int32_t *labels, const float *weights, float smoothing, float scale,
                      float *dlogits, int64_t lddl, double *loss, double *weight);

/** Losses of numbers x and targets t, a row's being their mean: logistic is
 * -t log σ(x) - (1 - t) log(1 - σ(x)), as torch's BCEWithLogitsLoss, squared is (x - t)², as
 * MSELoss. */
typedef int32_t gk_loss;
enum { GK_LOSS_LOGISTIC = 0, GK_LOSS_SQUARED = 1 };

/** Adds the losses of the rows of x [m, n] with targets [m, n] to *loss (in double, in row order);
 * writes dx = scale · d loss / dx where not NULL (it may be x). */
void gk_mean_loss(const gk_team *team, gk_loss kind, int64_t m, int64_t n, const float *x, int64_t ldx,
                  const float *targets, float scale, float *dx, int64_t lddx, double *loss);

/**
 * Losses of spans from logits [tokens, 2] of rows whose tokens are from starts[r] to starts[r + 1],
 * counted so that logits are those of token starts[0]: with softmax over a row's tokens, half of
 * -log p[spans[r][0], 0] - log p[spans[r][1], 1]. A place that is not in the row does not count.
 *
 * Adds the losses of the rows to *loss and half of the places that count to *weight (in double, in
 * row order); writes dlogits = scale · d loss / d logits where not NULL (it may be logits).
 */
void gk_span_loss(const gk_team *team, int64_t m, const int64_t *starts, const float *logits, int64_t ldl,
                  const int32_t *spans, float scale, float *dlogits, int64_t lddl, double *loss,
                  double *weight);

/* ---- Optimizers on a flat array ----
 * Gradients are first multiplied by gradient_scale (clipping), then `l2` times the parameter is
 * added to them. State arrays have an element for each parameter. */

/** As torch.optim.Adam, or with weight_decay, which is decoupled from the gradient (Loshchilov and
 * Hutter 2019), as torch.optim.AdamW; `step` counts from 1. */
typedef struct gk_adam {
    float learning_rate, beta1, beta2, epsilon, weight_decay, l2, gradient_scale;
    uint8_t reserved[4];
    int64_t step;
} gk_adam;
void gk_adam_update(const gk_team *team, const gk_adam *settings, int64_t count, float *parameters,
                    const float *gradients, float *first_moment, float *second_moment);

/** Stochastic gradient descent with momentum, as torch.optim.SGD (dampening 0). `velocity` may be
 * NULL where momentum is 0. */
typedef struct gk_sgd {
    float learning_rate, momentum, l2, gradient_scale;
    bool nesterov, first_step;
    uint8_t reserved[6];
} gk_sgd;
void gk_sgd_update(const gk_team *team, const gk_sgd *settings, int64_t count, float *parameters,
                   const float *gradients, float *velocity);

/** Adagrad (Duchi et al. 2011), as torch.optim.Adagrad; whoever calls works its decay into
 * learning_rate. */
typedef struct gk_adagrad {
    float learning_rate, epsilon, l2, gradient_scale;
} gk_adagrad;
void gk_adagrad_update(const gk_team *team, const gk_adagrad *settings, int64_t count, float *parameters,
                       const float *gradients, float *sum_of_squares);

/** How much the loss hangs on each parameter, by AdaLoRA (Zhang et al. 2023, eq. 8 to 10), as
 * moving means: with i = |parameter · gradient_scale · gradient|, sensitivity
 * s ← beta1 s + (1 - beta1) i and uncertainty u ← beta2 u + (1 - beta2) |i - s|. */
typedef struct gk_importance {
    float beta1, beta2, gradient_scale;
} gk_importance;
void gk_update_importance(const gk_team *team, const gk_importance *settings, int64_t count,
                          const float *parameters, const float *gradients, float *sensitivity,
                          float *uncertainty);

/** Σ x², in double, in fixed blocks. NaN or infinite when any element is. */
double gk_sum_of_squares(const gk_team *team, int64_t count, const float *x);

#endif
