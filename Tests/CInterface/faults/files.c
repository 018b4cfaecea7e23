#include "faults.h"

/* The files of an adapter, as it hands them out. */
typedef struct kept_files {
    graft_file files[4];
    int32_t count, most;
} kept_files;

static int32_t keep(void *user_data, const graft_file *file) {
    kept_files *kept = user_data;
    if (kept->count == kept->most)
        return 1;
    char *name = malloc(strlen(file->name) + 1), *data = malloc((size_t)file->size + 1);
    if (!name || !data)
        exit(1);
    strcpy(name, file->name);
    memcpy(data, file->data, (size_t)file->size);
    kept->files[kept->count++] = (graft_file){.name = name, .data = data, .size = file->size};
    return 0;
}

static void forget(kept_files *kept) {
    for (int32_t i = 0; i < kept->count; i++) {
        free((void *)kept->files[i].name);
        free((void *)kept->files[i].data);
    }
}

static int is_same(const graft_file *a, const graft_file *b) {
    return strcmp(a->name, b->name) == 0 && a->size == b->size &&
           memcmp(a->data, b->data, (size_t)a->size) == 0;
}

static char *read_whole(const char *path, int64_t *size) {
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END) != 0)
        exit(1);
    *size = ftell(file);
    rewind(file);
    char *bytes = malloc((size_t)*size + 1);
    if (!bytes || fread(bytes, 1, (size_t)*size, file) != (size_t)*size)
        exit(1);
    fclose(file);
    return bytes;
}

/* An adapter goes to memory and back without a file, with the bytes that it has on the disk. */
static void test_adapter_files(const char *scratch) {
    kept_files kept = {.most = 4}, again = {.most = 4}, none = {.most = 0};
    graft_adapter *loaded = NULL;
    need(graft_adapter_save_files(adapter, keep, &kept), "handing out an adapter's files");
    expect_number(2, kept.count, "a LoRA has two files");
    need(graft_adapter_save(adapter, in(scratch, "saved")), "saving the same adapter");
    for (int32_t i = 0; i < kept.count; i++) {
        char name[100];
        graft_file saved = {.name = kept.files[i].name};
        snprintf(name, sizeof name, "saved/%s", kept.files[i].name);
        saved.data = read_whole(in(scratch, name), &saved.size);
        claim(is_same(&saved, &kept.files[i]), "a file in memory is the file on the disk", saved.name);
        free((void *)saved.data);
    }
    need(graft_adapter_load_files(model, kept.files, kept.count, &loaded), "loading them again");
    expect_number(graft_adapter_label_count(adapter), graft_adapter_label_count(loaded),
                  "an adapter from memory has its labels");
    need(graft_adapter_save_files(loaded, keep, &again), "handing them out again");
    for (int32_t i = 0; i < kept.count && i < again.count; i++)
        claim(is_same(&kept.files[i], &again.files[i]), "files that came from memory go back as they were",
              again.files[i].name);
    graft_adapter_release(loaded);

    expect(GRAFT_ERROR_CANCELLED, graft_adapter_save_files(adapter, keep, &none),
           "a callback that takes no file ends the call");
    invalid(graft_adapter_save_files(adapter, NULL, NULL), "files for no callback are refused");
    invalid(graft_adapter_save_files(NULL, keep, &none), "files of NULL are refused");

    graft_adapter *out = NULL;
    graft_file *files = kept.files, broken[2] = {files[0], files[1]};
    expect(GRAFT_ERROR_NOT_FOUND, graft_adapter_load_files(model, NULL, 0, &out),
           "an adapter of no files is not found");
    expect(GRAFT_ERROR_NOT_FOUND, graft_adapter_load_files(model, files, 1, &out),
           "an adapter of one file lacks the other");
    claim(strstr(graft_last_error_message(), files[1].name) && strstr(graft_last_error_message(), "files: "),
          "the message names the file that is missing", graft_last_error_message());
    invalid(graft_adapter_load_files(model, NULL, 2, &out), "two files at NULL are refused");
    invalid(graft_adapter_load_files(model, files, -1, &out), "-1 files are refused");
    invalid(graft_adapter_load_files(NULL, files, 2, &out), "files for no model are refused");
    invalid(graft_adapter_load_files(model, files, 2, NULL), "files into NULL are refused");
#define BROKEN(field, value, sentence)                                                                       \
    broken[1] = files[1];                                                                                    \
    broken[1].field = value;                                                                                 \
    invalid(graft_adapter_load_files(model, broken, 2, &out), sentence)
    BROKEN(name, NULL, "a file without name is refused");
    BROKEN(name, "", "a file of an empty name is refused");
    BROKEN(name, "a/b", "a name with a slash is refused");
    BROKEN(name, "..", "a name that leads elsewhere is refused");
    BROKEN(name, "\xff", "a name that is not UTF-8 is refused");
    BROKEN(name, files[0].name, "two files of one name are refused");
    BROKEN(data, NULL, "a file at NULL is refused");
    BROKEN(size, -1, "a file of -1 bytes is refused");
#undef BROKEN
    broken[1] = files[1];
    for (int64_t size = 0; size < files[1].size; size += 1 + files[1].size / 50) {
        broken[1].size = size;
        expect(GRAFT_ERROR_CORRUPT_FILE, graft_adapter_load_files(model, broken, 2, &out),
               "a file that ends early is corrupt");
    }
    claim(out == NULL, "a failed load from memory leaves its output alone", "another value");
    forget(&kept);
    forget(&again);
}

