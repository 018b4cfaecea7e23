/** The product kernels for any processor: four lanes, which every 64-bit one has. */
#define PATH gk_products_portable
#define GK_NAME(name) name##_portable
#define GK_WIDTH 4
#define FLOAT_ROWS 4
#define PAIR_ROWS 4
#include "products.inc"
