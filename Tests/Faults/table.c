/* Folders that are right but for one thing: what is wrong, the status, and a part of the message.
 * Those of adapters and tokenizers are loaded from the disk and from memory. */
#include "malformed.h"

enum { MAXIMUM_FILE = 1 << 20 };

/* Of SENTENCES, the model loads, and what it says about embeddings fails. */
typedef enum kind { MODEL, DECODER, ROBERTA, ADAPTER, HUB, TOKENIZER, SENTENCES } kind;

/* In `file`, `from` becomes `to`. In a safetensors file that is done to the header, whose length is
 * kept right. Without `from` the whole content is `to`; without both, the file is removed. */
typedef struct fault {
    kind kind;
    const char *file, *from, *to;
    graft_status status;
    const char *fragment, *sentence;
} fault;

#define CONFIG MODEL, "config.json"
#define WEIGHTS MODEL, "model.safetensors"
#define LLAMA DECODER, "config.json"
#define POSITIONS ROBERTA, "config.json"
#define SETTINGS ADAPTER, "adapter_config.json"
#define TENSORS ADAPTER, "adapter_model.safetensors"
#define HUB_SETTINGS HUB, "adapter_config.json"
#define HUB_HEAD HUB, "head_config.json"
/* What a failed download leaves. */
#define POINTER "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"
#define PAGE "<!DOCTYPE html>\n<html><head><title>Sign in</title></head></html>\n"
#define TOKENS TOKENIZER, "tokenizer.json"
#define MODULE(type, path) "{\"type\": \"sentence_transformers.models." type "\", \"path\": \"" path "\"}"
#define TRANSFORMER MODULE("Transformer", "")
#define INVALID GRAFT_ERROR_INVALID_ARGUMENT
#define MISSING GRAFT_ERROR_NOT_FOUND
#define CORRUPT GRAFT_ERROR_CORRUPT_FILE
#define UNSUPPORTED GRAFT_ERROR_UNSUPPORTED
#define INCOMPATIBLE GRAFT_ERROR_INCOMPATIBLE

