/* Prints the microseconds that opening the library named on the command line takes in this new
 * process. */
#include <dlfcn.h>
#include <stdio.h>
#include <time.h>

int main(int argument_count, char **arguments) {
    struct timespec before, after;
    clock_gettime(CLOCK_MONOTONIC, &before);
    if (argument_count != 2 || !dlopen(arguments[1], RTLD_NOW)) {
        fprintf(stderr, "%s\n", dlerror());
        return 1;
    }
    clock_gettime(CLOCK_MONOTONIC, &after);
    printf("%ld\n", (after.tv_sec - before.tv_sec) * 1000000L + (after.tv_nsec - before.tv_nsec) / 1000);
    return 0;
}
