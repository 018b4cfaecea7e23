/* Files cut at every byte, a header of 100 MB, and a disk that is full or may not be written. */
#define _GNU_SOURCE
#include "malformed.h"
#include <errno.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

typedef graft_status (*load)(const char *folder);

static graft_status load_model(const char *folder) {
    graft_model *out = NULL;
    graft_status status = graft_model_load(folder, NULL, &out);
    graft_model_release(out);
    return status;
}

static graft_status load_adapter(const char *folder) {
    graft_adapter *out = NULL;
    graft_status status = graft_adapter_load(tiny, folder, &out);
    graft_adapter_release(out);
    return status;
}

static graft_status load_tokenizer(const char *folder) {
    graft_tokenizer *out = NULL;
    graft_status status = graft_tokenizer_load(folder, &out);
    graft_tokenizer_release(out);
    return status;
}

/* Cuts `file` of a folder at every byte of its first `every`, and at each 131st of the rest. */
static void cut(const char *folder, const char *file, size_t every, load load, const char *sentence) {
    size_t size;
    char path[1100], *bytes;
    snprintf(path, sizeof path, "%s/%s", folder, file);
    bytes = read_file(path, &size);
    /* A file without its last line feeds is whole. */
    size_t whole = size;
    while (whole > 0 && bytes[whole - 1] == '\n')
        whole--;
    size_t accepted = 0, first = 0, count = 0;
    for (size_t length = 0; length < whole; length += length < every ? 1 : 131) {
        write_bytes(path, bytes, length);
        count++;
        if (!is_refused(load(folder)) && accepted++ == 0)
            first = length;
    }
    char text[100];
    snprintf(text, sizeof text, "%zu of %zu accepted, the first at byte %zu", accepted, count, first);
    claim(accepted == 0 && count > 100, sentence, text);
    write_bytes(path, bytes, size);
    claim(load(folder) == GRAFT_OK, "the whole file is accepted", sentence);
    free(bytes);
}

static void huge_header(const char *folder, const char *file, load load, const char *sentence) {
    char path[1100];
    snprintf(path, sizeof path, "%s/%s", folder, file);
    static const struct {
        uint64_t length;
        off_t size;
    } cases[] = {
        {100000001, 200000000}, {UINT64_MAX, 4096}, {(uint64_t)1 << 63, 4096}, {4089, 4096}, {0, 8}, {1, 9},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        unsigned char length[8];
        for (int byte = 0; byte < 8; byte++)
            length[byte] = (unsigned char)(cases[i].length >> 8 * byte);
        write_bytes(path, length, sizeof length);
        if (truncate(path, cases[i].size) != 0)
            exit(1);
        expect(GRAFT_ERROR_CORRUPT_FILE, file, load(folder), sentence);
    }
}

static const char vocabulary[] =
    "{\"model\": {\"type\": \"WordPiece\", \"unk_token\": \"[UNK]\", \"continuing_subword_prefix\": \"##\", "
    "\"max_input_chars_per_word\": 100, \"vocab\": {\"[UNK]\": 0, \"one\": 1, \"two\": 2}}, \"normalizer\": "
    "{\"type\": "
    "\"BertNormalizer\", \"clean_text\": true, \"handle_chinese_chars\": true, \"strip_accents\": null, "
    "\"lowercase\": true}, \"pre_tokenizer\": {\"type\": \"BertPreTokenizer\"}, \"post_processor\": null, "
    "\"decoder\": "
    "null}";