static const fault table[] = {
    /* config.json as JSON */
    {CONFIG, NULL, NULL, MISSING, "config.json", "a model without config.json"},
    {CONFIG, NULL, "", CORRUPT, "config.json", "an empty config.json"},
    {CONFIG, NULL, "null", CORRUPT, "object", "a config.json that is null"},
    {CONFIG, NULL, "[]", CORRUPT, "object", "a config.json that is a list"},
    {CONFIG, NULL, "{} {}", CORRUPT, "config.json", "two values in config.json"},
    {CONFIG, "\"hidden_size\": 32,", "\"hidden_size\": 32,,", CORRUPT, "config.json", "two commas"},
    {CONFIG, "\"hidden_size\": 32,", "\"hidden_size\": 32", CORRUPT, "config.json", "no comma"},
    {CONFIG, "\"gelu\"", "'gelu'", CORRUPT, "config.json", "apostrophes for quotes"},
    {CONFIG, "\"gelu\"", "\"ge\xfflu\"", CORRUPT, "UTF-8", "a config.json that is not UTF-8"},
    {CONFIG, "\"gelu\"", "\"\\ud800\"", CORRUPT, "surrogate", "half a surrogate pair"},
    {CONFIG, "\"hidden_size\": 32", "\"hidden_size\": 32, \"hidden_size\": 33", CORRUPT, "hidden_size",
     "one key twice"},
    {CONFIG, "\"hidden_size\": 32", "\"hidden_size\": 032", CORRUPT, "config.json",
     "a number that starts with 0"},
    {CONFIG, "\"hidden_size\": 32", "\"hidden_size\": NaN", CORRUPT, "config.json", "NaN"},
    /* config.json as a configuration */
    {CONFIG, "\"BertModel\"\n  ],", "\"OtherModel\"], \"model_type\": null, \"x\": [],", CORRUPT,
     "model_type", "no model_type, and an unknown class"},
    {CONFIG, NULL, "{\"hidden_size\": 32}", CORRUPT, "model_type", "neither model_type nor architectures"},
    {CONFIG, NULL, POINTER, CORRUPT, "Git LFS", "a configuration that large file storage has"},
    {CONFIG, NULL, PAGE, CORRUPT, "web page", "a configuration that is a web page"},
    {CONFIG, "\"model_type\": \"bert\"", "\"model_type\": \"mamba\"", UNSUPPORTED, "mamba",
     "an unknown model_type"},
    {CONFIG, "\"model_type\": \"bert\"", "\"model_type\": 7", CORRUPT, "model_type",
     "a model_type that is a number"},
    {CONFIG, "\"hidden_size\": 32,", "", CORRUPT, "hidden_size", "no hidden_size"},
    {CONFIG, "\"hidden_size\": 32", "\"hidden_size\": \"32\"", CORRUPT, "hidden_size",
     "a hidden_size in quotes"},
    {CONFIG, "\"hidden_size\": 32", "\"hidden_size\": 0", CORRUPT, "hidden_size", "a hidden_size of 0"},
    {CONFIG, "\"hidden_size\": 32", "\"hidden_size\": -32", CORRUPT, "hidden_size", "a negative hidden_size"},
    {CONFIG, "\"hidden_size\": 32", "\"hidden_size\": 32.5", CORRUPT, "hidden_size", "a hidden_size of 32.5"},
    {CONFIG, "\"hidden_size\": 32", "\"hidden_size\": 1e400", CORRUPT, "hidden_size",
     "a hidden_size of 1e400"},
    {CONFIG, "\"hidden_size\": 32", "\"hidden_size\": 9223372036854775807", CORRUPT, "hidden_size",
     "a hidden_size of 2^63 - 1"},
    {CONFIG, "\"hidden_size\": 32", "\"hidden_size\": 99999999999999999999", CORRUPT, "hidden_size",
     "a hidden_size of 1e20"},
    {CONFIG, "\"hidden_size\": 32", "\"hidden_size\": 16777216", UNSUPPORTED, "hidden_size",
     "heads wider than any kernel"},
    {CONFIG, "\"hidden_size\": 32", "\"hidden_size\": 64", INCOMPATIBLE, "[120, 64]",
     "weights narrower than hidden_size"},
    {CONFIG, "\"num_attention_heads\": 4", "\"num_attention_heads\": 5", UNSUPPORTED, "num_attention_heads",
     "heads that do not divide hidden_size"},
    {CONFIG, "\"num_attention_heads\": 4", "\"num_attention_heads\": 0", CORRUPT, "num_attention_heads",
     "no heads"},
    {CONFIG, "\"num_hidden_layers\": 2", "\"num_hidden_layers\": 3", MISSING, "encoder.layer.2",
     "more layers than weights"},
    {CONFIG, "\"num_hidden_layers\": 2", "\"num_hidden_layers\": 16777216", CORRUPT, "1 to 65536",
     "16 million layers"},
    {CONFIG, "\"vocab_size\": 120", "\"vocab_size\": 16777216", INCOMPATIBLE, "word_embeddings",
     "a vocabulary larger than its table"},
    {CONFIG, "\"intermediate_size\": 64", "\"intermediate_size\": 65", INCOMPATIBLE, "intermediate.dense",
     "another intermediate_size"},
    {CONFIG, "\"max_position_embeddings\": 64", "\"max_position_embeddings\": 65", INCOMPATIBLE,
     "position_embeddings", "more positions than their table"},
    {CONFIG, "\"hidden_act\": \"gelu\"", "\"hidden_act\": \"mish\"", UNSUPPORTED, "mish",
     "an unknown activation"},
    {CONFIG, "\"hidden_act\": \"gelu\"", "\"hidden_act\": \"x\\u0000y\"", UNSUPPORTED, "expected gelu",
     "an activation with a NUL, behind which the message goes on"},
    {CONFIG, "\"hidden_dropout_prob\": 0.1", "\"hidden_dropout_prob\": 0.999999999", CORRUPT,
     "hidden_dropout_prob", "a dropout that rounds to 1"},
    {CONFIG, "\"hidden_dropout_prob\": 0.1", "\"hidden_dropout_prob\": 1.0", CORRUPT, "hidden_dropout_prob",
     "a dropout of 1"},
    {CONFIG, "\"hidden_dropout_prob\": 0.1", "\"hidden_dropout_prob\": -0.1", CORRUPT, "hidden_dropout_prob",
     "a negative dropout"},
    {CONFIG, "\"layer_norm_eps\": 1e-12", "\"layer_norm_eps\": -1", CORRUPT, "layer_norm_eps",
     "a negative epsilon"},
    {CONFIG, "\"layer_norm_eps\": 1e-12", "\"layer_norm_eps\": \"x\"", CORRUPT, "layer_norm_eps",
     "an epsilon in quotes"},
    {CONFIG, "\"initializer_range\": 0.02", "\"initializer_range\": -1", CORRUPT, "initializer_range",
     "a negative initializer_range"},
    {CONFIG, "\"pad_token_id\": 0", "\"pad_token_id\": \"zero\"", CORRUPT, "pad_token_id",
     "a pad_token_id in quotes"},
    {CONFIG, "\"is_decoder\": false", "\"is_decoder\": true", UNSUPPORTED, "is_decoder", "a decoder"},
    {CONFIG, "\"use_cache\": true", "\"position_embedding_type\": \"relative_key\"", UNSUPPORTED,
     "relative_key", "relative positions"},
    {CONFIG, "\"use_cache\": true", "\"quantization_config\": {\"bits\": 4}", UNSUPPORTED,
     "quantization_config", "a quantized model"},
    {CONFIG, "\"use_cache\": true", "\"text_config\": {\"hidden_size\": 64}", UNSUPPORTED, "text_config",
     "a model within a model"},
    {CONFIG, "\"use_cache\": true", "\"pruned_heads\": {\"0\": [1]}", UNSUPPORTED, "pruned_heads",
     "heads that are cut out"},
    {CONFIG, "\"use_cache\": true", "\"is_encoder_decoder\": true", UNSUPPORTED, "is_encoder_decoder",
     "two stacks"},
    {CONFIG, "\"use_cache\": true", "\"hidden_activation\": \"relu\"", UNSUPPORTED, "hidden_activation",
     "an activation that is said twice, otherwise"},
    {CONFIG, "\"use_cache\": true", "\"head_dim\": 16", UNSUPPORTED, "head_dim",
     "a head width that is said twice, otherwise"},
    {CONFIG, "\"use_cache\": true", "\"num_key_value_heads\": 2", UNSUPPORTED, "num_key_value_heads",
     "fewer heads for keys than an encoder has"},
    {CONFIG, "\"use_cache\": true", "\"layer_types\": [\"full_attention\", \"sliding_attention\"]",
     UNSUPPORTED, "layer_types", "layers that attend otherwise"},
    {CONFIG, "\"use_cache\": true", "\"problem_type\": \"guessing\"", CORRUPT, "multi_label_classification",
     "an unknown problem_type"},
    {CONFIG, "\"pad_token_id\": 0", "\"pad_token_id\": 120", INCOMPATIBLE, "pad_token_id",
     "padding beyond the vocabulary"},
    {CONFIG, "\"pad_token_id\": 0", "\"pad_token_id\": -121", INCOMPATIBLE, "pad_token_id",
     "padding before the vocabulary"},
    /* where positions are counted past the padding token's number */
    {POSITIONS, "\"pad_token_id\": 1", "\"pad_token_id\": null", UNSUPPORTED, "pad_token_id",
     "positions past the padding of a model without"},
    {POSITIONS, "\"pad_token_id\": 1", "\"pad_token_id\": -1", UNSUPPORTED, "0 to 64", "a padding of -1"},
    {POSITIONS, "\"pad_token_id\": 1", "\"pad_token_id\": 65", UNSUPPORTED, "0 to 64",
     "a padding past which there is no position"},
    {POSITIONS, "\"max_position_embeddings\": 66", "\"max_position_embeddings\": 1", UNSUPPORTED,
     "max_position_embeddings 1", "one position"},
    {POSITIONS, "\"type_vocab_size\": 1", "\"type_vocab_size\": 2", INCOMPATIBLE, "token_type_embeddings",
     "more types than their table"},
    /* config.json of a decoder */
    {LLAMA, "\"use_cache\": true", "\"sliding_window\": 16", UNSUPPORTED, "sliding_window", "a window"},
    {LLAMA, "\"use_cache\": true", "\"attention_chunk_size\": 16", UNSUPPORTED, "attention_chunk_size",
     "chunks"},
    {LLAMA, "\"use_cache\": true", "\"is_causal\": false", UNSUPPORTED, "is_causal",
     "a decoder that sees later tokens"},
    {LLAMA, "\"use_cache\": true", "\"is_causal\": null", UNSUPPORTED, "is_causal",
     "null where transformers takes it for false"},
    {LLAMA, "\"use_cache\": true", "\"attn_logit_softcapping\": 50.0", UNSUPPORTED, "attn_logit_softcapping",
     "capped logits of attention"},
    {LLAMA, "\"use_cache\": true", "\"partial_rotary_factor\": 0.5", UNSUPPORTED, "partial_rotary_factor",
     "rotation of a part"},
    {LLAMA, "\"use_cache\": true", "\"rope_scaling\": {\"rope_type\": \"spiral\", \"factor\": 2.0}",
     UNSUPPORTED, "rope_scaling", "rope_scaling that goes before rope_parameters"},
    {LLAMA, "\"use_cache\": true", "\"rope_scaling\": {\"rope_type\": \"longrope\", \"factor\": 2.0}",
     CORRUPT, "short_factor", "longrope without its factors"},
    {LLAMA, "\"use_cache\": true", "\"rope_scaling\": {\"full_attention\": {\"factor\": 2.0}}", UNSUPPORTED,
     "full_attention", "rotation by kinds of layers"},
    {LLAMA, "\"use_cache\": true",
     "\"original_max_position_embeddings\": 0, \"rope_scaling\": {\"rope_type\": \"llama3\", \"factor\": 8.0,"
     "\"low_freq_factor\": 1.0, \"high_freq_factor\": 4.0, \"original_max_position_embeddings\": 16}",
     CORRUPT, "original_max_position_embeddings", "a first length of 0 beside another"},
    /* model.safetensors */
    {WEIGHTS, NULL, NULL, MISSING, "model.safetensors", "a model without weights"},
    {WEIGHTS, NULL, "", CORRUPT, "model.safetensors", "an empty file of weights"},
    {WEIGHTS, NULL, POINTER, CORRUPT, "Git LFS", "a pointer to large file storage"},
    {WEIGHTS, NULL, PAGE, CORRUPT, "web page", "weights that are a web page"},
    {WEIGHTS, NULL, "Entry not found", CORRUPT, "Entry not found", "weights that are a server's answer"},
    {WEIGHTS, NULL, "GGUF\3", CORRUPT, "GGUF", "weights for llama.cpp under another name"},
    {WEIGHTS, "{\"__metadata__\"", "[\"__metadata__\"", CORRUPT, "model.safetensors",
     "a header that is no object"},
    {WEIGHTS, "\"embeddings.LayerNorm.bias\":{\"dtype\":\"F32\"",
     "\"embeddings.LayerNorm.bias\":{\"dtype\":\"F31\"", UNSUPPORTED, "F31", "an unknown dtype"},
    {WEIGHTS, "\"embeddings.LayerNorm.bias\":{\"dtype\":\"F32\"",
     "\"embeddings.LayerNorm.bias\":{\"dtype\":\"I32\"", UNSUPPORTED, "I32", "integers for weights"},
    {WEIGHTS, "\"embeddings.LayerNorm.bias\":{\"dtype\":\"F32\"",
     "\"embeddings.LayerNorm.bias\":{\"dtype\":\"F64\"", CORRUPT, "embeddings.LayerNorm.bias",
     "a dtype of another size"},
    {WEIGHTS, "\"shape\":[32],\"data_offsets\":[0,128]", "\"shape\":[33],\"data_offsets\":[0,128]", CORRUPT,
     "embeddings.LayerNorm.bias", "a shape that does not fit its bytes"},
    {WEIGHTS, "\"shape\":[32],\"data_offsets\":[0,128]", "\"shape\":[-32],\"data_offsets\":[0,128]", CORRUPT,
     "embeddings.LayerNorm.bias", "a negative size"},
    {WEIGHTS, "\"shape\":[32],\"data_offsets\":[0,128]",
     "\"shape\":[4294967296,4294967296],\"data_offsets\":[0,128]", CORRUPT, "embeddings.LayerNorm.bias",
     "a shape whose size overflows"},
    {WEIGHTS, "\"shape\":[32],\"data_offsets\":[0,128]", "\"shape\":[4,8],\"data_offsets\":[0,128]",
     INCOMPATIBLE, "[4, 8]", "a vector that is a matrix"},
    {WEIGHTS, "\"data_offsets\":[128,256]", "\"data_offsets\":[64,192]", CORRUPT, "model.safetensors",
     "tensors that overlap"},
    {WEIGHTS, "\"data_offsets\":[128,256]", "\"data_offsets\":[0,128]", CORRUPT, "model.safetensors",
     "two tensors in one place"},
    {WEIGHTS, "\"data_offsets\":[128,256]", "\"data_offsets\":[256,128]", CORRUPT, "model.safetensors",
     "an end before its start"},
    {WEIGHTS, "\"data_offsets\":[128,256]", "\"data_offsets\":[9223372036854775680,9223372036854775807]",
     CORRUPT, "model.safetensors", "offsets past the end of the file"},
    {WEIGHTS, "\"data_offsets\":[128,256]", "\"data_offsets\":[-128,0]", CORRUPT, "model.safetensors",
     "negative offsets"},
    {WEIGHTS, "\"data_offsets\":[128,256]", "\"data_offsets\":[128]", CORRUPT, "data_offsets", "one offset"},
    {WEIGHTS, "\"embeddings.LayerNorm.weight\"", "\"embeddings.LayerNorm.bias\"", CORRUPT,
     "embeddings.LayerNorm.bias", "two tensors of one name"},
    {WEIGHTS, "\"embeddings.LayerNorm.weight\"", "\"embeddings.LayerNorm.wait\"", MISSING,
     "embeddings.LayerNorm.weight", "a missing tensor"},
    {WEIGHTS, "{\"format\":\"pt\"}", "{\"format\":1}", CORRUPT, "__metadata__", "metadata that is no text"},
    /* shards */
    {MODEL, "model.safetensors.index.json", NULL, "{\"weight_map\": {\"x\": \"../../etc/passwd\"}}", CORRUPT,
     "passwd", "an index that leads out of its folder"},
    {MODEL, "model.safetensors.index.json", NULL, PAGE, CORRUPT, "web page", "an index that is a web page"},
    /* adapter_config.json */
    {SETTINGS, NULL, POINTER, CORRUPT, "Git LFS", "settings that large file storage has"},
    {SETTINGS, "\"init_lora_weights\": true", "\"init_lora_weights\": \"magic\"", UNSUPPORTED,
     "true, false, \"gaussian\", \"eva\", \"orthogonal\", \"mica\"",
     "an unknown start, and those that are known"},
    {SETTINGS, NULL, NULL, MISSING, "adapter_config.json", "an adapter without settings"},
    {SETTINGS, NULL, "[]", CORRUPT, "adapter_config.json", "settings that are a list"},
    {SETTINGS, "\"peft_type\": \"LORA\"", "\"peft_type\": \"LOHA\"", UNSUPPORTED, "LOHA", "another method"},
    {SETTINGS, "\"peft_type\": \"LORA\",", "", CORRUPT, "peft_type", "no peft_type"},
    {SETTINGS, "\"r\": 8", "\"r\": 4", INCOMPATIBLE, "lora_A", "another rank than the tensors'"},
    {SETTINGS, "\"r\": 8", "\"r\": 0", CORRUPT, "r must be", "a rank of 0"},
    {SETTINGS, "\"r\": 8", "\"r\": 9223372036854775807", CORRUPT, "r must be", "an absurd rank"},
    {SETTINGS, "\"lora_alpha\": 8", "\"lora_alpha\": -8", CORRUPT, "lora_alpha", "a negative alpha"},
    {SETTINGS, "\"lora_dropout\": 0.0", "\"lora_dropout\": 1.5", CORRUPT, "lora_dropout",
     "a dropout above 1"},
    {SETTINGS, "\"use_qalora\": false", "\"use_qalora\": true", UNSUPPORTED, "use_qalora",
     "a setting that is not done"},
    {SETTINGS, "\"use_dora\": false", "\"use_dora\": true", CORRUPT, "lora_magnitude_vector",
     "DoRA without its tensors"},
    {SETTINGS, "\"use_dora\": false", "\"brand_new\": 3", UNSUPPORTED, "brand_new",
     "a setting that nobody knows"},
    {SETTINGS, "\"query\"", "\"kwery\"", UNSUPPORTED, "lora_A", "targets that the tensors do not have"},
    {SETTINGS, "\"target_modules\": [\n    \"query\",\n    \"value\"\n  ]", "\"target_modules\": \"((((\"",
     CORRUPT, "((((", "a target that is no regular expression"},
    {SETTINGS, "\"task_type\": \"SEQ_CLS\"", "\"task_type\": \"OTHER_TASK\"", UNSUPPORTED, "QUESTION_ANS",
     "another task"},
    {SETTINGS, "\"task_type\": \"SEQ_CLS\"", "\"task_type\": \"QUESTION_ANS\"", CORRUPT, "qa_outputs",
     "a task whose head is not there"},
    {SETTINGS, "\"rank_pattern\": {}", "\"rank_pattern\": {\"query\": 0}", CORRUPT, "rank_pattern",
     "a rank of 0 in a pattern"},
    {SETTINGS, "\"rank_pattern\": {}", "\"rank_pattern\": {\"query\": 1e39}", CORRUPT, "rank_pattern",
     "a rank of 1e39 in a pattern"},
    {SETTINGS, "\"rank_pattern\": {}", "\"rank_pattern\": {\"query\": 4.5}", CORRUPT, "4.5",
     "a rank of 4.5 in a pattern"},
    {SETTINGS, "\"alpha_pattern\": {}", "\"alpha_pattern\": {\"query\": 1e39}", CORRUPT, "1e39",
     "an alpha of 1e39 in a pattern"},
    {SETTINGS, "\"lora_alpha\": 8", "\"lora_alpha\": 1e39", CORRUPT, "lora_alpha", "an alpha of 1e39"},
    {SETTINGS, "\"lora_dropout\": 0.0", "\"lora_dropout\": 0.999999999", CORRUPT, "lora_dropout",
     "a dropout that 32 bits round to 1"},
    {SETTINGS, "\"bias\": \"none\"", "\"bias\": \"all\"", CORRUPT, "bias", "biases that are not in the file"},
    {SETTINGS, "\"bias\": \"none\"", "\"bias\": \"none\", \"pooling\": \"max\"", UNSUPPORTED,
     "\"mean\", \"first\", \"last\"", "a head that pools as no head does"},
    {SETTINGS, "\"bias\": \"none\"", "\"bias\": \"none\", \"pooling\": \"mean\"", CORRUPT,
     "pooled_classifier.weight", "a pooled head that is not in the file"},
    {SETTINGS, "\"bias\": \"none\"", "\"bias\": \"none\", \"pooling\": 1", CORRUPT, "pooling",
     "a pooling that is a number"},
    /* adapter_model.safetensors */
    {TENSORS, NULL, NULL, MISSING, "adapter_model.safetensors", "an adapter without tensors"},
    {TENSORS, "layer.0.attention.self.query.lora_A", "layer.7.attention.self.query.lora_A", CORRUPT,
     "layer.0.attention.self.query.lora_A", "an adapter of a deeper base"},
    {TENSORS, "query.lora_A.weight\":{\"dtype\":\"F32\",\"shape\":[8,32]",
     "query.lora_A.weight\":{\"dtype\":\"F32\",\"shape\":[4,64]", INCOMPATIBLE, "[4, 64]",
     "an adapter of a wider base"},
    {TENSORS, "query.lora_A.weight\":{\"dtype\":\"F32\"", "query.lora_A.weight\":{\"dtype\":\"I32\"",
     UNSUPPORTED, "I32", "an adapter of integers"},
    {TENSORS, "base_model.model.classifier.bias", "base_model.model.clasifier.bias", CORRUPT,
     "classifier.bias", "a head without bias"},
    {TENSORS, "base_model.model.classifier.weight", "base_model.model.clasifier.weight", CORRUPT,
     "classifier.weight", "a classification without head"},
    {TENSORS, "\"format\":\"pt\"", "\"format\":\"pt\",\"id2label\":\"{\\\"0\\\"\"", CORRUPT, "id2label",
     "labels that are no JSON"},
    {TENSORS, "\"format\":\"pt\"", "\"format\":\"pt\",\"maximum_length\":\"0\"", CORRUPT, "maximum_length",
     "rows of 0 tokens"},
    {TENSORS, "\"format\":\"pt\"", "\"format\":\"pt\",\"maximum_length\":\"many\"", CORRUPT, "maximum_length",
     "rows of many tokens"},
    {TENSORS, NULL, PAGE, CORRUPT, "web page", "tensors that are a web page"},
    {TENSORS, "\"base_model.model.bert.encoder.layer.0.attention.self.query.lora_A.weight\"",
     "\"base_model.model._orig_mod.bert.encoder.layer.0.attention.self.query.lora_A.weight\"", INCOMPATIBLE,
     "torch.compile", "a key that torch.compile made"},
    {TENSORS, "\"base_model.model.bert.encoder.layer.0.attention.self.query.lora_A.weight\"",
     "\"module.base_model.model.bert.encoder.layer.0.attention.self.query.lora_A.weight\"", INCOMPATIBLE,
     "DataParallel", "a key that DataParallel made"},
    {TENSORS, "query.lora_A.weight\":{\"dtype\":\"F32\"", "query.lora_magnitude_vector\":{\"dtype\":\"F32\"",
     CORRUPT, "lora_magnitude_vector", "a tensor of DoRA"},
    {TENSORS, "layer.0.attention.self.query.lora_A.weight",
     "layer.0.attention.self.query.lora_B.default.weight", CORRUPT, "lora_B.default.weight",
     "one tensor under two names"},
    {TENSORS, "\"base_model.model.classifier.weight\":{\"dtype\":\"F32\",\"shape\":[3,32]",
     "\"base_model.model.classifier.weight\":{\"dtype\":\"F32\",\"shape\":[1,96]", INCOMPATIBLE, "[1, 32]",
     "a head of one value that is wider than the model"},
    /* AdapterHub */
    {HUB_SETTINGS, "\"hidden_size\": 32", "\"hidden_size\": 32, \"mystery\": 1", UNSUPPORTED, "mystery",
     "an unknown key beside the settings"},
    {HUB_HEAD, "\"hidden_size\": 32", "\"hidden_size\": 32, \"mystery\": 1", UNSUPPORTED, "mystery",
     "an unknown key beside the head's"},
    {HUB_HEAD, "\"classification\"", "\"dependency_parsing\"", UNSUPPORTED, "multilabel_classification",
     "a head of another type"},
    {HUB_HEAD, "\"classification\"", "\"question_answering\"", UNSUPPORTED, "num_labels 3",
     "a head of answers with three outputs"},
    {HUB_HEAD, "\"num_labels\": 3", "\"num_labels\": 1", CORRUPT, "label2id", "a head of other labels"},
    {HUB_HEAD, "\"tanh\"", "\"mish\"", UNSUPPORTED, "gelu_new",
     "an unknown function, and those that are known"},
    {HUB, "adapter.safetensors", NULL, POINTER, CORRUPT, "Git LFS", "an adapter that large file storage has"},
    {HUB, "model_head.safetensors", NULL, PAGE, CORRUPT, "web page", "a head that is a web page"},
    /* tokenizer.json and vocab.txt */
    {TOKENS, NULL, POINTER, CORRUPT, "Git LFS", "a tokenizer that large file storage has"},
    {TOKENIZER, "vocab.txt", NULL, PAGE, CORRUPT, "web page", "a vocab.txt that is a web page"},
    {TOKENS, NULL, NULL, MISSING, "vocab.txt", "no tokenizer at all"},
    {TOKENS, NULL, "", CORRUPT, "tokenizer.json", "an empty tokenizer.json"},
    {TOKENS, NULL, "{}", CORRUPT, "model", "a tokenizer without model"},
    {TOKENS, NULL, "{\"model\": {\"type\": \"Markov\"}}", UNSUPPORTED, "Markov",
     "an unknown kind of tokenizer"},
    {TOKENS, "\"[UNK]\": 0", "\"[UNK]\": -1", CORRUPT, "[UNK]", "a negative token id"},
    {TOKENS, "\"[UNK]\": 0", "\"[UNK]\": 99999999999", CORRUPT, "[UNK]", "a token id beyond 32 bits"},
    {TOKENS, "\"type\": \"BertNormalizer\"", "\"type\": \"Rot13\"", UNSUPPORTED, "Rot13",
     "an unknown normalizer"},
    {TOKENS, "\"type\": \"BertPreTokenizer\"", "\"type\": \"Cuneiform\"", UNSUPPORTED, "Cuneiform",
     "an unknown pre-tokenizer"},
    {TOKENS, NULL, "{\"model\": {\"type\": \"Unigram\", \"vocab\": [[\"a\", 0]], \"unk_id\": 7}}", CORRUPT,
     "unk_id", "an unknown token that is none of the vocabulary's"},
    {TOKENS, NULL, "{\"model\": {\"type\": \"Unigram\", \"vocab\": {\"a\": 0}}}", CORRUPT, "scores",
     "a vocabulary without scores"},
    {TOKENS, "\"type\": \"BertNormalizer\"", "\"type\": \"Precompiled\", \"precompiled_charsmap\": \"AAAA\"",
     CORRUPT, "precompiled_charsmap", "a map of characters that is cut off"},
    {TOKENS, "\"type\": \"BertPreTokenizer\"",
     "\"type\": \"Split\", \"pattern\": {\"Regex\": \"(?i:ss)\"}, \"behavior\": \"Isolated\", \"invert\": "
     "false",
     UNSUPPORTED, "regardless of case", "an expression in which one letter stands for two"},
    {TOKENS, "\"type\": \"BertPreTokenizer\"",
     "\"type\": \"Split\", \"pattern\": {\"Regex\": \"[a\"}, \"behavior\": \"Isolated\", \"invert\": false",
     CORRUPT, "bracket", "an expression that is none"},
    {TOKENS, "\"added_tokens\": []",
     "\"added_tokens\": [{\"id\": 3, \"content\": \"\\u0007\", \"single_word\": false, \"lstrip\": false, "
     "\"rstrip\": false, \"normalized\": true, \"special\": false}]",
     UNSUPPORTED, "leaves nothing", "an added token that its normalizer erases"},
    {TOKENIZER, "tokenizer_config.json", NULL, "{\"tokenizer_class\": \"BertTokenizer\"}", UNSUPPORTED,
     "post_processor", "a class of tokenizers that the file is not of"},
    {TOKENIZER, "tokenizer_config.json", NULL, "{\"split_special_tokens\": true}", UNSUPPORTED,
     "split_special_tokens", "special tokens that are to be split"},
    {TOKENIZER, "tokenizer_config.json", NULL, "{\"added_tokens_decoder\": {\"x\": {\"content\": \"y\"}}}",
     CORRUPT, "added_tokens_decoder", "an added token without an id"},
    {TOKENIZER, "tokenizer_config.json", NULL, "{\"added_tokens_decoder\": {\"9\": {\"content\": \"y\"}}}",
     CORRUPT, "expected the next one", "an added token with a gap before its id"},
    {TOKENIZER, "added_tokens.json", NULL, "{\"y\": \"3\"}", CORRUPT, "added_tokens.json",
     "an added token whose id is a text"},
    {TOKENIZER, "vocab.txt", NULL, "a\xff\nb\n", CORRUPT, "UTF-8", "a vocab.txt that is not UTF-8"},
    /* what stands beside them */
    {TOKENIZER, "tokenizer_config.json", NULL, "{\"chat_template\": 3}", CORRUPT, "chat_template",
     "a chat template that is a number"},
    {TOKENIZER, "tokenizer_config.json", NULL, "{\"chat_template\": [{\"name\": \"x\"}]}", CORRUPT,
     "template", "a named chat template without text"},
    {TOKENIZER, "tokenizer_config.json", NULL, "{\"model_max_length\": 0}", CORRUPT, "model_max_length",
     "a length of 0"},
    {TOKENIZER, "tokenizer_config.json", NULL, "{\"model_max_length\": \"512\"}", CORRUPT, "model_max_length",
     "a length in quotes"},
    {TOKENIZER, "tokenizer_config.json", NULL, "{\"truncation_side\": \"middle\"}", CORRUPT,
     "truncation_side", "an unknown side to cut"},
    {TOKENIZER, "sentence_bert_config.json", NULL, "{\"max_seq_length\": 1.5}", CORRUPT, "max_seq_length",
     "one token and a half"},
    {TOKENIZER, "sentence_bert_config.json", NULL, "[]", CORRUPT, "object", "settings that are a list"},
    /* sentence-transformers' files */
    {SENTENCES, "modules.json", NULL, "{", CORRUPT, "modules.json", "modules that are no JSON"},
    {SENTENCES, "modules.json", NULL, "{}", CORRUPT, "array", "modules that are an object"},
    {SENTENCES, "modules.json", NULL, "[]", UNSUPPORTED, "Pooling", "no modules"},
    {SENTENCES, "modules.json", NULL, "[" TRANSFORMER "]", UNSUPPORTED, "Pooling", "no pooling"},
    {SENTENCES, "modules.json", NULL, "[" TRANSFORMER ", " MODULE("Pooling", "1_Pooling") "]", MISSING,
     "1_Pooling", "a pooling without settings"},
    {SENTENCES, "modules.json", NULL, "[" TRANSFORMER ", " MODULE("Pooling", "../x") "]", UNSUPPORTED, "../x",
     "a module outside its folder"},
    {SENTENCES, "modules.json", NULL, "[" MODULE("BoW", "") "]", UNSUPPORTED, "BoW",
     "a module that is not done"},
    {SENTENCES, "modules.json", NULL, "[{\"path\": \"\", \"type\": \"my.Module\"}]", UNSUPPORTED, "my.Module",
     "a module of somebody else"},
    {SENTENCES, "config_sentence_transformers.json", NULL, "{\"prompts\": {\"a\": 1}}", CORRUPT, "prompts",
     "a prompt that is a number"},
    {SENTENCES, "config_sentence_transformers.json", NULL, "{\"default_prompt_name\": \"a\"}", CORRUPT,
     "default_prompt_name", "a default prompt that there is not"},
};

