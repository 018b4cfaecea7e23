/**
 * @file graft.h
 * @brief Graft: load a transformer, train small adapters on it, run it. CPU only, no network.
 *
 * This header is the whole public interface: what is not declared here does not exist.
 *
 * Data flow
 *
 *     files -> graft_model ----+
 *     files -> graft_tokenizer |--> graft_session --> embeddings, hidden states, labels
 *     text  -> graft_batch ----|
 *     graft_adapter -----------+--> graft_trainer --> the same graft_adapter, now trained
 *
 * Errors     A fallible function returns a graft_status; 0 is success. On failure, outputs are
 *            untouched unless said otherwise and graft_last_error_message() describes the failure
 *            on this thread.
 * Ownership  A handle written through a `graft_x **out` belongs to the caller, who gives it back
 *            once with graft_x_release(). Release accepts NULL and never fails. A handle keeps
 *            alive what it was built from, so handles may be released in any order. A handle that
 *            was released, or is of another kind, is recognised and refused.
 *            graft_x_retain() gives a handle one more owner, who releases it as well; the last
 *            release frees it. It refuses a handle that is no longer live, so a thread may retain
 *            what another one releases at that moment: see graft_composition_retain().
 *            A `const char *` returned by a getter lives as long as its handle.
 *            Graft never returns memory for the caller to free.
 * Threads    `const graft_x *` arguments may be shared by concurrent calls. A non-const handle
 *            needs exclusive use during the call: a session or trainer refuses a second call,
 *            from another thread or from a callback. Any thread may make any call; 64 kB of stack
 *            are enough. Callbacks run on the calling thread, before the call returns.
 *            A call computes on its own thread and on workers that all calls share: never more
 *            threads at once than the processors that affinity, the quotas of control groups and
 *            OMP_NUM_THREADS leave to the process. Workers take no signals, sleep between calls,
 *            and end with the last session and trainer. A forked process makes its own.
 *            What a thread has set for its arithmetic (rounding, subnormal numbers, traps) changes
 *            no result, and is the same after the call and in callbacks.
 * Arrays     Row-major, tightly packed, 32-bit floats. Shapes are written [rows, columns].
 *            Counts and capacities are in elements, not bytes. Text is UTF-8, NUL-terminated;
 *            texts to encode may instead be of given sizes and hold NUL (graft_encode_options).
 *            A batch has no padding: its tokens stand row after row, `token_count` in all.
 * Options    Pass NULL for defaults, or fill a struct with graft_x_options_init() and change it.
 * Memory     Whatever the system refuses, a call fails with GRAFT_ERROR_OUT_OF_MEMORY and the process
 *            goes on. What an object held goes back to the system when it is released.
 *            graft_x_memory() is what a handle holds of the process's memory, in bytes: pages that
 *            were touched, without what it shares with other handles. -1 for an invalid handle.
 *            From any thread, also during a call.
 * Results    The same bits for any number of threads, and for a row whatever rows share its batch.
 * Stability  Declarations marked "Since 1.0" keep their ABI for all of libgraft.so.1. */
#ifndef GRAFT_H
#define GRAFT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define GRAFT_API __attribute__((visibility("default")))
#define GRAFT_MUST_CHECK __attribute__((warn_unused_result))
#else
#define GRAFT_API
#define GRAFT_MUST_CHECK
#endif

/* ---- Version ------------------------------------------------------------------------------ */

#define GRAFT_VERSION_MAJOR 1
#define GRAFT_VERSION_MINOR 0
#define GRAFT_VERSION_PATCH 0
#define GRAFT_VERSION_NUMBER                                                                                 \
    (GRAFT_VERSION_MAJOR * 1000000 + GRAFT_VERSION_MINOR * 1000 + GRAFT_VERSION_PATCH)

/** Version of the loaded library; compare with GRAFT_VERSION_NUMBER. Never fails. Since 1.0. */
GRAFT_API int32_t graft_version_number(void);
/** Version of the loaded library, such as "1.0.0". Static. Since 1.0. */
GRAFT_API const char *graft_version_string(void);
/** Kernel set chosen for this processor: "portable", "avx2", "avx512" or "avx512bf16". The environment
 *  variable GRAFT_KERNELS forces one; with a set that the processor lacks, nothing that computes can be made.
 *  Static. Since 1.0. */
GRAFT_API const char *graft_kernel_name(void);
/** Who provides the threads: "threads" (Graft's own) or "openmp". Static. Since 1.0. */
GRAFT_API const char *graft_executor_name(void);

/* ---- Status and errors -------------------------------------------------------------------- */

/** Outcome of a call. Values are frozen; new ones may be appended. */
typedef int32_t graft_status;
enum {
    GRAFT_OK = 0,
    GRAFT_ERROR_INVALID_ARGUMENT = 1, /**< The caller broke a documented rule. */
    GRAFT_ERROR_NOT_FOUND = 2,        /**< No such file, tensor, method or name. */
    GRAFT_ERROR_IO = 3,               /**< The system could not read or write. */
    GRAFT_ERROR_CORRUPT_FILE = 4,     /**< The file breaks its own format. */
    GRAFT_ERROR_UNSUPPORTED = 5,      /**< Valid, but outside what this build does. */
    GRAFT_ERROR_INCOMPATIBLE = 6,     /**< Two valid things that do not fit together. */
    GRAFT_ERROR_BUFFER_TOO_SMALL = 7, /**< The needed count was written; retry with it. */
    GRAFT_ERROR_OUT_OF_MEMORY = 8,
    GRAFT_ERROR_CANCELLED = 9, /**< A callback or a cancel token asked to stop. */
    GRAFT_ERROR_DIVERGED = 10, /**< Training or inference met a NaN or an infinity. */
    GRAFT_ERROR_INTERNAL = 11  /**< A bug in Graft; please report it. */
};

/** Name of a status, such as "GRAFT_ERROR_IO"; "unknown" for others. Static. Since 1.0. */
GRAFT_API const char *graft_status_name(graft_status status);
/** What went wrong in this thread's latest failed call: what was expected, what was found, and where. "" if
 *  none failed. Valid until this thread's next failing call. Since 1.0. */
GRAFT_API const char *graft_last_error_message(void);

/* ---- Threads ------------------------------------------------------------------------------ */

/**
 * Chooses who provides the threads, for all that is computed from now on; at any time, also while other
 * threads are in calls. Results have the same bits.
 *
 * @param name "threads": Graft's own, the default. "openmp": the OpenMP runtime of this process, or where it
 *             holds none the system's; for hosts that compute with OpenMP themselves. Its own rules hold
 *             then: it may spin between calls, and end the process where it meets a second runtime or no
 *             /dev/shm.
 * @return GRAFT_ERROR_UNSUPPORTED: another name, or no OpenMP runtime was found. The environment variable
 *         GRAFT_EXECUTOR chooses as well; with what is refused here, nothing that computes can be made.
 * Since 1.0. */
GRAFT_API GRAFT_MUST_CHECK graft_status graft_set_executor(const char *name);

/* ---- Files in memory ---------------------------------------------------------------------- */

/** A file of a folder, in memory. Not changed, and not kept once a call has returned. */
typedef struct graft_file {
    const char *name; /**< In its folder, such as "adapter_config.json". */
    const void *data; /**< [size]; may be NULL where that is 0. */
    int64_t size;     /**< Bytes. */
} graft_file;

/** Receives a file, which lives until the callback returns. Return 0 to go on, anything else to stop. */
typedef int32_t (*graft_file_callback)(void *user_data, const graft_file *file);

/* ---- Cancellation ------------------------------------------------------------------------- */

typedef struct graft_cancel_token graft_cancel_token;

/** Creates a token that stops, once cancelled, every call it was given to. Since 1.0. */
GRAFT_API GRAFT_MUST_CHECK graft_status graft_cancel_token_create(graft_cancel_token **out);
/** Asks those calls to return GRAFT_ERROR_CANCELLED soon. From any thread. Since 1.0. */
GRAFT_API void graft_cancel_token_cancel(const graft_cancel_token *token);
GRAFT_API GRAFT_MUST_CHECK graft_status graft_cancel_token_retain(const graft_cancel_token *token);
GRAFT_API void graft_cancel_token_release(graft_cancel_token *token);

/* ---- Model -------------------------------------------------------------------------------- */

/** A base model: architecture and frozen weights. Immutable once loaded, so always const. */
typedef struct graft_model graft_model;

/** How the frozen weights are held and multiplied; sums are always float32. */
typedef int32_t graft_precision;
enum { GRAFT_PRECISION_FLOAT32 = 0, GRAFT_PRECISION_BFLOAT16 = 1 };

typedef struct graft_model_options {
    size_t struct_size;        /**< sizeof(graft_model_options). */
    graft_precision precision; /**< Default GRAFT_PRECISION_FLOAT32. */
    int32_t thread_count;      /**< For loading, at most. Default 0: one per processor. */
} graft_model_options;

GRAFT_API void graft_model_options_init(graft_model_options *options, size_t struct_size);

/**
 * Loads a base model from a directory in Hugging Face layout: config.json and model.safetensors, or shards
 * with model.safetensors.index.json; float64, float32, float16 or bfloat16. What config.json says means what
 * transformers 5 makes of it; a setting that transformers acts on and this build does not is refused by name.
 *
 * Or from a GGUF file of llama.cpp (version 2 or 3; F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q2_K to
 * Q6_K, IQ4_NL, MXFP4), of the architectures bert, gemma, gemma2, gemma3, gpt2, gptneox, llama, olmo2, phi3,
 * qwen2, qwen3 and smollm3; its tokenizer is graft_tokenizer_load() of the same path. Quantised weights are
 * multiplied at the chosen precision.
 *
 * The weights are packed once into the chosen precision; tables are read from the mapped files, which must
 * not change while the model lives.
 *
 * @return GRAFT_ERROR_NOT_FOUND (a file or tensor is missing), GRAFT_ERROR_CORRUPT_FILE,
 *         GRAFT_ERROR_UNSUPPORTED (an unknown model_type, a setting or a format that this build does not do),
 *         GRAFT_ERROR_INCOMPATIBLE (a tensor's shape contradicts config.json), GRAFT_ERROR_IO,
 *         GRAFT_ERROR_OUT_OF_MEMORY. Since 1.0. */
GRAFT_API GRAFT_MUST_CHECK graft_status graft_model_load(
    const char *path, const graft_model_options *options, graft_model **out);
GRAFT_API GRAFT_MUST_CHECK graft_status graft_model_retain(const graft_model *model);
GRAFT_API void graft_model_release(graft_model *model);

GRAFT_API int32_t graft_architecture_count(void);
/** Name of architecture `index`, as in config.json "model_type"; NULL past the end. Static. */
GRAFT_API const char *graft_architecture_name(int32_t index);

/** Getters of a model; NULL, -1 or 0 for an invalid handle. Since 1.0. */
GRAFT_API const char *graft_model_architecture(const graft_model *model);
GRAFT_API int32_t graft_model_layer_count(const graft_model *model);
GRAFT_API int32_t graft_model_hidden_size(const graft_model *model);
GRAFT_API int32_t graft_model_vocabulary_size(const graft_model *model);
GRAFT_API int32_t graft_model_maximum_length(const graft_model *model);
GRAFT_API int64_t graft_model_parameter_count(const graft_model *model);
/** Width of the vectors of graft_session_embed() with GRAFT_POOLING_DEFAULT: the hidden size, unless the
 *  folder's sentence-transformers modules put poolings side by side or have a dense layer. */
GRAFT_API int32_t graft_model_embedding_size(const graft_model *model);
/** Name of prompt `index` of config_sentence_transformers.json; NULL past the end. */
GRAFT_API const char *graft_model_prompt_name(const graft_model *model, int32_t index);
/** What the folder wants before a text that is embedded: the prompt called `name`, or for NULL its default
 *  prompt, "" where it has none. It is the caller who puts it there. The status is GRAFT_ERROR_NOT_FOUND for
 *  another name, and GRAFT_ERROR_CORRUPT_FILE for prompts that cannot be read. Since 1.0. */
GRAFT_API GRAFT_MUST_CHECK graft_status graft_model_prompt(
    const graft_model *model, const char *name, const char **out);
/** Token `index` of those that end a text, as generation_config.json or config.json says; -1 past the end. */
GRAFT_API int32_t graft_model_end_token(const graft_model *model, int32_t index);
/** Labels of the checkpoint's own classification head, which acts on rows whose adapters have none: as
 *  "id2label" in config.json names them, else "LABEL_0" and so on. 0 without such a head; -1 or NULL for an
 *  invalid handle or index. Since 1.0. */
