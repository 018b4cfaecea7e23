/** The product kernels for AVX2 with FMA; such processors convert float16 too. */
#if defined(__x86_64__)
#define PATH gk_products_avx2
#define TARGET "avx2,fma,f16c"
#define GK_NAME(name) name##_avx2
#define GK_WIDTH 8
#define FLOAT_ROWS 6
#define PAIR_ROWS 5
#define HAS_HALF
#include "products.inc"
#endif
