/* What the objects of the library ask of a C library newer than 2.28, made of what 2.28 has: see
 * Linking/c-library.
 *
 * The names are those of the C library. None is exported. */
#include <sys/stat.h>

/* Up to 2.32 the header had `stat` call these. The number says which layout of the struct is meant:
 * the only one of x86-64. */
enum { stat_layout = 1 };
int __xstat(int layout, const char *path, struct stat *result);
int __lxstat(int layout, const char *path, struct stat *result);
int __fxstat(int layout, int file, struct stat *result);

int stat(const char *path, struct stat *result) {
    return __xstat(stat_layout, path, result);
}
int lstat(const char *path, struct stat *result) {
    return __lxstat(stat_layout, path, result);
}
int fstat(int file, struct stat *result) {
    return __fxstat(stat_layout, file, result);
}

/* The C++ runtime counts references without atomic instructions while this is not 0. A host may
 * have threads. */
extern char __libc_single_threaded;
char __libc_single_threaded = 0;

/* Finds the unwind tables of the object that holds an address, for GCC's unwinder: none. So a C++
 * exception inside the library would end the process, as one that nothing catches does. Nothing in
 * it throws but the C++ parts of the Swift runtime where memory for its own tables is lacking, and
 * nothing in it catches. A host's exceptions have the host's unwinder. */
int _dl_find_object(void *address, void *result);
int _dl_find_object(void *address, void *result) {
    (void)address;
    (void)result;
    return -1;
}
