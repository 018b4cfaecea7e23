/** The floating-point environment: rounding, subnormal numbers, traps. */
#ifndef GK_ENVIRONMENT_H
#define GK_ENVIRONMENT_H

#include <stdint.h>

#if defined(__x86_64__)

typedef struct gk_environment {
    uint32_t vectors; /**< MXCSR. */
    uint16_t stack;   /**< Control word of the x87, which reading numbers from text looks at. */
} gk_environment;

/** Sets the environment that C programs start with, and returns the one before. */
static inline gk_environment gk_set_default_environment(void) {
    const uint32_t vectors = 0x1F80, happened = 0x3F;
    const uint16_t stack = 0x37F;
    gk_environment before;
    __asm__ volatile("stmxcsr %0\n\tfnstcw %1" : "=m"(before.vectors), "=m"(before.stack));
    if ((before.vectors & ~happened) != vectors)
        __asm__ volatile("ldmxcsr %0" : : "m"(vectors) : "memory");
    if (before.stack != stack)
        __asm__ volatile("fldcw %0" : : "m"(stack) : "memory");
    return before;
}

static inline void gk_restore_environment(const gk_environment *before) {
    const uint16_t stack = 0x37F;
    __asm__ volatile("ldmxcsr %0" : : "m"(before->vectors) : "memory");
    if (before->stack != stack)
        __asm__ volatile("fldcw %0" : : "m"(before->stack) : "memory");
}

#else
#include <fenv.h>

typedef fenv_t gk_environment;

static inline gk_environment gk_set_default_environment(void) {
    gk_environment before;
    fegetenv(&before);
    fesetenv(FE_DFL_ENV);
    return before;
}

static inline void gk_restore_environment(const gk_environment *before) {
    fesetenv(before);
}

#endif
#endif
