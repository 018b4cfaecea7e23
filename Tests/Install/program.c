/* Runs with the installed library if it has the version on the command line, which is also the
 * header's. */
#include <graft.h>
#include <stdio.h>
#include <string.h>

int main(int argument_count, char **arguments) {
    printf("%s, %d\n", graft_version_string(), graft_version_number());
    return argument_count != 2 || strcmp(graft_version_string(), arguments[1]) != 0 ||
           graft_version_number() != GRAFT_VERSION_NUMBER;
}