static const char tokenizer[] =
    "{\"version\": \"1.0\", \"truncation\": null, \"padding\": null, \"added_tokens\": [],\n"
    "\"normalizer\": {\"type\": \"BertNormalizer\", \"clean_text\": true, \"handle_chinese_chars\": true,\n"
    " \"strip_accents\": null, \"lowercase\": true},\n"
    "\"pre_tokenizer\": {\"type\": \"BertPreTokenizer\"}, \"post_processor\": null,\n"
    "\"decoder\": {\"type\": \"WordPiece\", \"prefix\": \"##\", \"cleanup\": true},\n"
    "\"model\": {\"type\": \"WordPiece\", \"unk_token\": \"[UNK]\", \"continuing_subword_prefix\": \"##\",\n"
    " \"max_input_chars_per_word\": 100, \"vocab\": {\"[UNK]\": 0, \"one\": 1, \"two\": 2}}}\n";

/* Replaces the first `from` of the text of *size bytes; the caller frees the result. */
static char *replace(const char *text, size_t *size, const fault *fault) {
    const char *place = strstr(text, fault->from);
    if (!place) {
        printf("FAILED  %s: %s does not hold %s\n", fault->sentence, fault->file, fault->from);
        exit(1);
    }
    size_t before = (size_t)(place - text), removed = strlen(fault->from), added = strlen(fault->to);
    char *out = malloc(*size - removed + added + 1);
    if (!out)
        exit(1);
    memcpy(out, text, before);
    memcpy(out + before, fault->to, added);
    memcpy(out + before + added, place + removed, *size - before - removed);
    *size += added - removed;
    out[*size] = '\0';
    return out;
}