/* A tokenizer from memory encodes as the one from the folder. */
static void test_tokenizer_files(const char *folder) {
    static const char text[] = "Some words, and another: \xc3\xa9!";
    graft_file file = {.name = "tokenizer.json"};
    file.data = read_whole(in(folder, "tokenizer.json"), &file.size);
    graft_tokenizer *loaded = NULL;
    graft_encoding *one = NULL, *other = NULL;
    need(graft_tokenizer_load_files(&file, 1, &loaded), "loading a tokenizer from memory");
    memset((void *)file.data, 0, (size_t)file.size); /* it keeps nothing of it */
    need(graft_tokenizer_encode(tokenizer, text, NULL, NULL, &one), "encoding");
    need(graft_tokenizer_encode(loaded, text, NULL, NULL, &other), "encoding");
    int64_t count = graft_encoding_token_count(one);
    expect_number(count, graft_encoding_token_count(other), "a tokenizer from memory finds as many tokens");
    claim(memcmp(graft_encoding_ids(one), graft_encoding_ids(other), (size_t)count * sizeof(int32_t)) == 0,
          "and the same ones", "others");
    graft_encoding_release(one);
    graft_encoding_release(other);
    graft_tokenizer_release(loaded);

    graft_tokenizer *out = NULL;
    expect(GRAFT_ERROR_CORRUPT_FILE, graft_tokenizer_load_files(&file, 1, &out),
           "a tokenizer.json of zeros is corrupt");
    file.name = "words.json";
    expect(GRAFT_ERROR_NOT_FOUND, graft_tokenizer_load_files(&file, 1, &out),
           "a tokenizer of no known file is not found");
    expect(GRAFT_ERROR_NOT_FOUND, graft_tokenizer_load_files(NULL, 0, &out),
           "a tokenizer of no files is not found");
    invalid(graft_tokenizer_load_files(NULL, 1, &out), "a file at NULL is refused");
    invalid(graft_tokenizer_load_files(&file, 1, NULL), "a tokenizer into NULL is refused");
    file.size = INT64_MAX;
    invalid(graft_tokenizer_load_files(&file, 1, &out), "a file of 2^63 - 1 bytes is refused");
    claim(out == NULL, "a failed load leaves its output alone", "another value");
    free((void *)file.data);
}

void test_files(const char *folder, const char *scratch) {
    test_adapter_files(scratch);
    test_tokenizer_files(folder);
}