GRAFT_API int32_t graft_model_label_count(const graft_model *model);
/** What that head is for, as graft_task_name() has it; "" without, NULL for an invalid handle. Since 1.0. */
GRAFT_API const char *graft_model_task(const graft_model *model);
GRAFT_API const char *graft_model_label(const graft_model *model, int32_t index);
/** Memory of the weights that were packed. Since 1.0. */
GRAFT_API int64_t graft_model_memory(const graft_model *model);
/** Bytes of the tables that are read from the mapped files. The system reads them as they are touched, shares
 *  them among processes and drops them where memory is short. Since 1.0. */
GRAFT_API int64_t graft_model_mapped_memory(const graft_model *model);
/** A 64-bit hash of the packed weights: equal before and after any use of the model. Since 1.0. */
GRAFT_API uint64_t graft_model_checksum(const graft_model *model);

/* ---- Tokenizer ---------------------------------------------------------------------------- */

/** Text to token ids and back. Immutable. */
typedef struct graft_tokenizer graft_tokenizer;
/** The tokens of one text or pair. Immutable. */
typedef struct graft_encoding graft_encoding;

typedef struct graft_encode_options {
    size_t struct_size;
    int32_t maximum_length;       /**< Truncates longer rows, longest segment first. Default 0:
                                       graft_tokenizer_maximum_length(). For an adapter that was
                                       trained: graft_adapter_maximum_length(). GRAFT_UNLIMITED_LENGTH:
                                       no limit. One that is above the model's is an error where the
                                       rows are used. */
    int32_t add_special_tokens;   /**< 0 or 1. Default 1. */
    const int64_t *text_sizes;    /**< Bytes of each text, which may hold NUL and need not end with it;
                                       a text of 0 bytes may be NULL. One for each row, or one for
                                       graft_tokenizer_encode(). Default NULL: up to the NUL. */
    const int64_t *pair_sizes;    /**< The same for second segments. Default NULL: up to the NUL. */
    int32_t replace_invalid_utf8; /**< 1: U+FFFD stands for each sequence of bytes that is not UTF-8,
                                       the longest that begins a character, as in Python and in
                                       browsers; offsets are those of the given bytes. Default 0:
                                       such a text is an error that names row and byte. */
    int32_t keep_words;           /**< 1: graft_batch_encode() sets the column "token_words". Default 0. */
} graft_encode_options;

enum { GRAFT_UNLIMITED_LENGTH = 1 << 30 };

GRAFT_API void graft_encode_options_init(graft_encode_options *options, size_t struct_size);

/** Reads from `path` tokenizer.json, or else what the class of transformers reads that the folder names:
 * files of SentencePiece, vocab.json with merges.txt, Marian's three, vocab.txt (docs/tokenizers.md). What
 * config.json, tokenizer_config.json, special_tokens_map.json and added_tokens.json beside it say counts as
 * in transformers 5.23; what would be done otherwise is GRAFT_ERROR_UNSUPPORTED. Of a GGUF file, the
 * tokenizer inside it: its tokens are those of llama.cpp. Since 1.0. */
GRAFT_API GRAFT_MUST_CHECK graft_status graft_tokenizer_load(const char *path, graft_tokenizer **out);
/** The same from files in memory: tokenizer.json or what stands for it, and those beside it in a model's
 *  folder (tokenizer_config.json, special_tokens_map.json). Files of other names are not read. Since 1.0. */
GRAFT_API GRAFT_MUST_CHECK graft_status graft_tokenizer_load_files(
    const graft_file *files, int32_t file_count, graft_tokenizer **out);
GRAFT_API GRAFT_MUST_CHECK graft_status graft_tokenizer_retain(const graft_tokenizer *tokenizer);
GRAFT_API void graft_tokenizer_release(graft_tokenizer *tokenizer);
/** Ids run from 0 to this, exclusive; -1 for an invalid handle. Since 1.0. */
GRAFT_API int32_t graft_tokenizer_vocabulary_size(const graft_tokenizer *tokenizer);

/** The number of the token that masks others; -1 where there is none, or an invalid handle. Since 1.0. */
GRAFT_API int32_t graft_tokenizer_mask_token(const graft_tokenizer *tokenizer);

/** Most tokens of a row, as the folder declares it: max_seq_length in sentence_bert_config.json, else
 *  model_max_length in tokenizer_config.json, else truncation in tokenizer.json; 0 where none of them sets a
 *  limit, -1 for an invalid handle. Since 1.0. */
GRAFT_API int32_t graft_tokenizer_maximum_length(const graft_tokenizer *tokenizer);

/** Encodes `text`, with `pair` as second segment; NULL: without, unless `pair_sizes` is set. Since 1.0. */
GRAFT_API GRAFT_MUST_CHECK graft_status graft_tokenizer_encode(const graft_tokenizer *tokenizer,
    const char *text, const char *pair, const graft_encode_options *options, graft_encoding **out);
GRAFT_API int64_t graft_encoding_token_count(const graft_encoding *encoding);
/** Arrays of an encoding, alive as long as it; NULL for an invalid handle. Since 1.0. */
GRAFT_API const int32_t *graft_encoding_ids(const graft_encoding *encoding);
/** Segment (0 or 1) of each token. */
GRAFT_API const int32_t *graft_encoding_type_ids(const graft_encoding *encoding);
/** First byte and byte past the last of each token in its text: [token_count, 2]; 0, 0 for special tokens. */
GRAFT_API const int32_t *graft_encoding_byte_offsets(const graft_encoding *encoding);
/** The same in Unicode characters. */
GRAFT_API const int32_t *graft_encoding_character_offsets(const graft_encoding *encoding);
/** Number of the word in its text that each token belongs to; -1 for special tokens. */
GRAFT_API const int32_t *graft_encoding_word_ids(const graft_encoding *encoding);
/** A named entity: a stretch of a text and what it is. */
typedef struct graft_entity {
    const char *type;   /**< As in the labels behind their prefix: "PER" of "B-PER". In a result it
                             points into these. */
    int64_t first_byte; /**< In the text, and `end_byte` is the one past its last. */
    int64_t end_byte;
    int64_t first_character; /**< The same in Unicode characters; only in a result, as the tokens. */
    int64_t end_character;
    int64_t first_token;
    int64_t end_token;
} graft_entity;

/*
 * Named entities: words, or entities, to labels of tokens for the column "token_labels", and back.
 *
 * Labels are tags: "O", and "B-" before the type of an entity for its first word, "I-" for those that follow;
 * with "E-" for the last and "S-" for a single word that is IOBES, without them IOB2. The first token of a
 * word stands for it. `words` [word_count, 2] are the first byte of each word in the text and the one past
 * its last, in order; NULL, with a word_count of 0 where there are no word_labels: those of "token_words". A
 * pair's second text has no words. `all_pieces` is 0, or 1 for a label of each token of a word: that of a
 * token that goes on with an entity. Errors are GRAFT_ERROR_INVALID_ARGUMENT and
 * GRAFT_ERROR_BUFFER_TOO_SMALL. Since 1.0. */

/** `out` [token_count]: the label of each word at its first token, -100 elsewhere. `word_labels` [word_count]
 *  may be below 0 where a word does not count. `labels` are needed with `all_pieces` alone. */
GRAFT_API GRAFT_MUST_CHECK graft_status graft_encoding_label_words(const graft_encoding *encoding,
    const int32_t *words, const int32_t *word_labels, int64_t word_count, const char *const *labels,
    int32_t label_count, int32_t all_pieces, int32_t *out, int64_t capacity);
/** The same from entities, by their types and bytes, which do not overlap: a word is the first's that it
 *  shares a byte with, and an entity that has no word of its own has no label. */
GRAFT_API GRAFT_MUST_CHECK graft_status graft_encoding_label_entities(const graft_encoding *encoding,
    const int32_t *words, int64_t word_count, const graft_entity *entities, int64_t entity_count,
    const char *const *labels, int32_t label_count, int32_t all_pieces, int32_t *out, int64_t capacity);
/** The entities that the labels of the words' first tokens spell, however ill, as seqeval reads them in its
 *  default mode, without white space at either end. `token_labels` [token_count]: those of
 *  graft_session_predict(), below 0 for none.
 * `out_count` receives how many there are, even when `capacity` is too small; `out` may be NULL when that is
 * 0, to ask. */
GRAFT_API GRAFT_MUST_CHECK graft_status graft_encoding_entities(const graft_encoding *encoding,
    const int32_t *words, int64_t word_count, const int32_t *token_labels, const char *const *labels,
    int32_t label_count, graft_entity *out, int64_t capacity, int64_t *out_count);
GRAFT_API GRAFT_MUST_CHECK graft_status graft_encoding_retain(const graft_encoding *encoding);
GRAFT_API void graft_encoding_release(graft_encoding *encoding);

/** Writes the text of `tokens`, NUL included, to `text`, and the bytes needed to `out_count` even when
 *  `capacity` is too small (GRAFT_ERROR_BUFFER_TOO_SMALL). `text` may be NULL when `capacity` is 0, to ask
 *  the size. `skip_special_tokens` is 0 or 1. A token outside the vocabulary is GRAFT_ERROR_INCOMPATIBLE.
 *  Since 1.0. */
GRAFT_API GRAFT_MUST_CHECK graft_status graft_tokenizer_decode(const graft_tokenizer *tokenizer,
    const int32_t *tokens, int64_t token_count, int32_t skip_special_tokens, char *text, int64_t capacity,
    int64_t *out_count);

/*
 * Chat templates: a conversation to the text, or the tokens, that a model was trained on.
 *
 * `messages` is JSON: an array of objects with "role" and "content", and what else the template reads
 * ("tool_calls", "reasoning_content"). The template is chat_template.jinja of the tokenizer's folder with
 * additional_chat_templates, or else "chat_template" in tokenizer_config.json. It is rendered as jinja2 3.1.6
 * does in transformers 5.23, to the character, and sees the special tokens by name (bos_token, eos_token).
 *
 * `options` is JSON, NULL for none, with the arguments of transformers' apply_chat_template(): an object with
 * any of
 *   "chat_template": the name of one of the folder's templates, or a template; default: the one called
 *       "default", or with tools "tool_use"
 *   "tools", "documents": arrays of objects
 *   "add_generation_prompt": true where the text ends with the start of an answer; default false
 *   "continue_final_message": true where the text ends within the last message, so that a model goes on with
 *       it, or the name of the member that goes on; default false
 *   "return_assistant_tokens_mask": true for graft_encoding_assistant_mask(); default false
 *   "variables": an object; what else the template sees, by name, before the special tokens
 *
 * A template comes from a file, so it is bounded: 1 MiB of it, 32 levels of nesting, 64 MiB of text, and work
 * for some seconds at most.
 *
 * Errors: GRAFT_ERROR_INVALID_ARGUMENT (JSON of another form; the template refuses the messages with
 * raise_exception, or does with them what is an error in jinja2), GRAFT_ERROR_NOT_FOUND (there is no
 * template), GRAFT_ERROR_CORRUPT_FILE (no well-formed template), GRAFT_ERROR_UNSUPPORTED (a construct that
 * this build does not know, or a bound is exceeded). They name the template and the line. Since 1.0. */

/** Writes the text as graft_tokenizer_decode() does. */
GRAFT_API GRAFT_MUST_CHECK graft_status graft_tokenizer_apply_template(const graft_tokenizer *tokenizer,
    const char *messages, const char *options, char *text, int64_t capacity, int64_t *out_count);
/** The tokens of that text, all of them: none are added, since the text has its special tokens in it, and
 *  none are dropped. Give their ids to graft_batch_create(). */
GRAFT_API GRAFT_MUST_CHECK graft_status graft_tokenizer_encode_messages(
    const graft_tokenizer *tokenizer, const char *messages, const char *options, graft_encoding **out);
/** [token_count]: 1 for the tokens that the assistant says, else 0: those of the template's {% generation %}
 *  blocks. Where it has none, what each message of the assistant adds to the text of those before it with a
 *  prompt for an answer; a template that writes earlier messages otherwise than the last is then
 *  GRAFT_ERROR_INCOMPATIBLE. NULL without "return_assistant_tokens_mask". Alive as long as the encoding. */
GRAFT_API const int32_t *graft_encoding_assistant_mask(const graft_encoding *encoding);

/* ---- Adapter ------------------------------------------------------------------------------ */

/** Trainable parameters shaped for one base model, and, for a task, its output head. */
typedef struct graft_adapter graft_adapter;