/* The same in the header of a safetensors file. */
static void edit_header(const char *path, const fault *fault) {
    size_t size, length = 0;
    char *bytes = read_file(path, &size);
    for (int i = 7; i >= 0; i--)
        length = length << 8 | (unsigned char)bytes[i];
    char *header = malloc(length + 1);
    if (!header)
        exit(1);
    memcpy(header, bytes + 8, length);
    header[length] = '\0';
    size_t edited_length = length;
    char *edited = replace(header, &edited_length, fault);
    char *out = malloc(8 + edited_length + size - 8 - length);
    if (!out)
        exit(1);
    for (int i = 0; i < 8; i++)
        out[i] = (char)(edited_length >> 8 * i & 0xff);
    memcpy(out + 8, edited, edited_length);
    memcpy(out + 8 + edited_length, bytes + 8 + length, size - 8 - length);
    write_bytes(path, out, 8 + edited_length + size - 8 - length);
    free(bytes);
    free(header);
    free(edited);
    free(out);
}

static void apply(const char *folder, const fault *fault) {
    const char *path = join(folder, fault->file);
    if (!fault->from && !fault->to) {
        remove(path);
    } else if (!fault->from) {
        write_bytes(path, fault->to, strlen(fault->to));
    } else if (strstr(fault->file, ".safetensors")) {
        edit_header(path, fault);
    } else {
        size_t size;
        char *text = read_file(path, &size);
        char *edited = replace(text, &size, fault);
        write_bytes(path, edited, size);
        free(text);
        free(edited);
    }
}

