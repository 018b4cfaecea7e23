/* A host in C++ keeps its exceptions and its allocations to itself: it throws and catches around
 * calls, inside a callback and on another thread, and none of what the library allocates goes
 * through the host's operators.
 *
 *     throwing GOLDENS */
#include <graft.h>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

static thread_local long allocation_count;

void *operator new(std::size_t size) {
    allocation_count++;
    if (void *memory = std::malloc(size ? size : 1))
        return memory;
    throw std::bad_alloc();
}
void operator delete(void *memory) noexcept {
    std::free(memory);
}

struct Refused : std::runtime_error {
    graft_status status;
    Refused(graft_status status, const std::string &what) : std::runtime_error(what), status(status) {}
};

static void check(graft_status status) {
    if (status != GRAFT_OK)
        throw Refused(status, graft_last_error_message());
}

static void expect(bool holds, const char *what) {
    if (!holds)
        throw std::logic_error(what);
}

/* Throws through frames of this program, and lets the C++ runtime throw. */
static void throw_and_catch() {
    std::string caught;
    try {
        graft_model *model = nullptr;
        check(graft_model_load("/nowhere", nullptr, &model));
    } catch (const std::runtime_error &error) {
        expect(dynamic_cast<const Refused *>(&error) != nullptr, "the exception is of its class");
        caught = error.what();
    }
    expect(caught.find("/nowhere") != std::string::npos, "the exception has the library's message");
    try {
        std::vector<int>().at(1);
        expect(false, "the C++ runtime throws");
    } catch (const std::out_of_range &) {
    }
    try {
        std::vector<char> all(std::size_t(-1) / 4);
        expect(false, "there is less memory than that");
    } catch (const std::bad_alloc &) {
    }
}

static int32_t throw_in_callback(void *user_data, const graft_metrics *) {
    throw_and_catch();
    ++*static_cast<int *>(user_data);
    return 0;
}

static void train(const std::string &folder) {
    const int32_t tokens[] = {2, 13, 24, 35, 46}, lengths[] = {2, 3}, labels[] = {0, 1};
    const char *names[] = {"a", "b"};
    graft_model *model = nullptr;
    graft_adapter *adapter = nullptr;
    graft_batch *batch = nullptr;
    graft_dataset *dataset = nullptr;
    graft_trainer *trainer = nullptr;
    int progress_count = 0;

    long before = allocation_count;
    check(graft_model_load(folder.c_str(), nullptr, &model));
    check(graft_adapter_create(model, "lora", nullptr, 7, &adapter));
    check(graft_adapter_set_head(adapter, "sequence_classification", names, 2, NULL));
    check(graft_batch_create(tokens, nullptr, lengths, 2, &batch));
    check(graft_batch_set_integers(batch, "labels", labels, 2, 1));
    check(graft_dataset_create(&dataset));
    check(graft_dataset_append(dataset, batch));
    check(graft_trainer_create(model, adapter, nullptr, &trainer));
    expect(allocation_count == before, "the library does not allocate with the host's operators");
    check(graft_trainer_fit(trainer, dataset, nullptr, throw_in_callback, &progress_count, nullptr, NULL));
    expect(progress_count > 0, "the callback is called");

    graft_trainer_release(trainer);
    graft_dataset_release(dataset);
    graft_batch_release(batch);
    graft_adapter_release(adapter);
    graft_model_release(model);
}

int main(int argument_count, char **arguments) try {
    expect(argument_count == 2, "usage: throwing GOLDENS");
    throw_and_catch();
    train(std::string(arguments[1]) + "/bert-tiny/base");
    std::thread(throw_and_catch).join();
    return EXIT_SUCCESS;
} catch (const std::exception &error) {
    std::fprintf(stderr, "%s\n", error.what());
    return EXIT_FAILURE;
}