/** What of the last hidden states of a row's tokens stands for the row. */
typedef int32_t graft_pooling;
enum {
    GRAFT_POOLING_DEFAULT = -1, /**< For vectors as sentence-transformers' modules.json in the model's folder
                                     says, with all that it says: several side by side, dense layers. Without
                                     that file: the mean. For a head the architecture's own. */
    GRAFT_POOLING_MEAN = 0,
    GRAFT_POOLING_FIRST = 1,
    GRAFT_POOLING_LAST = 2,
    GRAFT_POOLING_MAX = 3,             /**< The largest of each element; not for a head. */
    GRAFT_POOLING_WEIGHTED_MEAN = 4,   /**< Tokens weigh as much as their places, from 1; not for a head. */
    GRAFT_POOLING_MEAN_SQRT_LENGTH = 5 /**< The sum, divided by the root of the number of tokens; not for a
                                            head. */
};

GRAFT_API int32_t graft_adapter_method_count(void);
/** Name of method `index`, such as "lora"; NULL past the end. Static. Since 1.0. */
GRAFT_API const char *graft_adapter_method_name(int32_t index);

/*
 * Tasks, what a head has numbers of, what they mean, and the column of a batch that they learn from (see
 * graft_batch_set_integers() and graft_batch_set_floats()):
 *
 *     sequence_classification     each row    logits, softmax    "labels"        integers, width 1
 *     multi_label_classification  each row    logits, sigmoid    "targets"       floats, width label_count
 *     regression                  each row    values             "targets"       floats, width label_count
 *     multiple_choice             each row    a score, softmax   "labels" and    integers, width 1
 *                                             over its group     "group_places"
 *     token_classification        each token  logits, softmax    "token_labels"  integers, width 1
 *     question_answering          each token  two logits, soft-  "answer_spans"  integers, width 2
 *                                             max over the row
 *     language_model              the next    logits over the    "token_labels"  integers, width 1
 *                                 token       vocabulary
 *     seq_2_seq_lm                each token  logits over the    graft_batch_set_targets()
 *                                 of a target vocabulary
 *     masked_language_model       masked      logits over the    "token_labels"  integers, width 1; or with
 *                                 tokens      vocabulary         "token_words"   `masking` these
 *     sentence_embedding          each row    the vector that    "group_places"  integers, width 1
 *                                             graft_session_
 *                                             embed() makes
 *
 * PEFT's class for question_answering passes no token types on to the model: rows of an adapter in its layout
 * for that task have types of 0 here, too. */

GRAFT_API int32_t graft_task_count(void);
/** Name of task `index`; NULL past the end. Static. Since 1.0. */
GRAFT_API const char *graft_task_name(int32_t index);

/**
 * Creates an adapter with freshly initialised parameters.
 *
 * @param method      A name listed by graft_adapter_method_name().
 * @param config_json The method's settings; NULL for defaults. An unknown key is an error. For "lora", as in
 *                    PEFT's adapter_config.json; what is not given is as there, but lora_alpha is 16 and
 *                    target_modules all linear modules (null is PEFT's own choice); init_lora_weights "pissa"
 *                    and "pissa_niter_N" need LAPACK, as graft_adapter_compress(), and are saved as the plain
 *                    LoRA of twice the rank. For "bottleneck", AdapterHub's fields, over those of the
 *                    configuration that "config" names: "seq_bn" (Pfeiffer; the default), "double_seq_bn"
 *                    (Houlsby) or "par_bn" (parallel), as in {"config": "seq_bn", "reduction_factor": 8};
 *                    "name" is the adapter's. For "prefix_tuning" and "prompt_tuning", as in PEFT's;
 *                    num_virtual_tokens is 20, and prompt_tuning_init "TEXT" reads the tokenizer in the
 *                    folder tokenizer_name_or_path. What they put before a row takes positions of the model.
 *                    For "ia3", PEFT's fields and PEFT's defaults; so for "adalora", whose total_step may be
 *                    null: that of the training. It prunes ranks after the trainer's steps, counted from 1,
 *                    and saves those that are kept.
 * @param seed        Same seed, same parameters, on every machine.
 * @return GRAFT_ERROR_NOT_FOUND (no such method or target module), GRAFT_ERROR_INVALID_ARGUMENT (malformed
 *         JSON or a value out of range), GRAFT_ERROR_UNSUPPORTED (a setting this build does not do, named),
 *         GRAFT_ERROR_OUT_OF_MEMORY. Since 1.0. */
GRAFT_API GRAFT_MUST_CHECK graft_status graft_adapter_create(const graft_model *model, const char *method,
    const char *config_json, uint64_t seed, graft_adapter **out);
/**
 * Gives the adapter an output head with fresh parameters; replaces the one it had.
 *
 * Not while it has a trainer; compositions made before keep the head it had. Settings that name modules in
 * full must have been given with "task_type", since a task's class puts its own name before them: a head that
 * would change which modules are adapted is refused.
 *
 * @param task          A name listed by graft_task_name(), or "" for none. "language_model", "seq_2_seq_lm",
 *                      "masked_language_model", "sentence_embedding" and "" have no head of the adapter's
 *                      own: they take no labels and no settings.
 * @param labels        Names of the labels, copied. NULL for "regression": "LABEL_0" and so on. NULL for
 *                      "question_answering", whose two outputs are always "start" and "end", and for
 *                      "multiple_choice", whose one is always "score".
 * @param label_count   At least 2 where one of several is chosen, else at least 1: numbers of each row or
 *                      token. 0 or 2 for "question_answering", 0 or 1 for "multiple_choice".
 * @param settings_json NULL for defaults, or an object with any of
 *                      "dropout": before the last layer, at least 0 and below 1, and not saved with the
 *                        adapter; null, the default, is as config.json says.
 *                      "dense_layer": true trains the dense + tanh layer before it as well; by default false.
 *                        The layer of a "bottleneck" adapter is its own, as AdapterHub's; without it the head
 *                        reads the hidden state as it is. In PEFT's layout the heads of tokens have none, and
 *                        RoBERTa's of rows has one whatever this says.
 *                      "pooling": what the head reads of a row, "mean", "first" or "last"; null, the default,
 *                        is the token that the architecture's own class reads, BERT's first and Llama's last.
 *                        No other head is one that PEFT or AdapterHub knows: a saved adapter that has one is
 *                        Graft's alone, and they refuse it.
 *                      "crf": true makes the labels of a row's tokens likely together, by which follows which
 *                        (see graft_session_predict()); by default false. For token_classification, without
 *                        class_weights and label_smoothing. The loss is -log of that likelihood for the
 * tokens that have labels, divided by their number. PEFT leaves it out with a warning, AdapterHub refuses it.
 * @return GRAFT_ERROR_NOT_FOUND (no such task), GRAFT_ERROR_INVALID_ARGUMENT, GRAFT_ERROR_UNSUPPORTED (a
 *         model that does not make what the task reads, or a head that the adapter's layout does not have),
 *         GRAFT_ERROR_INCOMPATIBLE (in PEFT's layout, a base model whose problem_type is another task's: PEFT
 *         would train such a head with another loss), GRAFT_ERROR_OUT_OF_MEMORY. Since 1.0. */
GRAFT_API GRAFT_MUST_CHECK graft_status graft_adapter_set_head(graft_adapter *adapter, const char *task,
    const char *const *labels, int32_t label_count, const char *settings_json);
/** Reads an adapter directory in PEFT's layout or in AdapterHub's (with safetensors files). Every tensor and
 *  every setting is honoured, or the call fails and names it: GRAFT_ERROR_INCOMPATIBLE where it was made for
 *  another model, GRAFT_ERROR_CORRUPT_FILE for numbers that are not finite. An adapter that carries tables of
 *  another vocabulary brings it to the rows on which it acts. PEFT calls sequence and multi-label
 *  classification and regression alike: the task is the one in the file's metadata, else that of problem_type
 *  in the model's config.json, else regression where the head has one label, and classification where it has
 *  more. Or reads LoRA in a GGUF file of llama.cpp. Since 1.0. */
GRAFT_API GRAFT_MUST_CHECK graft_status graft_adapter_load(
    const graft_model *model, const char *path, graft_adapter **out);
/** The same from the files of such a directory in memory. Files of other names are not read. Since 1.0. */
GRAFT_API GRAFT_MUST_CHECK graft_status graft_adapter_load_files(
    const graft_model *model, const graft_file *files, int32_t file_count, graft_adapter **out);
/** Writes directory `path`: "bottleneck" in AdapterHub's layout, all else in PEFT's. An adapter that was
 *  loaded and not trained is written byte for byte as it was. Missing folders are made. The directory is
 *  written whole or not at all. Where it cannot be replaced as one (the root of a disk, the current
 *  directory, or one in a directory that may not be written), its files are replaced one by one, each whole:
 *  adapter_config.json goes first and comes last, and never describes files of another save. A path that ends
 *  in ".gguf" is a file for llama.cpp, which holds LoRA alone: all else is refused by name with
 *  GRAFT_ERROR_UNSUPPORTED. While a call of the adapter's trainer is at work, this is
 *  GRAFT_ERROR_INVALID_ARGUMENT. Since 1.0. */
GRAFT_API GRAFT_MUST_CHECK graft_status graft_adapter_save(const graft_adapter *adapter, const char *path);
/** Hands the files of that directory to `on_file` instead, one after the other. GRAFT_ERROR_CANCELLED when it
 *  stopped. Since 1.0. */
GRAFT_API GRAFT_MUST_CHECK graft_status graft_adapter_save_files(
    const graft_adapter *adapter, graft_file_callback on_file, void *user_data);
GRAFT_API GRAFT_MUST_CHECK graft_status graft_adapter_retain(const graft_adapter *adapter);
GRAFT_API void graft_adapter_release(graft_adapter *adapter);

/** Getters of an adapter; NULL, -1 or 0 for an invalid handle or index. Since 1.0. */
GRAFT_API const char *graft_adapter_method(const graft_adapter *adapter);
GRAFT_API const char *graft_adapter_config_json(const graft_adapter *adapter);
/** "" for none. */
GRAFT_API const char *graft_adapter_task(const graft_adapter *adapter);
GRAFT_API int32_t graft_adapter_label_count(const graft_adapter *adapter);
GRAFT_API const char *graft_adapter_label(const graft_adapter *adapter, int32_t index);
GRAFT_API int64_t graft_adapter_parameter_count(const graft_adapter *adapter);
/** Memory of its numbers, and of the files that it was read from. Since 1.0. */
GRAFT_API int64_t graft_adapter_memory(const graft_adapter *adapter);
/** Most tokens of the rows that it was trained on, which is saved with it: rows that it is used on should be
 *  cut there, too. 0 where that is not known. */
GRAFT_API int32_t graft_adapter_maximum_length(const graft_adapter *adapter);

/* ---- Composition -------------------------------------------------------------------------- */

/** How adapters act together on a row. Immutable. */
typedef struct graft_composition graft_composition;

/** A leaf: one adapter, its effect on the hidden states multiplied by `scale` (1 for as trained). One that
 *  puts something before the rows acts in full or not at all: 1 or 0. Since 1.0. */
GRAFT_API GRAFT_MUST_CHECK graft_status graft_composition_create(
    const graft_adapter *adapter, float scale, graft_composition **out);
/**
 * Several, one after the other, as AdapterHub's Stack: at each place of the model each takes for the model's
 * what those before it made of it, from the first to the last.
 *
 * "lora" adds its change of the weight, so that the changes add up, as those of PEFT's active adapters; with
 * "use_dora" it stretches what is there, the changes before it as well. "ia3" multiplies what is there; where
 * it multiplies what a module reads, those before it read the product. "bottleneck" reads and changes the
 * sub-layer's output as it is then. A module that one of them has in full ("modules_to_save", "bias", a
 * table) stands for the model's with all of them; with two of them it is refused, and so it is with one
 * beside DoRA there, which measures the model's. Of "prefix_tuning" and "prompt_tuning" there is one, before
 * the rows. Logits are those of the last that has a head. A composition of several is for rows; a trainer
 * trains one adapter.
 *
 * @param compositions [count]; a composition may stand there more than once. Of one the result is that one.
 * @param count        1 to 32, which is also the most adapters that they may have together.
 * @return GRAFT_ERROR_INCOMPATIBLE (made for several models, or two of them with the same module in full; the
 *         module is named), GRAFT_ERROR_INVALID_ARGUMENT, GRAFT_ERROR_OUT_OF_MEMORY. Since 1.0. */