/* What is wrong in a folder is wrong in memory as well. */
static void check_in_memory(const fault *fault, const char *folder) {
    void *const untouched = (void *)&tiny;
    void *out = untouched;
    int32_t count;
    graft_file *files = read_files(folder, &count);
    graft_status status = fault->kind != TOKENIZER
                              ? graft_adapter_load_files(tiny, files, count, (graft_adapter **)&out)
                              : graft_tokenizer_load_files(files, count, (graft_tokenizer **)&out);
    free_files(files, count);
    expect(fault->status, fault->fragment, status, fault->sentence);
    claim(out == untouched, "a failed call leaves its output alone", fault->sentence);
}

/* Embeds a row of the folder's model as the folder declares. */
static graft_status embed(const char *folder) {
    graft_model *model = NULL;
    graft_session *session = NULL;
    graft_batch *batch = NULL;
    const int32_t tokens[] = {5, 6}, lengths[] = {2};
    float vector[32];
    const char *prompt;
    need(graft_model_load(folder, NULL, &model), "loading a model with a fault in its modules");
    need(graft_session_create(model, NULL, &session), "making a session");
    need(graft_batch_create(tokens, NULL, lengths, 1, &batch), "making a batch");
    need(graft_session_embed(session, batch, GRAFT_POOLING_MEAN, 1, vector, 32), "embedding without them");
    graft_status status = graft_model_prompt(model, NULL, &prompt);
    if (status == GRAFT_OK)
        status = graft_session_embed(session, batch, GRAFT_POOLING_DEFAULT, -1, vector, 32);
    graft_batch_release(batch);
    graft_session_release(session);
    graft_model_release(model);
    return status;
}

