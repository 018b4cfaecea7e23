/** Exact search: of each query the stored vectors with the largest products. */
#include "ranges.h"

#define GK_KERNELS "nearest_kernels.inc"
#include "each_path.inc"

/** Vectors whose products with four queries are made at a time: they stay in the first cache. */
enum { GK_VECTORS_TOGETHER = 16 };

/** Whether `one` ranks behind `other`: its product is smaller, or it stands later. */
static inline bool is_behind(gk_found one, gk_found other) {
    return one.product != other.product ? one.product < other.product : one.place > other.place;
}

/** Restores a heap, whose first ranks last, where only the first may stand wrong. */
static void sink(gk_found *heap, int64_t count) {
    gk_found moved = heap[0];
    int64_t at = 0;
    for (int64_t child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && is_behind(heap[child + 1], heap[child]))
            child++;
        if (!is_behind(heap[child], moved))
            break;
        heap[at] = heap[child];
    }
    heap[at] = moved;
}

static inline void offer(gk_found *heap, int64_t count, gk_found found) {
    if (is_behind(heap[0], found)) {
        heap[0] = found;
        sink(heap, count);
    }
}

/** Sorts a heap: the first ranks first. */
static void sort(gk_found *heap, int64_t count) {
    for (int64_t last = count - 1; last > 0; last--) {
        gk_found behind = heap[0];
        heap[0] = heap[last];
        sink(heap, last);
        heap[last] = behind;
    }
}

typedef struct search {
    int64_t h, query_count, best_count;
    const float *vectors, *queries;
} search;

/** Searches vectors [range.begin, range.end) into the heaps of a thread; returns the first with a
 *  product that is not finite, or INT64_MAX. */
static int64_t search_range(const search *s, gk_range range, gk_found *heaps) {
    int64_t bad = INT64_MAX;
    for (int64_t first = range.begin; first < range.end; first += GK_VECTORS_TOGETHER) {
        int64_t left = range.end - first, count = left < GK_VECTORS_TOGETHER ? left : GK_VECTORS_TOGETHER;
        for (int64_t query = 0; query < s->query_count; query += 4) {
            int64_t together = s->query_count - query < 4 ? s->query_count - query : 4;
            const float *queries[4];
            for (int64_t q = 0; q < 4; q++)
                queries[q] = s->queries + (query + (q < together ? q : 0)) * s->h;
            float products[4 * GK_VECTORS_TOGETHER];
            if (together == 1)
                GK_ON_PATH(products_with_one)(count, s->h, s->vectors + first * s->h, queries, products);
            else
                GK_ON_PATH(products_with_four)(count, s->h, s->vectors + first * s->h, queries, products);
            for (int64_t q = 0; q < together; q++)
                for (int64_t v = 0; v < count; v++) {
                    gk_found found = {products[4 * v + q], 0, first + v};
                    if (found.product - found.product != 0)
                        bad = found.place < bad ? found.place : bad;
                    else
                        offer(heaps + (query + q) * s->best_count, s->best_count, found);
                }
        }
    }
    return bad;
}

int64_t gk_nearest(const gk_team *team, int64_t count, int64_t h, const float *vectors, int64_t query_count,
                   const float *queries, int64_t best_count, gk_found *found) {
    int64_t heap_size = query_count * best_count;
    int32_t threads = gk_threads(team, count * h * query_count / GK_ELEMENTS_PER_THREAD);
    for (int64_t i = 0; i < threads * heap_size; i++)
        found[i] = (gk_found){-__builtin_inff(), 0, INT64_MAX};
    search s = {h, query_count, best_count, vectors, queries};
    int64_t bad_of_threads[GK_MAXIMUM_THREADS];
    for (int32_t thread = 0; thread < threads; thread++)
        bad_of_threads[thread] = INT64_MAX;
    const search *shared = &s;
    int64_t *bad = bad_of_threads;
    gk_for_ranges_on(team, threads, count, GK_VECTORS_TOGETHER, ^(gk_range range, int32_t seat) {
      int64_t first_bad = search_range(shared, range, found + seat * heap_size);
      bad[seat] = first_bad < bad[seat] ? first_bad : bad[seat];
    });
    for (int32_t thread = 1; thread < threads; thread++) {
        bad[0] = bad[thread] < bad[0] ? bad[thread] : bad[0];
        for (int64_t i = 0; i < heap_size; i++)
            offer(found + i / best_count * best_count, best_count, found[thread * heap_size + i]);
    }
    for (int64_t query = 0; query < query_count; query++)
        sort(found + query * best_count, best_count);
    return bad[0] == INT64_MAX ? -1 : bad[0];
}