GRAFT_API GRAFT_MUST_CHECK graft_status graft_composition_stack(
    const graft_composition *const *compositions, int32_t count, graft_composition **out);
/**
 * Several at once, as AdapterHub's Average: at each place of the model the weighted mean of what each makes
 * of it, those that do nothing there included. For "lora" without "use_dora" that is the mean of the changes
 * of the weight.
 *
 * None may have a module in full or put something before the rows, which has no share in a mean. Logits are
 * those of the last that has a head. Equal compositions have themselves as their mean, to the last bit.
 *
 * @param compositions [count].
 * @param weights      [count], from 0 to 1e6, divided by their sum; those of weight 0 are left out. NULL:
 *                     equal ones.
 * @param count        1 to 32, which is also the most adapters that they may have together.
 * @return As graft_composition_stack(); GRAFT_ERROR_INVALID_ARGUMENT also for weights that are all 0. Since
 * 1.0. */
GRAFT_API GRAFT_MUST_CHECK graft_status graft_composition_average(
    const graft_composition *const *compositions, const float *weights, int32_t count,
    graft_composition **out);
/**
 * One more owner.
 *
 * Threads that serve while another one brings a newer adapter need no lock. The host keeps the current
 * composition, never NULL, in an atomic pointer. Whoever brings a new one exchanges the pointers and releases
 * the old one, which those who still use it keep alive. Whoever serves retains what it finds, and where that
 * was released in between, finds the newer one:
 *
 *     graft_composition *found; do
 *         found = atomic_load(&current);
 *     while (graft_composition_retain(found) != GRAFT_OK); Since 1.0. */
GRAFT_API GRAFT_MUST_CHECK graft_status graft_composition_retain(const graft_composition *composition);
GRAFT_API void graft_composition_release(graft_composition *composition);
/** How many adapters it has; one that acts in several places counts as often. -1 for an invalid handle. Since
 *  1.0. */
GRAFT_API int32_t graft_composition_adapter_count(const graft_composition *composition);
/** Adapter `index`, in the order in which they were given, with one more owner: the same handle, unless that
 *  was released. Since 1.0. */
GRAFT_API GRAFT_MUST_CHECK graft_status graft_composition_adapter(
    const graft_composition *composition, int32_t index, graft_adapter **out);
/** Of a leaf; 1 for several together. NaN for an invalid handle. Since 1.0. */
GRAFT_API float graft_composition_scale(const graft_composition *composition);
/** What logits and predictions of its rows stand for: the labels that the adapter's head had when the
 *  composition was made, or else the model's own. -1 or NULL for an invalid handle or index. Since 1.0. */
GRAFT_API int32_t graft_composition_label_count(const graft_composition *composition);
/** What they are for: the adapter's task then, or that of the model's own head; "" without any. */
GRAFT_API const char *graft_composition_task(const graft_composition *composition);
GRAFT_API const char *graft_composition_label(const graft_composition *composition, int32_t index);

/* ---- Merging and compressing -------------------------------------------------------------- */

/**
 * Writes the model with `adapters` in its weights as a directory in Hugging Face layout, which transformers,
 * Graft and others open as a model of its own, with the same results.
 *
 * Each weight that the adapters change is computed in float32 from the stored numbers and rounded to the type
 * that it is stored in; all others, the shards and the files beside them are as they were. The adapter's head
 * becomes the model's: the architecture's class for its task, with the labels in config.json. Of one for
 * sentence_embedding, modules of sentence-transformers are added where there are none, and the length of its
 * rows. Tied tables stay tied unless the adapters change one of them. The memory needed is that of the
 * adapters and of one tensor. The directory is written whole or not at all; other weights that it held are
 * removed.
 *
 * @param model    The adapters' model.
 * @param adapters Their scale is merged, too.
 * @param path     Another directory than the model's.
 * @return GRAFT_ERROR_UNSUPPORTED (what the adapters do no weights can do, as "bottleneck"; a head that no
 *         class of transformers has), GRAFT_ERROR_INCOMPATIBLE (adapters of another model),
 *         GRAFT_ERROR_DIVERGED (a number beyond the type it is stored in), GRAFT_ERROR_IO. Since 1.0. */
GRAFT_API GRAFT_MUST_CHECK graft_status graft_model_merge(
    const graft_model *model, const graft_composition *adapters, const char *path);
/**
 * Writes a model, with `adapters` in its weights if they are not NULL, as one GGUF file for llama.cpp, with
 * the tokenizer that lies beside it. It is at every instant the old file or the new one, whole.
 *
 * @param type "F32", "F16", "BF16" or "Q8_0", for all but norms, biases and tables of positions, which are
 *             F32; NULL: the type that each is stored in, or F32 where that is one of blocks.
 * @return GRAFT_ERROR_UNSUPPORTED (what such files do not say of a model or a tokenizer is named), and as
 *         graft_model_merge(). Since 1.0. */
GRAFT_API GRAFT_MUST_CHECK graft_status graft_model_write_gguf(
    const graft_model *model, const graft_composition *adapters, const char *type, const char *path);
/** The same model without writing it: its weights are not rounded to the types they are stored in, but to the
 *  precision of `options`, or with NULL to that of `model`. What it shares with `model` is read from the same
 *  files. Since 1.0. */
GRAFT_API GRAFT_MUST_CHECK graft_status graft_model_load_merged(const graft_model *model,
    const graft_composition *adapters, const graft_model_options *options, graft_model **out);

/** A module whose change was compressed, and what that costs: the norm of what is lost, divided by that of
 *  the change; 0 where there is no change. Return 0 to go on, anything else to stop. */
typedef int32_t (*graft_compression_callback)(void *user_data, const char *module, double error);

/**
 * Makes a "lora" adapter of rank `rank`, or less where a module is smaller, of what an adapter does to the
 * model's weights: of each change the best approximation of that rank, by its singular values. Head, norms,
 * biases, and modules that the model lacks are kept as they are. The singular values are found by LAPACK
 * (libopenblas.so.0), which is opened when this is first called.
 *
 * @param adapter   Its changes may be of any method that has them, and modules in full.
 * @param rank      1 to 65536.
 * @param on_module Called after each module; may be NULL.
 * @param[out] error The same measure of all modules together; may be NULL.
 * @return GRAFT_ERROR_UNSUPPORTED (an adapter that is no change of weights, as "bottleneck"; or no LAPACK on
 *         this machine), GRAFT_ERROR_INVALID_ARGUMENT (nothing to compress), GRAFT_ERROR_CANCELLED.
 * Since 1.0. */
GRAFT_API GRAFT_MUST_CHECK graft_status graft_adapter_compress(const graft_adapter *adapter, int32_t rank,
    graft_compression_callback on_module, void *user_data, graft_adapter **out, double *error);

/* ---- Batch and dataset -------------------------------------------------------------------- */

/** Rows of tokens, end to end without padding, with optional labels and adapters per row. */
typedef struct graft_batch graft_batch;
/** Encoded rows on which to train or evaluate. */
typedef struct graft_dataset graft_dataset;

/** Encodes `texts` (with `pairs`, when not NULL, as second segments). Since 1.0. */
GRAFT_API GRAFT_MUST_CHECK graft_status graft_batch_encode(const graft_tokenizer *tokenizer,
    const char *const *texts, const char *const *pairs, int64_t row_count,
    const graft_encode_options *options, graft_batch **out);
/** Copies rows of given tokens: row r is the next `lengths[r]` (at least 1) of `tokens`. `type_ids`, as many
 *  as tokens, may be NULL for all 0. Since 1.0. */
GRAFT_API GRAFT_MUST_CHECK graft_status graft_batch_create(const int32_t *tokens, const int32_t *type_ids,
    const int32_t *lengths, int64_t row_count, graft_batch **out);
GRAFT_API GRAFT_MUST_CHECK graft_status graft_batch_retain(const graft_batch *batch);
GRAFT_API void graft_batch_release(graft_batch *batch);
/** -1 for an invalid handle. */
GRAFT_API int64_t graft_batch_row_count(const graft_batch *batch);
GRAFT_API int64_t graft_batch_token_count(const graft_batch *batch);
/** Most tokens that a row could have when the texts were encoded; 0 without a limit, or for given tokens.
 *  Since 1.0. */
GRAFT_API int32_t graft_batch_maximum_length(const graft_batch *batch);
/** Rows that lost tokens to that limit. Since 1.0. */
GRAFT_API int64_t graft_batch_truncated_row_count(const graft_batch *batch);
/** Tokens of the texts that are the tokenizer's unknown one: what it has no token for. Since 1.0. */
GRAFT_API int64_t graft_batch_unknown_token_count(const graft_batch *batch);
/** First token of each row, and the token count: [row_count + 1]. Since 1.0. */
GRAFT_API const int64_t *graft_batch_row_starts(const graft_batch *batch);

/** Each row of a batch that has "token_words" as often as it has tokens of words, with another one of them
 *  replaced by `mask_token` each time, whose label in "token_labels" is what it was. The rows have no
 *  adapters of their own. GRAFT_ERROR_INCOMPATIBLE without "token_words". Since 1.0. */
GRAFT_API GRAFT_MUST_CHECK graft_status graft_batch_mask_each(
    const graft_batch *batch, int32_t mask_token, graft_batch **out);

/**
 * Says of each row, or of each token, what a task learns from: `values` [count, width], copied. Replaces what
 * the batch had under that name. Rows of a data set all have the same columns.
 *
 *     "labels"        rows    one label each, 0 to the head's label count, exclusive. For multiple_choice
 *                             1 for the right choice of its group and 0 for all others
 *     "token_labels"  tokens  for token_classification a label each, or anything below 0 (by custom -100)
 *                             where it does not count. For language_model the label of a token is what the
 *                             token before it in its row should predict, so it is the token itself, or
 *                             below 0 where it does not count. For masked_language_model what a token is
 *                             that the row has masked, and below 0 for all others
 *     "token_words"   tokens  the number of the word in its row that each token is of, and that may be
 *                             masked; below 0 for tokens that are of none, which the tokenizer added.
 *                             `keep_words` sets graft_encoding_word_ids(), divided at tokens that meet at
 *                             punctuation or a character of a script without blanks, such as Chinese
 *     "group_places"  rows    the row's place in its group of rows that belong together, which stand one
 *                             after the other: 0 the anchor, which begins a group, 1 what is like it, and
 *                             2, 3 ... what is not. For multiple_choice, and for regression with a loss of
 *                             rankings, the choices of a question or the candidates of a query. For the
 *                             loss "dpo" 0 the preferred answer, 1 the other
 *     "answer_spans"  rows    for question_answering the tokens of the row at which its answer starts and
 *                             ends, counted from 0; by custom 0 and 0 for no answer. Places outside the row
 *                             do not count
 *
 * @param count  The batch's row_count or token_count.
 * @param width  Numbers of each.
 * @return GRAFT_ERROR_NOT_FOUND (no such column), GRAFT_ERROR_INVALID_ARGUMENT, GRAFT_ERROR_OUT_OF_MEMORY.
 *         What the numbers mean is checked where they are used. Since 1.0. */
GRAFT_API GRAFT_MUST_CHECK graft_status graft_batch_set_integers(
    graft_batch *batch, const char *column, const int32_t *values, int64_t count, int32_t width);
/**
 * The same for columns of floats:
 *
 *     "targets"       rows    for multi_label_classification 1 or 0 for each label, or a probability; for
 *                             regression the values; for losses of pairs how alike the two rows are, the same
 *                             number for both
 *     "reference_log_probabilities"  rows  for the loss "dpo", where it is given: the sum over the row's
 *                             labelled tokens, but the first of a row, by another model than the base
 * Since 1.0. */
GRAFT_API GRAFT_MUST_CHECK graft_status graft_batch_set_floats(
    graft_batch *batch, const char *column, const float *values, int64_t count, int32_t width);
/** What each row should become, for seq_2_seq_lm: row i of `targets` is that of row i. Both are encoded
 *  alike, with the token that ends a text; what goes before a target, as the model's files say, is put there.
 *  A column "token_labels" of `targets` says which of its tokens count: what they should be, or below 0.
 *  `targets` is copied. GRAFT_ERROR_INVALID_ARGUMENT where it has another row_count. Since 1.0. */
GRAFT_API GRAFT_MUST_CHECK graft_status graft_batch_set_targets(
    graft_batch *batch, const graft_batch *targets);
/** Adapters of each row: `rows` [row_count]; NULL entries use the session's. Since 1.0. */
GRAFT_API GRAFT_MUST_CHECK graft_status graft_batch_set_adapters(
    graft_batch *batch, const graft_composition *const *rows, int64_t count);