static void check(const fault *fault) {
    void *const untouched = (void *)&tiny;
    void *out = untouched;
    graft_status status = GRAFT_OK;
    if (fault->kind <= ROBERTA) {
        static const char *const models[] = {"bert-tiny/base", "llama-tiny/plain", "roberta-tiny/base"};
        const char *folder = copy_folder(models[fault->kind], "model");
        if (strstr(fault->file, ".index.json"))
            remove(join(folder, "model.safetensors"));
        apply(folder, fault);
        status = graft_model_load(folder, NULL, (graft_model **)&out);
    } else if (fault->kind == ADAPTER || fault->kind == HUB) {
        const char *folder =
            copy_folder(fault->kind == ADAPTER ? "lora/default" : "bottleneck/seq-bn/start", "adapter");
        apply(folder, fault);
        status = graft_adapter_load(tiny, folder, (graft_adapter **)&out);
    } else if (fault->kind == SENTENCES) {
        const char *folder = copy_folder("bert-tiny/base", "model");
        apply(folder, fault);
        status = embed(folder);
    } else {
        const char *folder = copy_folder("lora/default", "tokenizer");
        if (strcmp(fault->file, "vocab.txt") != 0)
            write_bytes(join(folder, "tokenizer.json"), tokenizer, sizeof tokenizer - 1);
        apply(folder, fault);
        status = graft_tokenizer_load(folder, (graft_tokenizer **)&out);
    }
    expect(fault->status, fault->fragment, status, fault->sentence);
    claim(out == untouched, "a failed call leaves its output alone", fault->sentence);
    if (fault->kind == ADAPTER || fault->kind == HUB || fault->kind == TOKENIZER)
        check_in_memory(fault, join(scratch, fault->kind == TOKENIZER ? "tokenizer" : "adapter"));
}

