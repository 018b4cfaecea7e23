/** The product kernels for AVX-512 with the bfloat16 dot product. */
#if defined(__x86_64__)
#define PATH gk_products_avx512bf16
#define TARGET "avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx2,fma,f16c"
#define GK_NAME(name) name##_avx512bf16
#define GK_WIDTH 16
#define FLOAT_ROWS 14
#define PAIR_ROWS 14
#define HAS_HALF
#define HAS_PAIR_DOT
#include "products.inc"
#endif