GRAFT_API GRAFT_MUST_CHECK graft_status graft_dataset_create(graft_dataset **out);
/** Copies the batch's rows and columns to the end. Of batches with different limits, the data set has the
 *  largest, or none if one has none. Since 1.0. */
GRAFT_API GRAFT_MUST_CHECK graft_status graft_dataset_append(
    graft_dataset *dataset, const graft_batch *batch);
GRAFT_API int64_t graft_dataset_row_count(const graft_dataset *dataset);
GRAFT_API GRAFT_MUST_CHECK graft_status graft_dataset_retain(const graft_dataset *dataset);
GRAFT_API int64_t graft_dataset_token_count(const graft_dataset *dataset);
/** As of a batch, for all rows. Since 1.0. */
GRAFT_API int32_t graft_dataset_maximum_length(const graft_dataset *dataset);
GRAFT_API int64_t graft_dataset_truncated_row_count(const graft_dataset *dataset);
GRAFT_API int64_t graft_dataset_unknown_token_count(const graft_dataset *dataset);
GRAFT_API void graft_dataset_release(graft_dataset *dataset);

/* ---- Questions and answers ---------------------------------------------------------------- */

/** Texts, or questions with the contexts that may answer them, cut into windows that a model can read: the
 *  rows of a batch. Immutable.
 *
 * A window is a part of the text, or the question and, as second segment, a part of the context. For answers,
 * graft_windows_label() says where they start and end, for the column "answer_spans", and
 * graft_windows_answers() reads what graft_session_classify() writes of the batch; a window without one
 * answers with its first token. Tags are spread over windows, and joined. */
typedef struct graft_windows graft_windows;

/**
 * @param questions    [row_count], or NULL for texts without.
 * @param contexts     [row_count]; without questions the texts.
 * @param options      NULL for defaults. `maximum_length` is that of a window; add_special_tokens must be 1;
 *                     `text_sizes` are those of questions and `pair_sizes` those of contexts.
 * @param stride       Tokens that a window shares with the one before it: less than there is room for beside
 *                     the question.
 * @return GRAFT_ERROR_INVALID_ARGUMENT (a question or context without tokens, no room; the row and the
 *         lengths are named), GRAFT_ERROR_OUT_OF_MEMORY. Since 1.0. */
GRAFT_API GRAFT_MUST_CHECK graft_status graft_windows_encode(const graft_tokenizer *tokenizer,
    const char *const *questions, const char *const *contexts, int64_t row_count,
    const graft_encode_options *options, int32_t stride, graft_windows **out);
GRAFT_API GRAFT_MUST_CHECK graft_status graft_windows_retain(const graft_windows *windows);
GRAFT_API void graft_windows_release(graft_windows *windows);
/** How many there are; -1 for an invalid handle. Since 1.0. */
GRAFT_API int64_t graft_windows_count(const graft_windows *windows);
/** The first window of each text or question, and the count: [row_count + 1]; NULL for an invalid handle. */
GRAFT_API const int64_t *graft_windows_starts(const graft_windows *windows);
/** The windows as rows, owned by the caller. Since 1.0. */
GRAFT_API GRAFT_MUST_CHECK graft_status graft_windows_batch(const graft_windows *windows, graft_batch **out);
/**
 * Where answers start and end, for graft_batch_set_integers() with the column "answer_spans" and width 2.
 *
 * @param answers   [row_count, 2]: in Unicode characters of the context, as in SQuAD's files, the first and
 *                  the one past the last; -1 and -1 for a question without an answer.
 * @param[out] out  [graft_windows_count(), 2]: tokens of the window; 0 and 0 where the answer does not lie in
 *                  it whole.
 * @return GRAFT_ERROR_INVALID_ARGUMENT (an answer that is not in the context; the row is named),
 *         GRAFT_ERROR_INCOMPATIBLE (texts without questions), GRAFT_ERROR_BUFFER_TOO_SMALL. Since 1.0. */
GRAFT_API GRAFT_MUST_CHECK graft_status graft_windows_label(
    const graft_windows *windows, const int64_t *answers, int64_t row_count, int32_t *out, int64_t capacity);
/** Numbers of the windows' tokens from those of all `count` tokens of the texts, encoded with
 *  GRAFT_UNLIMITED_LENGTH, one text after another. With NULL for `labels` each window has them; else they are
 *  labels, and each token has its own where the most tokens are around it, but no entity or word is divided,
 *  and -100 in other windows. Since 1.0. */
GRAFT_API GRAFT_MUST_CHECK graft_status graft_windows_spread(const graft_windows *windows,
    const int32_t *numbers, int64_t count, const char *const *labels, int32_t label_count, int32_t *out,
    int64_t capacity);
/** The texts' tokens' numbers from those of the windows', of which there are `count`: each is that of the
 *  window where the most tokens are around it. Since 1.0. */
GRAFT_API GRAFT_MUST_CHECK graft_status graft_windows_join(
    const graft_windows *windows, const int32_t *numbers, int64_t count, int32_t *out, int64_t capacity);

/** A stretch of a context that may answer a question. */
typedef struct graft_answer {
    int64_t first_byte; /**< In the context, and `end_byte` is the one past its last. */
    int64_t end_byte;
    int64_t first_character; /**< The same in Unicode characters. */
    int64_t end_character;
    int64_t window;      /**< In which it was found; -1 where there are no more answers. */
    int64_t first_token; /**< In the window. */
    int64_t end_token;
    double score; /**< The sum of the logits of its start and its end; -infinity where there are no more. */
} graft_answer;

/**
 * The stretches of each question's context that answer it best, by all of its windows together.
 *
 * @param logits                [tokens of all windows, 2], as graft_session_classify() writes them of
 *                              graft_windows_batch().
 * @param best_count            Answers wanted of each question, 1 to 65536.
 * @param maximum_tokens        Most tokens of an answer, 1 to 2^20; 30 is usual.
 * @param[out] out              [row_count, best_count]: the best first, no two of the same characters.
 * @param[out] no_answer_scores [row_count]: the score of no answer, which is the least of any window's, less
 *                              that of the best answer. Where it is above a threshold the question has no
 *                              answer; the "best_f1_threshold" of graft_evaluate_answers() on rows for
 *                              validation is a good one. May be NULL.
 * @return GRAFT_ERROR_INVALID_ARGUMENT, GRAFT_ERROR_BUFFER_TOO_SMALL, GRAFT_ERROR_DIVERGED (logits that are
 *         not finite; the row is named). Since 1.0. */
GRAFT_API GRAFT_MUST_CHECK graft_status graft_windows_answers(const graft_windows *windows,
    const float *logits, int64_t logit_count, int32_t best_count, int32_t maximum_tokens, graft_answer *out,
    int64_t capacity, double *no_answer_scores);

/* ---- Training ----------------------------------------------------------------------------- */

/** Trains one adapter; holds optimizer state, schedule and step count. */
typedef struct graft_trainer graft_trainer;

/* Optimizers, schedules and step plans are chosen by name. Each has settings: a JSON object such as
 * {"momentum": 0.8}, in which what is not named has its default.
 * Optimizers are those of torch.optim. "weight_decay" is decoupled from the gradient; "l2" is in it, as
 * weight_decay is in torch's Adam, SGD and Adagrad. Each has "head_lr_ratio" and "loraplus_lr_ratio", default
 * 1: the learning rates of the adapter's head, and (LoRA+, as in PEFT) of lora_B and vectors, over that of
 * all others. Schedules are those of transformers' get_scheduler(), whose "constant_with_warmup" is
 * "constant" here: each has "warmup_ratio" and "warmup_steps", in which the rate rises to its peak. */

GRAFT_API int32_t graft_optimizer_count(void);
/** Name of optimizer `index`, such as "adamw"; NULL past the end. Static. Since 1.0. */
GRAFT_API const char *graft_optimizer_name(int32_t index);
/** Its settings: a JSON object that has of each its type, default, range and meaning. NULL for an unknown
 *  name. Static. Since 1.0. */
GRAFT_API const char *graft_optimizer_settings(const char *name);

/** The same for schedules of the learning rate. */
GRAFT_API int32_t graft_schedule_count(void);
GRAFT_API const char *graft_schedule_name(int32_t index);
GRAFT_API const char *graft_schedule_settings(const char *name);

/** The same for step plans: what a step does with its rows. "plain": once forward and backward. */
GRAFT_API int32_t graft_step_plan_count(void);
GRAFT_API const char *graft_step_plan_name(int32_t index);
GRAFT_API const char *graft_step_plan_settings(const char *name);

/** The same for losses, of which sentence_embedding has several, regression of one value has two beside its
 *  own squared error, and language_model and seq_2_seq_lm have one beside their own; other tasks have one
 *  each. They are losses of all rows of a batch together, whichever passes these go through:
 *
 *      in_batch_negatives  groups of two or more; each anchor's positive among those of all groups (InfoNCE).
 *                          With a text as its own positive, SimCSE
 *      triplet             groups of three
 *      cosent              groups of two with targets, whose order counts
 *      cosine_similarity   groups of two with targets
 *      list_net            of regression: a query's candidates with targets; the softmax of their scores
 *                          against that of the targets
 *      rank_net            of regression: every two candidates of a query, of which the one with the higher
 *                          target should have the higher score. With natural logarithms BPR
 *      dpo                 of language_model and seq_2_seq_lm: pairs of rows, an answer that is preferred and
 *                          one that is not, with token labels; TRL's DPOTrainer with the model without the
 *                          adapter as reference
 *
 *  The others are those of sentence-transformers. An evaluation's loss is the mean over batches of
 *  rows_per_batch rows, in their order; of list_net over queries, of rank_net over pairs of candidates, and
 *  of dpo over all pairs. */
GRAFT_API int32_t graft_loss_count(void);
GRAFT_API const char *graft_loss_name(int32_t index);
GRAFT_API const char *graft_loss_settings(const char *name);

typedef struct graft_trainer_options {
    size_t struct_size;
    const graft_cancel_token *cancel_token; /**< NULL: cannot be cancelled. */
    const float *class_weights;             /**< [label_count], copied; NULL: all 1. */
    const char *checkpoint_path;            /**< Where graft_trainer_fit() saves, and resumes from when it is
                                                 there; NULL: nowhere. */
    const char *optimizer;                  /**< Copied, as all texts. Default NULL: "adamw". */
    const char *optimizer_settings;         /**< JSON. Default NULL: {}. */
    const char *schedule;                   /**< Default NULL: "linear". */
    const char *schedule_settings;          /**< JSON. Default NULL: {}. */
    const char *step_plan;                  /**< Default NULL: "plain". */
    const char *step_plan_settings;         /**< JSON. Default NULL: {}. */
    const char *loss;                       /**< Default NULL: the task's, "in_batch_negatives" of
                                                 sentence_embedding, the squared error of regression, the
                                                 cross-entropy of tokens; other tasks take none. */
    const char *loss_settings;              /**< JSON. Default NULL: {}. */
    const char *masking;                    /**< JSON, for masked_language_model: how words of each batch are
                                                 masked at random; see below. Default NULL: rows are masked,
                                                 and have labels. */
    const char *metric;                     /**< What early stopping watches and the best weights are chosen
                                                 by: a value of the task's evaluations. Default NULL: "loss". */
    uint64_t seed;                          /**< Shuffling, dropout and masking. Default 0. */
    int64_t pass_token_count;               /**< Tokens in one forward and backward pass; a larger batch is
                                                 worked through in passes, and memory stays bounded. Results do
                                                 not depend on it beyond rounding. Default 0: chosen. */
    int32_t thread_count;                   /**< At most. Default 0: one per processor. */
    float learning_rate;                    /**< Peak, at the warm-up's end. Default 1e-3. */
    float maximum_gradient_norm;            /**< Clips above; 0 never clips. Default 1. */
    float label_smoothing;                  /**< 0 to 1. Default 0. */
    int32_t total_steps;                    /**< End of the schedule, and of graft_trainer_fit() whatever
                                                 epoch_count says. Default 0: set by graft_trainer_fit(); steps
                                                 before it use the peak rate. */
    int32_t rows_per_batch;   /**< For graft_trainer_fit(). Groups of rows stay together: as many
                                   as fit, at least one. Default 16. */
    int32_t batches_per_step; /**< Gradient accumulation: an update is by the mean over all that
                                   counts in so many batches together. Default 1. */
    int32_t epoch_count;      /**< For graft_trainer_fit(). Default 6. */
    int32_t evaluation_steps; /**< Evaluates every so many steps. Default 0: each epoch. */
    int32_t patience;         /**< Evaluations without a better metric before it stops; needs
                                   rows to evaluate on. Default 0: never stops early. */
    int32_t checkpoint_steps; /**< Saves every so many steps. Default 0: each epoch. */
    int32_t group_by_length;  /**< 1: rows of a batch have similar lengths. Default 0. */
    int32_t recompute_layers; /**< 1: layers run once more backward instead of keeping what that
                                   needs (gradient checkpointing): the same bits, in less memory
                                   and more time. Default 0. */
    int32_t reserved;         /**< Must be 0. */
} graft_trainer_options;

