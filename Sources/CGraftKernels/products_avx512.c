/** The product kernels for AVX-512 without bfloat16 arithmetic. */
#if defined(__x86_64__)
#define PATH gk_products_avx512
#define TARGET "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c"
#define GK_NAME(name) name##_avx512
#define GK_WIDTH 16
#define FLOAT_ROWS 14
#define PAIR_ROWS 14
#define HAS_HALF
#include "products.inc"
#endif