void test_cuts(void) {
    const char *folder = copy_folder("bert-tiny/base", "cut");
    cut(folder, "config.json", 1 << 20, load_model, "a config.json cut anywhere is refused");
    cut(folder, "model.safetensors", 4100, load_model, "a model.safetensors cut anywhere is refused");
    huge_header(folder, "model.safetensors", load_model, "a header of absurd length in a model is refused");
    folder = copy_folder("bert-tiny/sharded", "cut");
    cut(folder, "model.safetensors.index.json", 1 << 20, load_model, "an index cut anywhere is refused");
    folder = copy_folder("lora/default", "cut");
    cut(folder, "adapter_config.json", 1 << 20, load_adapter,
        "an adapter_config.json cut anywhere is refused");
    cut(folder, "adapter_model.safetensors", 1 << 20, load_adapter,
        "an adapter's tensors cut anywhere are refused");
    huge_header(folder, "adapter_model.safetensors", load_adapter,
                "a header of absurd length in an adapter is refused");
    folder = copy_folder("bottleneck/seq-bn/start", "cut");
    cut(folder, "adapter_config.json", 1 << 20, load_adapter,
        "AdapterHub's settings cut anywhere are refused");
    cut(folder, "adapter.safetensors", 1 << 20, load_adapter,
        "AdapterHub's tensors cut anywhere are refused");
    cut(folder, "head_config.json", 1 << 20, load_adapter, "a head_config.json cut anywhere is refused");
    cut(folder, "model_head.safetensors", 1 << 20, load_adapter, "a head's tensors cut anywhere are refused");
    folder = copy_folder("lora/default", "cut");
    write_bytes(join(folder, "tokenizer.json"), vocabulary, sizeof vocabulary - 1);
    cut(folder, "tokenizer.json", 1 << 20, load_tokenizer, "a tokenizer.json cut anywhere is refused");
}

static graft_adapter *adapter;

/* Saves an adapter and a checkpoint below `folder`: both must fail as the disk does, and leave
 * nothing behind. */
static void save_below(const char *folder, const char *fragment, const char *sentence) {
    char path[1100];
    graft_trainer *trainer = NULL;
    snprintf(path, sizeof path, "%s/saved", folder);
    expect(GRAFT_ERROR_IO, fragment, graft_adapter_save(adapter, path), sentence);
    claim(access(path, F_OK) != 0, "nothing is left of a folder that could not be saved", sentence);
    need(graft_trainer_create(tiny, adapter, NULL, &trainer), "making a trainer");
    expect(GRAFT_ERROR_IO, fragment, graft_trainer_save(trainer, path), sentence);
    claim(access(path, F_OK) != 0, "nothing is left of a checkpoint that could not be saved", sentence);
    claim(rmdir(folder) == 0 || errno == EBUSY || errno == EACCES, "nothing hidden is left either", sentence);
    mkdir(folder, 0755);
    graft_trainer_release(trainer);
}

void test_disks(void) {
    char folder[1000];
    snprintf(folder, sizeof folder, "%s/disk", scratch);
    mkdir(folder, 0755);
    need(graft_adapter_load(tiny, join(goldens, "lora/default"), &adapter), "loading an adapter");

    /* Files may not grow beyond 4 kB, which to a writer is a disk that is full. */
    struct rlimit unlimited, limited;
    getrlimit(RLIMIT_FSIZE, &unlimited);
    limited = unlimited;
    limited.rlim_cur = 4096;
    setrlimit(RLIMIT_FSIZE, &limited);
    save_below(folder, "saved/", "a file that may not grow");
    setrlimit(RLIMIT_FSIZE, &unlimited);

    /* A disk of 12 kB, where the system lets this process mount one. */
    if (mount("graft", folder, "tmpfs", 0, "size=12k") == 0) {
        char path[1100];
        snprintf(path, sizeof path, "%s/full", folder);
        char block[8192] = {0};
        write_bytes(path, block, sizeof block);
        save_below(folder, "No space left", "a full disk");
        remove(path);
        umount2(folder, MNT_DETACH);
    }

    /* The administrator may write everywhere, so this is tried as nobody. */
    chmod(folder, 0555);
    int is_administrator = geteuid() == 0;
    if (is_administrator && seteuid(65534) != 0)
        exit(1);
    save_below(folder, "Permission denied", "a folder that may not be written");
    if (is_administrator && seteuid(0) != 0)
        exit(1);
    chmod(folder, 0755);
    snprintf(folder, sizeof folder, "%s/saved", scratch);
    need(graft_adapter_save(adapter, folder), "saving where that is possible");
    graft_adapter_release(adapter);
}