/*
 * masking is an object with any of these settings, named as in transformers' DataCollatorForLanguageModeling:
 *
 *     mask_token           the number of the token that masks; needed
 *     mlm_probability      of each token of a word, to be chosen: to have a label and to count. 0.15
 *     mask_replace_prob    of a chosen token, to become the mask. 0.8
 *     random_replace_prob  of a chosen token, to become any token of the vocabulary; else it stays. 0.1
 *     whole_word_mask      whether the tokens of a word are chosen together. false
 *
 * Probabilities are 0 to 1, and the two of replacing together at most 1; others are
 * GRAFT_ERROR_INVALID_ARGUMENT.
 *
 * Rows with "token_words" are masked, each batch of a training anew, by the seed, how many batches were
 * before it, and the places of rows and tokens: the same after a checkpoint. Evaluations mask the same tokens
 * every time. Rows that have "token_labels" alone were masked before, and are learned as they are. */

/*
 * What an evaluation of a trainer measures, besides "loss", which is as in graft_metrics:
 *
 *     sequence_classification     accuracy, balanced_accuracy; macro_f1, micro_f1, weighted_f1;
 *                                 precision and recall (macro), weighted_precision, weighted_recall;
 *                                 mcc, kappa; and of heads of up to 100 labels log_loss, brier,
 *                                 roc_auc, average_precision
 *     multi_label_classification  exact_match, of the labels of a row; micro_f1, macro_f1, weighted_f1;
 *                                 precision and recall (macro), micro_precision, micro_recall; and of
 *                                 heads of up to 100 labels roc_auc, average_precision (macro)
 *     regression                  mse, mae, r2, pearson, spearman, kendall: means over the values of a row.
 *                                 With a loss of rankings ndcg, ndcg_at_k, mrr, map, recall_at_k and
 *                                 precision_at_k with k = 10; where a relevance is below 0 ndcg and
 *                                 ndcg_at_k are NaN
 *     multiple_choice             accuracy, of the choices with the highest score
 *     token_classification        those of sequence_classification that need no probabilities, of the
 *                                 tokens that have a label; where all labels are tags, "O" or such as
 *                                 "B-PER", also entity_f1, entity_precision, entity_recall and
 *                                 strict_entity_f1
 *     question_answering          span_exact_match and span_f1, of the tokens of the best span of each row
 *                                 whose answer is in it. Texts are measured by graft_evaluate_answers()
 *     language_model              accuracy, of the next tokens; perplexity: e to the power of the loss
 *     seq_2_seq_lm                accuracy and perplexity, of the targets' tokens. Of both with the loss
 *                                 "dpo" rewards_chosen, rewards_rejected, rewards_margins,
 *                                 rewards_accuracies
 *     masked_language_model       accuracy and perplexity, of the masked tokens: the pseudo-perplexity of
 *                                 rows of graft_batch_mask_each()
 *     sentence_embedding          of the cosines of pairs with targets, those of regression; else of each
 *                                 group's positive among all rows that are no anchors, ndcg, ndcg_at_k, mrr,
 *                                 map, recall_at_k and precision_at_k with k = 10
 *
 * They equal scikit-learn's with zero_division=0, scipy's, and seqeval's in its default mode, or for
 * strict_entity_f1 in its strict mode for IOB2, or for IOBES where labels begin with E or S. A label is a
 * row's where its probability is above one half. docs/evaluation.md defines each. */

GRAFT_API int32_t graft_metric_count(void);
/** Name of measure `index` of those of all tasks; NULL past the end. Static. Since 1.0. */
GRAFT_API const char *graft_metric_name(int32_t index);

/** Named values: what an evaluation measured. Immutable. */
typedef struct graft_evaluation graft_evaluation;

GRAFT_API GRAFT_MUST_CHECK graft_status graft_evaluation_retain(const graft_evaluation *evaluation);
GRAFT_API void graft_evaluation_release(graft_evaluation *evaluation);
/** Getters of an evaluation; NULL or -1 for an invalid handle or index. Since 1.0. */
GRAFT_API int32_t graft_evaluation_value_count(const graft_evaluation *evaluation);
/** Name of value `index`; the first of a trainer's is "loss". */
GRAFT_API const char *graft_evaluation_name(const graft_evaluation *evaluation, int32_t index);
/** NaN where there is none of that name, or nothing that it measures. */
GRAFT_API double graft_evaluation_value(const graft_evaluation *evaluation, const char *name);
GRAFT_API int64_t graft_evaluation_row_count(const graft_evaluation *evaluation);
GRAFT_API int64_t graft_evaluation_token_count(const graft_evaluation *evaluation);
/** Rows of the confusion matrix; 0 where there is none. */
GRAFT_API int32_t graft_evaluation_label_count(const graft_evaluation *evaluation);
/** The confusion matrix, of rows or tokens: `out` [label_count, label_count], row: true label, column:
 *  chosen. Since 1.0. */
GRAFT_API GRAFT_MUST_CHECK graft_status graft_evaluation_confusion(
    const graft_evaluation *evaluation, int64_t *out, int64_t capacity);

/**
 * More than a number: `out` [rows, columns]. `rows` and `columns` are written whatever `capacity` is, and may
 * be NULL; with `out` NULL and `capacity` 0 that is all.
 *
 *     labels            for each label precision, recall, F1 and weight of the rows that have it
 *     confusion         as graft_evaluation_confusion(), by weight
 *     entities          the same four of each type of entity, in the order of the labels
 *     roc               false positive rate, true positive rate, threshold, of label 1 of two
 *     precision_recall  precision, recall, threshold, of label 1 of two
 *     thresholds        the threshold with the best F1, and that F1: of label 1 of two, or of each label
 *     rows              what each row or query is worth: of answers exact_match, f1; of texts rouge1,
 *                       rouge2, rougeL, rougeLsum; of rankings map, mrr, ndcg, ndcg_at_k, precision_at_k,
 *                       recall_at_k; of a language model's rows accuracy and loss, means over their tokens,
 *                       or of pairs of "dpo" rewards_accuracies, rewards_chosen, rewards_margins,
 *                       rewards_rejected
 *
 * @return GRAFT_ERROR_NOT_FOUND (no such table), GRAFT_ERROR_INVALID_ARGUMENT (an evaluation of another
 *         kind), GRAFT_ERROR_BUFFER_TOO_SMALL, GRAFT_ERROR_OUT_OF_MEMORY. Since 1.0. */
GRAFT_API GRAFT_MUST_CHECK graft_status graft_evaluation_table(const graft_evaluation *evaluation,
    const char *name, double *out, int64_t capacity, int64_t *rows, int32_t *columns);

/*
 * Evaluations of given numbers, without a trainer. Numbers are 64 bits wide here. `weights` has one, 0 or
 * more, for each row or query; NULL: all are 1. `settings` is JSON; NULL: the defaults. Values that nothing
 * defines, such as the roc_auc of rows of one label, are NaN. The status is GRAFT_ERROR_INVALID_ARGUMENT
 * without rows, for a label out of range, and for a number that is not finite; the message says which. */

/** Of one of several labels each: truth and chosen [row_count], 0 to label_count - 1. Measures are those of
 *  sequence_classification that need no probabilities, and of two labels binary_f1, binary_precision and
 *  binary_recall of label 1. Since 1.0. */
GRAFT_API GRAFT_MUST_CHECK graft_status graft_evaluate_labels(const int32_t *truth, const int32_t *chosen,
    const double *weights, int64_t row_count, int32_t label_count, graft_evaluation **out);
/**
 * The same, and roc_auc, average_precision, log_loss and brier, from scores [row_count, columns]: one for
 * each label, of which the largest is chosen, or in one column those of label 1 against label 0. Of two
 * labels also best_f1 and best_f1_threshold: choose thresholds on rows for validation.
 *
 * @param settings "threshold" (default 0.5): the score from which on label 1 is chosen, in one column;
 *                 "probabilities" (default true): false for scores of any kind, which have no log_loss and no
 *                 brier. Since 1.0. */
GRAFT_API GRAFT_MUST_CHECK graft_status graft_evaluate_scores(const int32_t *truth, const double *scores,
    const double *weights, int64_t row_count, int32_t columns, const char *settings, graft_evaluation **out);
/** Of any number of labels each: truth, 0 or 1, and scores [row_count, label_count]; measures as of
 *  multi_label_classification, settings as above; "threshold" may have a number for each label. Since 1.0. */
GRAFT_API GRAFT_MUST_CHECK graft_status graft_evaluate_label_sets(const int32_t *truth, const double *scores,
    const double *weights, int64_t row_count, int32_t label_count, const char *settings,
    graft_evaluation **out);
/** Of values: truth and values [row_count, columns]. Measures are those of regression; weights are for mse,
 *  mae and r2. Since 1.0. */
GRAFT_API GRAFT_MUST_CHECK graft_status graft_evaluate_values(const double *truth, const double *values,
    const double *weights, int64_t row_count, int32_t columns, graft_evaluation **out);
/** Of tags: those of row i are from row_starts[i] to row_starts[i + 1], of [row_count + 1]. Measures are
 *  those of token_classification. Since 1.0. */
GRAFT_API GRAFT_MUST_CHECK graft_status graft_evaluate_tags(const int32_t *truth, const int32_t *chosen,
    const int64_t *row_starts, int64_t row_count, const char *const *labels, int32_t label_count,
    graft_evaluation **out);
/**
 * Of texts that answer questions: exact_match and f1, the same of the questions that have an answer
 * (has_answer_f1 and so on) and of those that have none (no_answer_f1); with scores, best_f1,
 * best_f1_threshold and the same of exact_match, which SQuAD 2.0's script finds: 0 where none is better than
 * to answer nothing, and best_f1 is then the share of questions without an answer.
 *
 * @param predictions      [row_count]; "" for no answer.
 * @param accepted         Those of row i are from accepted_starts[i] to accepted_starts[i + 1]; none for a
 *                         question without an answer.
 * @param accepted_starts  [row_count + 1].
 * @param no_answer_scores [row_count], the higher the likelier there is no answer; NULL: none.
 * @param script           "squad" (the default) or "cmrc": whose definitions. Since 1.0. */
GRAFT_API GRAFT_MUST_CHECK graft_status graft_evaluate_answers(const char *const *predictions,
    const char *const *accepted, const int64_t *accepted_starts, const double *no_answer_scores,
    int64_t row_count, const char *script, graft_evaluation **out);
/** Of texts that a model wrote, such as translations and summaries: bleu and chrf of all of them together,
 *  from 0 to 100, as sacrebleu has them, and the means of rouge1, rouge2, rougeL and rougeLsum, from 0 to 1,
 *  as rouge-score has their F1 without stemming. `references`: what row i should be, from reference_starts[i]
 *  to reference_starts[i + 1], of [row_count + 1]; of several the best counts. The setting "tokenize" is what
 *  is counted, by sacrebleu's names: "13a" (the default) words of languages with blanks between them, "zh"
 *  Chinese characters and words of others, "char" all characters; with both of these ROUGE is of characters.
 *  Since 1.0. */
GRAFT_API GRAFT_MUST_CHECK graft_status graft_evaluate_texts(const char *const *written,
    const char *const *references, const int64_t *reference_starts, int64_t row_count, const char *settings,
    graft_evaluation **out);
/** Of rankings: relevance, 0 or more, and scores of candidates; those of query i are from query_starts[i] to
 *  query_starts[i + 1], of [query_count + 1]. Measures are ndcg and ndcg_at_k, mrr, map, recall_at_k and
 *  precision_at_k; the setting "k" is 10 by default. Since 1.0. */
GRAFT_API GRAFT_MUST_CHECK graft_status graft_evaluate_rankings(const double *relevance, const double *scores,
    const int64_t *query_starts, const double *weights, int64_t query_count, const char *settings,
    graft_evaluation **out);

