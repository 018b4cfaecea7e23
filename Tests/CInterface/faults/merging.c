#include "faults.h"

static int32_t stop(void *user_data, const char *module, double error) {
    claim(strlen(module) > 0 && error >= 0 && error <= 1, "a module has a name and an error", module);
    ++*(int *)user_data;
    return 1;
}

void test_merging(const char *folder, const char *scratch) {
    graft_model *merged = NULL;
    invalid(graft_model_merge(NULL, composition, in(scratch, "merged")), "merging into NULL is refused");
    invalid(graft_model_merge(model, NULL, in(scratch, "merged")), "merging NULL is refused");
    invalid(graft_model_merge(model, (const graft_composition *)adapter, in(scratch, "merged")),
            "merging an adapter's handle is refused");
    invalid(graft_model_merge(model, composition, NULL), "merging to NULL is refused");
    invalid(graft_model_write_gguf(NULL, composition, NULL, in(scratch, "m.gguf")),
            "writing NULL is refused");
    invalid(graft_model_write_gguf(model, NULL, "Q4_0", in(scratch, "m.gguf")),
            "writing an unknown type is refused");
    invalid(graft_model_write_gguf(model, NULL, NULL, NULL), "writing to NULL is refused");
    invalid(graft_model_merge(model, composition, folder), "merging to the model's own folder is refused");
    write_file(in(scratch, "file"), "content");
    expect_refused(graft_model_merge(model, composition, in(scratch, "file/merged")),
                   "merging below a file is refused");
    invalid(graft_model_load_merged(model, composition, NULL, NULL), "a merged model for NULL is refused");
    invalid(graft_model_load_merged(NULL, composition, NULL, &merged), "loading merged into NULL is refused");
    invalid(graft_model_load_merged(model, NULL, NULL, &merged), "loading merged with NULL is refused");

    graft_model *other = NULL;
    need(graft_model_load(folder, NULL, &other), "loading the model again");
    expect(GRAFT_ERROR_INCOMPATIBLE, graft_model_load_merged(other, composition, NULL, &merged),
           "adapters of another model are not merged");
    graft_model_release(other);

    graft_adapter *bottleneck = NULL;
    graft_composition *acting = NULL;
    need(graft_adapter_create(model, "bottleneck", NULL, 0, &bottleneck), "making a bottleneck");
    need(graft_composition_create(bottleneck, 1, &acting), "composing it");
    expect(GRAFT_ERROR_UNSUPPORTED, graft_model_merge(model, acting, in(scratch, "merged")),
           "a bottleneck is not merged");
    graft_adapter *small = NULL;
    double error = -1;
    expect(GRAFT_ERROR_UNSUPPORTED, graft_adapter_compress(bottleneck, 2, NULL, NULL, &small, &error),
           "a bottleneck is not compressed");
    graft_composition_release(acting);
    graft_adapter_release(bottleneck);

    invalid(graft_adapter_compress(NULL, 2, NULL, NULL, &small, NULL), "compressing NULL is refused");
    invalid(graft_adapter_compress(adapter, 0, NULL, NULL, &small, NULL), "rank 0 is refused");
    invalid(graft_adapter_compress(adapter, -1, NULL, NULL, &small, NULL), "rank -1 is refused");
    invalid(graft_adapter_compress(adapter, 2, NULL, NULL, NULL, NULL), "compressing into NULL is refused");
    int count = 0;
    expect(GRAFT_ERROR_CANCELLED, graft_adapter_compress(adapter, 2, stop, &count, &small, &error),
           "a callback stops the compression");
    expect_number(1, count, "which it does at once");
    claim(!merged && !small && error == -1, "refused calls leave their outputs alone", "others");

    need(graft_model_load_merged(model, composition, NULL, &merged), "merging in memory");
    expect_number(graft_composition_label_count(composition), graft_model_label_count(merged),
                  "a merged model has the head's labels");
    graft_model_release(merged);
    need(graft_adapter_compress(adapter, 2, NULL, NULL, &small, NULL), "compressing without a callback");
    claim(strcmp(graft_adapter_method(small), "lora") == 0, "a compressed adapter is a LoRA",
          graft_adapter_method(small));
    graft_adapter_release(small);
}
