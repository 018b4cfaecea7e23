/* What the files of this program share: folders with one thing wrong, and claims that are
 * counted. */
#ifndef MALFORMED_H
#define MALFORMED_H

#include <graft.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where the goldens are, and a folder of this run's own. */
extern const char *goldens, *scratch;
/* bert-tiny, as it should be. */
extern graft_model *tiny;

/* "folder/name" in one of a few buffers that take turns. */
const char *join(const char *folder, const char *name);
/* The whole file, NUL-terminated; for the caller to free. */
char *read_file(const char *path, size_t *size);
void write_bytes(const char *path, const void *bytes, size_t size);
/* Copies the plain files of a folder of the goldens into `scratch`/name, which is made anew, and
 * returns its path. */
const char *copy_folder(const char *golden, const char *name);

/* The plain files of a folder, for free_files(); writes how many. */
graft_file *read_files(const char *folder, int32_t *count);
void free_files(graft_file *files, int32_t count);

/* The call gives `expected` and a message that holds `fragment`. */
void expect(graft_status expected, const char *fragment, graft_status found, const char *sentence);
/* The call fails, and neither as a bug nor without a reason. */
int is_refused(graft_status found);
void claim(int holds, const char *sentence, const char *found);
/* Ends the program: without this there is nothing to test. */
void need(graft_status status, const char *what);

void test_table(void);
void test_cuts(void);
void test_long_texts(void);
void test_disks(void);
void test_mutations(void);
void test_many_labels(void);
void test_sharing(void);
void test_heads(void);
void test_virtual_rows(void);
void test_adalora(void);
void test_folders(void);
void test_gguf(void);
void test_measures(void);
void test_numbers(void);
void test_constraints(void);
void test_sequences(void);
void test_templates(void);

#endif