/**
 * How far a measure would be off on other rows of the same kind, from random samples of these rows: the
 * values value, low, high, standard_error and resamples (those in which the measure is defined).
 *
 * @param measure  One of the evaluation's, but not "loss".
 * @param method   "percentile" (the default), or "bca", which corrects for bias and skewness.
 * @param settings "resamples" (default 9999), "seed" (0) and "confidence" (0.95).
 * @return GRAFT_ERROR_NOT_FOUND (no such measure or method), GRAFT_ERROR_INVALID_ARGUMENT (a language model's
 *         evaluation, or a setting out of range), GRAFT_ERROR_OUT_OF_MEMORY. Since 1.0. */
GRAFT_API GRAFT_MUST_CHECK graft_status graft_evaluation_interval(const graft_evaluation *evaluation,
    const char *measure, const char *method, const char *settings, graft_evaluation **out);
/**
 * Whether two evaluations of the same rows, in the same order, differ by more than chance: the values
 * difference, of `evaluation` from `other`; gain, the same above 0 where `evaluation` is better; and p_value,
 * of both sides.
 *
 * @param measure  One of both, but not "loss".
 * @param test     "permutation" (the default): rows change sides at random. "bootstrap": random samples of
 *                 the rows, which also give the difference's interval, low and high. "mcnemar": the exact
 *                 test of what one of both gets right, only_this and only_other, whatever the measure.
 * @param settings "resamples" (default 9999) and "seed" (0), and for "bootstrap" "confidence" (0.95).
 * @return As graft_evaluation_interval(), and GRAFT_ERROR_INCOMPATIBLE (other rows). Since 1.0. */
GRAFT_API GRAFT_MUST_CHECK graft_status graft_evaluation_compare(const graft_evaluation *evaluation,
    const graft_evaluation *other, const char *measure, const char *test, const char *settings,
    graft_evaluation **out);

/** NaN marks what does not apply. */
typedef struct graft_metrics {
    size_t struct_size;
    const graft_evaluation *evaluation; /**< Of an evaluation during graft_trainer_fit(); lives until the
                                             callback returns, unless it was retained. NULL elsewhere. */
    double loss;                        /**< Mean over rows (weighted, where classes are), or over the
                                             tokens that count, in nats; for regression the mean squared
                                             error. */
    double learning_rate;               /**< Of the latest step; NaN in an evaluation. */
    double gradient_norm;               /**< Before clipping; NaN in an evaluation. */
    double tokens_per_second;           /**< Of the latest step or evaluation. */
    int64_t step;                       /**< Optimizer updates so far. */
    int64_t total_steps;                /**< End of the schedule, 0 when open. */
    int64_t epoch;                      /**< From 0. */
    int64_t row_count;                  /**< Rows measured. */
    int64_t token_count;                /**< Tokens measured. */
} graft_metrics;

/** Called after each step and each evaluation. Return 0 to go on, anything else to stop. */
typedef int32_t (*graft_progress_callback)(void *user_data, const graft_metrics *metrics);

GRAFT_API void graft_trainer_options_init(graft_trainer_options *options, size_t struct_size);
GRAFT_API void graft_metrics_init(graft_metrics *metrics, size_t struct_size);

/** Prepares to train `adapter`, which must have a head, and which gets no other head and no other trainer
 *  until this one is released. Between the trainer's calls it may be saved, run and read as ever. A call that
 *  would use its numbers while the trainer is at work on them is refused, and so is a step while a session
 *  runs it: GRAFT_ERROR_INVALID_ARGUMENT, which an option or a setting out of its range is, too.
 *  GRAFT_ERROR_NOT_FOUND: an optimizer, schedule or step plan that this build does not have. Since 1.0. */
GRAFT_API GRAFT_MUST_CHECK graft_status graft_trainer_create(const graft_model *model, graft_adapter *adapter,
    const graft_trainer_options *options, graft_trainer **out);
/**
 * Forward, loss, backward; and an update of the adapter every `batches_per_step` calls.
 *
 * An update is by the mean over the tokens that count, or over the rows (weighted, where classes are), of all
 * its batches together. Where nothing in them counts, there is none: the adapter and the schedule stay, and
 * the loss is NaN.
 *
 * After the first call, calls with batches no larger allocate nothing.
 *
 * @param batch       Rows with the column that the task learns from.
 * @param[in,out] out Prepared by graft_metrics_init(); receives the loss of the step so far, which with one
 *                    batch a step is this batch's. May be NULL.
 * @return GRAFT_ERROR_INCOMPATIBLE (a column missing or out of range, tokens outside the vocabulary, rows
 *         longer than the model), GRAFT_ERROR_DIVERGED (the adapter keeps its values from before the call),
 *         GRAFT_ERROR_CANCELLED, GRAFT_ERROR_OUT_OF_MEMORY. Since 1.0. */
GRAFT_API GRAFT_MUST_CHECK graft_status graft_trainer_step(
    graft_trainer *trainer, const graft_batch *batch, graft_metrics *out);
/**
 * Whole training: epochs of shuffled batches, `progress` (may be NULL) after each step.
 *
 * Both sets are checked before the first step; what is wrong is named by its row. Rows that count for
 * nothing, because none of their tokens has a label or their class has weight 0, are left out; a set in which
 * nothing counts is refused. The adapter remembers the set's limit on the length of rows:
 * graft_adapter_maximum_length().
 *
 * With an evaluation set, the adapter ends with the weights of the best evaluation by `options.metric`, whose
 * metrics `out` receives, and `best` the evaluation itself; else `out` receives the last step's metrics, and
 * `best` NULL. Either may be NULL. With a checkpoint path, a run that was stopped at any moment goes on where
 * it was, and ends with the same bits; a path that cannot be written is an error before the first step.
 *
 * @return GRAFT_ERROR_CANCELLED when a callback or token stopped it: the adapter keeps the weights of the
 *         latest step. Otherwise as graft_trainer_step(), and GRAFT_ERROR_IO. Since 1.0. */
GRAFT_API GRAFT_MUST_CHECK graft_status graft_trainer_fit(graft_trainer *trainer,
    const graft_dataset *dataset, const graft_dataset *evaluation, graft_progress_callback progress,
    void *user_data, graft_metrics *out, graft_evaluation **best);
/** Measures the adapter on `dataset`; changes nothing. Without anything that counts there is nothing to
 *  measure: GRAFT_ERROR_INVALID_ARGUMENT, or where rows are classified, a loss of NaN. A loss of rows that
 *  count that is no number is GRAFT_ERROR_DIVERGED. Since 1.0. */
GRAFT_API GRAFT_MUST_CHECK graft_status graft_trainer_evaluate(
    graft_trainer *trainer, const graft_dataset *dataset, graft_evaluation **out);
/** Writes adapter, optimizer state, schedule and random state to directory `path`, as graft_adapter_save()
 *  does. Since 1.0. */
GRAFT_API GRAFT_MUST_CHECK graft_status graft_trainer_save(const graft_trainer *trainer, const char *path);
/** Restores what graft_trainer_save() wrote; the next steps equal those of an uninterrupted run, bit for bit.
 *  GRAFT_ERROR_INCOMPATIBLE names what differs: options, adapter, base weights, precision. Since 1.0. */
GRAFT_API GRAFT_MUST_CHECK graft_status graft_trainer_resume(graft_trainer *trainer, const char *path);
/** Working memory, gradients, what the optimizer keeps and the best weights. Since 1.0. */
GRAFT_API int64_t graft_trainer_memory(const graft_trainer *trainer);
GRAFT_API GRAFT_MUST_CHECK graft_status graft_trainer_retain(const graft_trainer *trainer);
GRAFT_API void graft_trainer_release(graft_trainer *trainer);

/* ---- Inference ---------------------------------------------------------------------------- */

/** Working memory and active adapters for one stream of calls. One per thread. */
typedef struct graft_session graft_session;

typedef struct graft_session_options {
    size_t struct_size;
    const graft_cancel_token *cancel_token; /**< NULL: cannot be cancelled. */
    int64_t pass_token_count;               /**< Tokens in one pass; bounds memory. Default 0: chosen. */
    int32_t thread_count;                   /**< At most. Default 0: one per processor. */
    int32_t reserved;                       /**< Must be 0. */
} graft_session_options;

GRAFT_API void graft_session_options_init(graft_session_options *options, size_t struct_size);

GRAFT_API GRAFT_MUST_CHECK graft_status graft_session_create(
    const graft_model *model, const graft_session_options *options, graft_session **out);
GRAFT_API GRAFT_MUST_CHECK graft_status graft_session_retain(const graft_session *session);
GRAFT_API void graft_session_release(graft_session *session);
/** Working memory, which stays for the next call. Since 1.0. */
GRAFT_API int64_t graft_session_memory(const graft_session *session);

/** Attaches `adapters` to every row that names none of its own; NULL detaches. Since 1.0. */
GRAFT_API GRAFT_MUST_CHECK graft_status graft_session_set_adapters(
    graft_session *session, const graft_composition *adapters);

/* Results that are not finite, of a row whose adapter or model is broken, are GRAFT_ERROR_DIVERGED. */

/** Hidden states after layer `layer`, 1 to layer_count, or 0 for the embeddings, or -1 for the last: `out`
 *  [token_count, hidden_size]. Of a model with an encoder and a decoder those of the encoder, which reads the
 *  rows. Since 1.0. */
GRAFT_API GRAFT_MUST_CHECK graft_status graft_session_hidden_states(
    graft_session *session, const graft_batch *batch, int32_t layer, float *out, int64_t capacity);
/** One vector a row: `out` [row_count, hidden_size], or [row_count, graft_model_embedding_size()] with
 *  GRAFT_POOLING_DEFAULT. `normalize` is 1 for vectors of length 1, 0 for any, or -1 for what the model's
 *  folder says, which is 1 without a modules.json. The status is GRAFT_ERROR_UNSUPPORTED, and the message
 *  names it, where the folder asks for what this build does not do. Since 1.0. */
GRAFT_API GRAFT_MUST_CHECK graft_status graft_session_embed(graft_session *session, const graft_batch *batch,
    graft_pooling pooling, int32_t normalize, float *out, int64_t capacity);
/** The numbers of the heads: a logit for each label, or for regression the values. `out` [row_count,
 *  columns], from the row's first token in an encoder, and in a decoder from the last that is not
 *  config.json's pad_token_id; or [token_count, columns] with heads of token_classification and of
 *  question_answering, which share no batch with others. columns is the largest label count among the rows'
 *  adapters; where a head has fewer labels, a line ends in -infinity. `columns` may be NULL; it is written
 *  even when `capacity` is too small. Since 1.0. */
GRAFT_API GRAFT_MUST_CHECK graft_status graft_session_classify(
    graft_session *session, const graft_batch *batch, float *out, int64_t capacity, int64_t *columns);

/**
 * The likeliest tokens for each token that is `mask_token`, row after row, the likeliest first and equals by
 * their numbers, by the checkpoint's head for masked words: of classes as BertForMaskedLM.
 *
 * @param batch              Rows, each with its adapters.
 * @param mask_token         The number of the token that masks.
 * @param best_count         Tokens wanted for each, 1 to 2^20.
 * @param[out] tokens        [mask_count, best_count]; -1 where the vocabulary has no more.
 * @param[out] probabilities The same shape: softmax over the vocabulary. May be NULL.
 * @param[out] mask_starts   [row_count + 1]: the first mask of each row, and at the end their count, even
 *                           when `capacity` is too small. May be NULL.
 * @return GRAFT_ERROR_UNSUPPORTED (no such head), and as graft_session_predict(). Since 1.0. */
GRAFT_API GRAFT_MUST_CHECK graft_status graft_session_fill_masks(graft_session *session,
    const graft_batch *batch, int32_t mask_token, int64_t best_count, int32_t *tokens, float *probabilities,
    int64_t capacity, int64_t *mask_starts);

/**
 * The likeliest labels of each row, or of each token, the likeliest first and equals by their numbers. With
 * "crf" a token's first label is that of its row's likeliest labels together (Viterbi), and probabilities are
 * those over all labels of the row. Together are the tokens whose "token_labels" are not below 0, without
 * these the first of each of the "token_words", without these all; others are by themselves.
 *
 * @param batch              Rows, each with its adapters.
 * @param best_count         Labels wanted of each, 1 to 2^20.
 * @param[out] labels        [row_count, best_count], or [token_count, best_count] with heads of
 *                           token_classification: numbers as graft_composition_label() or
 *                           graft_adapter_label() has them; -1 where there are no more.
 * @param[out] probabilities The same shape: softmax over the labels of a row or token, or for
 *                           multi_label_classification each label's own sigmoid; 0 where there are no more.
 *                           May be NULL.
 * @return GRAFT_ERROR_INVALID_ARGUMENT (a row without head, or with one of regression, multiple_choice or
 *         question_answering), GRAFT_ERROR_DIVERGED (logits that are not numbers; the row is named),
 *         GRAFT_ERROR_INCOMPATIBLE (tokens outside the vocabulary, rows longer than the model, heads of rows
 *         and of tokens), GRAFT_ERROR_BUFFER_TOO_SMALL, GRAFT_ERROR_CANCELLED, GRAFT_ERROR_OUT_OF_MEMORY.
 * Since 1.0. */