void test_table(void) {
    /* The folders themselves are right. */
    graft_model *model = NULL;
    graft_adapter *adapter = NULL;
    graft_tokenizer *words = NULL;
    need(graft_model_load(copy_folder("bert-tiny/base", "model"), NULL, &model), "loading a copied model");
    need(graft_adapter_load(tiny, copy_folder("lora/default", "adapter"), &adapter),
         "loading a copied adapter");
    const char *folder = copy_folder("lora/default", "tokenizer");
    write_bytes(join(folder, "tokenizer.json"), tokenizer, sizeof tokenizer - 1);
    need(graft_tokenizer_load(folder, &words), "loading a written tokenizer");
    graft_model_release(model);
    graft_adapter_release(adapter);
    graft_tokenizer_release(words);
    need(graft_model_load(copy_folder("llama-tiny/plain", "model"), NULL, &model),
         "loading a copied decoder");
    graft_model_release(model);
    need(graft_model_load(copy_folder("roberta-tiny/base", "model"), NULL, &model),
         "loading a copied RoBERTa");
    need(graft_adapter_load(tiny, copy_folder("bottleneck/seq-bn/start", "adapter"), &adapter),
         "loading a copied adapter of AdapterHub");
    graft_model_release(model);
    graft_adapter_release(adapter);
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        check(&table[i]);
}
