/* The header needs nothing before it, twice does no harm, and the values of its constants are
 * frozen. */
#include <graft.h>
#include <graft.h>

#define HOLDS(name, claim) typedef char name[(claim) ? 1 : -1]

HOLDS(version_is_one_number, GRAFT_VERSION_NUMBER == GRAFT_VERSION_MAJOR * 1000000 +
                                                         GRAFT_VERSION_MINOR * 1000 + GRAFT_VERSION_PATCH);
HOLDS(statuses_are_frozen, GRAFT_OK == 0 && GRAFT_ERROR_INVALID_ARGUMENT == 1 && GRAFT_ERROR_NOT_FOUND == 2 &&
                               GRAFT_ERROR_IO == 3 && GRAFT_ERROR_CORRUPT_FILE == 4 &&
                               GRAFT_ERROR_UNSUPPORTED == 5 && GRAFT_ERROR_INCOMPATIBLE == 6 &&
                               GRAFT_ERROR_BUFFER_TOO_SMALL == 7 && GRAFT_ERROR_OUT_OF_MEMORY == 8 &&
                               GRAFT_ERROR_CANCELLED == 9 && GRAFT_ERROR_DIVERGED == 10 &&
                               GRAFT_ERROR_INTERNAL == 11);
HOLDS(precisions_are_frozen, GRAFT_PRECISION_FLOAT32 == 0 && GRAFT_PRECISION_BFLOAT16 == 1);
HOLDS(poolings_are_frozen, GRAFT_POOLING_MEAN == 0 && GRAFT_POOLING_FIRST == 1 && GRAFT_POOLING_LAST == 2);