GRAFT_API GRAFT_MUST_CHECK graft_status graft_session_predict(graft_session *session,
    const graft_batch *batch, int64_t best_count, int32_t *labels, float *probabilities, int64_t capacity);

/**
 * The stored vectors that are nearest to each query, by their products: of vectors of length 1, as
 * graft_session_embed() makes them, by cosine. Exact, and the same bits whatever queries are asked together.
 *
 * @param vectors      [vector_count, width].
 * @param vector_count 0 to 2^32.
 * @param width        1 to 2^20.
 * @param queries      [query_count, width].
 * @param query_count  0 to 2^20.
 * @param best_count   Vectors wanted of each query, 1 to 2^20.
 * @param thread_count At most. 0: one per processor.
 * @param[out] places  [query_count, best_count]: the nearest first, and equals in their order; -1 where there
 *                     are no more.
 * @param[out] products The same shape; -infinity where there are no more. May be NULL.
 * @return GRAFT_ERROR_INVALID_ARGUMENT, GRAFT_ERROR_DIVERGED (a product that is not finite; the vector is
 *         named), GRAFT_ERROR_BUFFER_TOO_SMALL, GRAFT_ERROR_OUT_OF_MEMORY. Since 1.0. */
GRAFT_API GRAFT_MUST_CHECK graft_status graft_nearest(const float *vectors, int64_t vector_count,
    int32_t width, const float *queries, int64_t query_count, int64_t best_count, int32_t thread_count,
    int64_t *places, float *products, int64_t capacity);

/** When a beam search ends, after it has beam_count texts that ended. */
typedef int32_t graft_early_stopping;
enum {
    GRAFT_EARLY_STOPPING_NO = 0,   /**< When the best that goes on would be no better if it ended now. */
    GRAFT_EARLY_STOPPING_YES = 1,  /**< At once. */
    GRAFT_EARLY_STOPPING_NEVER = 2 /**< When the best that goes on cannot become better at its longest. */
};

/** How graft_session_generate() chooses tokens: what is set is done to the logits in the order of the fields
 *  from biases to typical_p, as transformers does. */
typedef struct graft_generate_options {
    size_t struct_size;
    const int32_t *stop_tokens;      /**< [stop_token_count], copied: tokens that end a row. Default
                                          NULL: the model's ends of text. */
    const char *const *stop_strings; /**< [stop_string_count], copied: texts, UTF-8, before the first
                                          of which a row ends, wherever the borders of tokens lie:
                                          what may become one is handed out once it cannot. They
                                          need a tokenizer. Default NULL: none. */
    const int32_t *bias_tokens;      /**< [bias_count], copied: tokens, to the logits of which */
    const float *biases;             /**< [bias_count], copied, these are added; -INFINITY for a token
                                          that never comes. Default NULL: none. */
    const uint64_t *row_seeds;       /**< [row_count], copied: a seed for each row; NULL: `seed` for all.
                                          A row's text depends on its prompt, its adapters and its seed
                                          alone, so equal prompts with equal seeds have equal texts. */
    const char *const *constraints;  /**< [row_count], copied: what each row's text has to be, NULL for
                                          anything, as JSON: {"choices": [...]} one of these texts,
                                          {"regex": "..."} one that an expression matches as a whole,
                                          {"json_schema": {...}} JSON that is valid for a schema. It ends
                                          where nothing may follow; stop tokens come only where it may
                                          end. They need a tokenizer. Default NULL: none. */
    uint64_t seed;                   /**< Default 0. */
    int32_t stop_token_count;        /**< 0 with an array that is not NULL: no token ends a row.
                                          Default 0. */
    int32_t stop_string_count;       /**< Default 0. */
    int32_t bias_count;              /**< Default 0. */
    int32_t maximum_tokens;          /**< New tokens a row, at most as many as the model has positions
                                          left. Default 128. */
    int32_t sample_count;            /**< Texts of each row, 1 to 65536: each draws for itself, the first
                                          as if it were alone. Default 1. */
    int32_t likely_count;            /**< 0: each token comes with its log-probability, the logarithm of
                                          the softmax over the logits as the model gives them, before
                                          anything is done to them. Above 0: so many of the likeliest
                                          tokens come with theirs, too. Default -1: none. */
    float repetition_penalty;        /**< Above 0: divides the logits above 0 of tokens that the row has,
                                          multiplies those below. Default 1: none. */
    float frequency_penalty;         /**< As OpenAI defines it: what a token's logit loses for each time
                                          that it came after the prompt. Default 0. */
    float presence_penalty;          /**< The same, once for a token that came. Default 0. */
    int32_t no_repeat_ngram_size;    /**< No so many tokens come in a sequence that the row has had.
                                          Default 0: any may. */
    int32_t minimum_tokens;          /**< Before so many new ones, no stop token comes. Default 0. */
    float temperature;               /**< 0: always the likeliest token. Default 0. */
    int32_t top_k;                   /**< The likeliest so many. Default 0: all. */
    float top_p;                     /**< Above 0 to 1: the likeliest that together have this probability.
                                          Default 1: all. */
    float min_p;                     /**< 0 to 1: those that have this share of the likeliest one's
                                          probability. Default 0: all. */
    float typical_p;                 /**< Above 0 to 1: those that together have this probability and whose
                                          information is nearest to the entropy. Default 1: all. */
    int32_t beam_count;              /**< Above 1, a beam search follows so many texts of a row at a time,
                                          those with the largest sums of log-probabilities, as
                                          transformers does; temperature is 0, and sample_count, at most
                                          beam_count, says how many of the best are handed out, each as
                                          a whole once the search has ended. Default 1: none. */
    graft_early_stopping early_stopping; /**< Default GRAFT_EARLY_STOPPING_NO. */
    float length_penalty;                /**< Texts are ranked by their sums divided by their length to this
                                              power. Default 1. */
    int32_t prompt_lookup_tokens;        /**< Without beams, at most 1024: so many are guessed as they came
                                              behind the latest two before; a step hands out those that are
                                              right, too. Texts stay the same. Default 0: none. */
} graft_generate_options;

/** Why a token is its text's last. */
typedef int32_t graft_token_end;
enum {
    GRAFT_TOKEN_END_NONE = 0,        /**< It is not. */
    GRAFT_TOKEN_END_STOP_TOKEN = 1,  /**< It is a stop token. */
    GRAFT_TOKEN_END_STOP_STRING = 2, /**< A stop string is complete. */
    GRAFT_TOKEN_END_LENGTH = 3,      /**< maximum_tokens, or the model has no position left. */
    GRAFT_TOKEN_END_CONSTRAINT = 4   /**< Its constraint lets nothing follow. */
};

/** A new token. What it points to lives until the callback returns. */
typedef struct graft_token {
    size_t struct_size;                    /**< The library's own. */
    const char *text;                      /**< `size` bytes and a NUL: what the token adds to its text. ""
                                                for a stop token, while a character is incomplete or may
                                                become a stop string, or without a tokenizer. */
    const int32_t *likely_tokens;          /**< [likely_count]: the likeliest tokens in its place, the
                                                likeliest first; */
    const float *likely_log_probabilities; /**< [likely_count]: theirs. */
    int64_t size;                          /**< Bytes of `text`. */
    int64_t row;                           /**< Of the batch. */
    int32_t sample;                        /**< 0 to sample_count - 1: which of the row's texts. */
    int32_t id;                            /**< The token. */
    graft_token_end end;                   /**< Whether and why the text ends with it. */
    int32_t likely_count;                  /**< At most as asked for. */
    float log_probability;                 /**< Of the token; NaN where none is asked for. */
    float score;                           /**< Of the whole text, from a beam search; NaN without. */
} graft_token;

/** Receives a new token. Return 0 to go on, anything else to end its text. */
typedef int32_t (*graft_token_callback)(void *user_data, const graft_token *token);

GRAFT_API void graft_generate_options_init(graft_generate_options *options, size_t struct_size);

/**
 * Continues each row of a batch, or where the model has an encoder that reads it, writes what it becomes,
 * handing each token to `on_token` as it comes: step by step, in each step the rows in their order, and of
 * each row the samples.
 *
 * @param session   Of a model with an output over its vocabulary, such as Llama.
 * @param tokenizer Gives the tokens' text; NULL: ids only.
 * @param batch     The prompts, each with its adapters. They end where the text goes on: encode them without
 *                  an end-of-text token, and with GRAFT_UNLIMITED_LENGTH. What an encoder reads, as texts to
 *                  be translated, is encoded as usual.
 * @param on_token  Receives the tokens. Required.
 * @return GRAFT_ERROR_INCOMPATIBLE (tokens outside the vocabulary, a prompt longer than the model),
 *         GRAFT_ERROR_UNSUPPORTED (not a language model), GRAFT_ERROR_INVALID_ARGUMENT (an option out of its
 *         range, or options that leave no token), GRAFT_ERROR_DIVERGED (logits that are not numbers),
 *         GRAFT_ERROR_CANCELLED (tokens so far were handed out), GRAFT_ERROR_OUT_OF_MEMORY. Since 1.0. */
GRAFT_API GRAFT_MUST_CHECK graft_status graft_session_generate(graft_session *session,
    const graft_tokenizer *tokenizer, const graft_batch *batch, const graft_generate_options *options,
    graft_token_callback on_token, void *user_data);

/**
 * Texts that go on beside each other, of which some join while others are under way: what
 * graft_session_generate() does with a batch, step by step. One per thread.
 *
 * Keys and values of texts are kept in pages that texts with equal beginnings share, those that have ended
 * too, as long as no text needs the memory. A text is only ever spared the work on tokens that went through
 * the same model under the same adapters, with the same numbers and scales. Its tokens are the same bits
 * whenever it joins and whatever goes on beside it. */
typedef struct graft_generator graft_generator;

/** `tokenizer` gives the tokens' text, and lives as long as the generator; NULL: ids only. `options`: NULL
 *  for defaults. Since 1.0. */
GRAFT_API GRAFT_MUST_CHECK graft_status graft_generator_create(const graft_model *model,
    const graft_tokenizer *tokenizer, const graft_session_options *options, graft_generator **out);
GRAFT_API GRAFT_MUST_CHECK graft_status graft_generator_retain(const graft_generator *generator);
GRAFT_API void graft_generator_release(graft_generator *generator);
/** Working memory and what is kept of texts. Since 1.0. */
GRAFT_API int64_t graft_generator_memory(const graft_generator *generator);

/**
 * Takes the rows of a batch, each with its adapters: all, or none where one is refused. They begin with the
 * next step. Their adapters cannot be trained until they have ended.
 *
 * @param first_row The number of the batch's first row among all that were ever added, by which tokens name
 *                  it; those behind it follow. May be NULL.
 * @return As graft_session_generate(). A row that has no position left has ended. Since 1.0. */
GRAFT_API GRAFT_MUST_CHECK graft_status graft_generator_add(graft_generator *generator,
    const graft_batch *batch, const graft_generate_options *options, int64_t *first_row);

/**
 * Chooses the next token of each text under way, in the order in which they were added.
 *
 * @return GRAFT_ERROR_DIVERGED, GRAFT_ERROR_CANCELLED, GRAFT_ERROR_OUT_OF_MEMORY, and
 *         GRAFT_ERROR_INVALID_ARGUMENT where options leave no token; all texts have ended then. Since 1.0. */
GRAFT_API GRAFT_MUST_CHECK graft_status graft_generator_step(
    graft_generator *generator, graft_token_callback on_token, void *user_data);
/** Rows that have texts under way, counted once for each of their samples; -1 for no generator. Since 1.0. */
GRAFT_API int64_t graft_generator_row_count(const graft_generator *generator);

/** Ends the texts of a row; GRAFT_ERROR_NOT_FOUND where it has none under way. Since 1.0. */
GRAFT_API GRAFT_MUST_CHECK graft_status graft_generator_remove(graft_generator *generator, int64_t row);

#ifdef __cplusplus
}
#endif

#endif /* GRAFT_H */
