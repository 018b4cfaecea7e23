/* Adapters take the memory of their numbers, once, and give it back.
 *
 *     resident MODEL SCRATCH
 */
#include "process.h"
#include <sys/stat.h>

enum { COUNT = 200, FIXED = 64 << 10 };

static int held, failed;

static double resident(void) {
    size_t mapped, resident;
    if (!measure_memory(&mapped, &resident))
        exit(1);
    return (double)resident;
}

static double size_of(const char *folder, const char *name) {
    char path[1000];
    struct stat status;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (stat(path, &status) != 0)
        exit(1);
    return (double)status.st_size;
}

static void claim(int holds, const char *method, const char *sentence, double found, double most) {
    held += holds;
    failed += !holds;
    if (!holds)
        printf("FAILED  %s: %s: %.0f bytes, at most %.0f expected\n", method, sentence, found, most);
}

static void test(const graft_model *model, const char *folder, const char *method, const char *settings,
                 const char *weights) {
    graft_adapter *adapters[COUNT] = {NULL}, *first = NULL;
    need(graft_adapter_create(model, method, settings, 1, &first), "making an adapter");
    need(graft_adapter_save(first, folder), "saving it");
    graft_adapter_release(first);
    need(graft_adapter_load(model, folder, &first), "loading it");
    graft_adapter_release(first);
    double file = size_of(folder, weights), before = resident();
    /* The table of handles and the like keep what they grew to, which is little. */
    double most = before * 1.05;
    for (int from_the_end = 0; from_the_end < 2; from_the_end++) {
        for (int i = 0; i < COUNT; i++)
            need(graft_adapter_load(model, folder, &adapters[i]), "loading an adapter");
        double each = (resident() - before) / COUNT;
        claim(each <= 1.1 * file + FIXED, method, "an adapter takes its file and a little", each,
              1.1 * file + FIXED);
        for (int i = 0; i < COUNT; i++)
            graft_adapter_release(adapters[from_the_end ? COUNT - 1 - i : i]);
        double after = resident();
        claim(after <= most, method, "released adapters give their memory back", after, most);
    }
}

int main(int argument_count, char **arguments) {
    graft_model *model = NULL;
    if (argument_count != 3)
        return 2;
    need(graft_model_load(arguments[1], NULL, &model), "loading the model");
    test(model, arguments[2], "lora", "{\"r\": 24}", "adapter_model.safetensors");
    test(model, arguments[2], "lora", "{\"target_modules\": \"all-linear\"}", "adapter_model.safetensors");
    test(model, arguments[2], "bottleneck", NULL, "adapter.safetensors");
    graft_model_release(model);
    printf("%d held\n", held);
    return failed != 0;
}
