import GraftFormats
import GraftTensor

extension TokenizerClass {
    private static let bert = [
        "unk_token": "[UNK]", "sep_token": "[SEP]", "pad_token": "[PAD]", "cls_token": "[CLS]", "mask_token": "[MASK]",
    ]
    private static let roberta = [
        "bos_token": "<s>", "eos_token": "</s>", "sep_token": "</s>", "cls_token": "<s>", "unk_token": "<unk>",
        "pad_token": "<pad>", "mask_token": "<mask>",
    ]
    private static let llama = ["unk_token": "<unk>", "bos_token": "<s>", "eos_token": "</s>"]
    private static let gpt2 = [
        "unk_token": "<|endoftext|>", "bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>",
    ]
    private static let marian = ["unk_token": "<unk>", "eos_token": "</s>", "pad_token": "<pad>"]

    private static let fairseq = ["<s>", "<pad>", "</s>", "<unk>"]

    /// What is put around texts by more than one class.
    private static let bertEnds = ("cls_token A sep_token", "cls_token A sep_token B:1 sep_token:1")
    private static let robertaEnds = ("cls_token A sep_token", "cls_token A sep_token sep_token B sep_token")
    private static let optionalEnds = (
        "bos_token? A eos_token?", "bos_token? A eos_token? bos_token:1? B:1 eos_token:1?"
    )

    static let all = [
        // The first of each kind of files is the class where nothing says which it is.
        TokenizerClass(
            name: "GPT2Tokenizer",
            modelTypes: ["gpt2", "gpt_neo", "gptj", "opt", "phi", "codegen", "starcoder2"], files: .bytePairs,
            special: gpt2, stages: byteWords, single: optionalEnds.0, pair: optionalEnds.1),
        TokenizerClass(
            name: "RobertaTokenizer", aliases: ["BartTokenizer"],
            modelTypes: ["roberta", "roberta-prelayernorm", "data2vec-text", "longformer", "bart"], files: .bytePairs,
            special: roberta, stages: byteWords, single: robertaEnds.0, pair: robertaEnds.1, trimsOffsets: true),
        TokenizerClass(
            name: "GPTNeoXTokenizer", modelTypes: ["gpt_neox", "olmo", "olmoe", "mamba", "mamba2", "mpt", "rwkv"],
            files: .bytePairs, special: gpt2.merging(["pad_token": "<|padding|>"]) { $1 }, stages: composedByteWords,
            single: optionalEnds.0, pair: optionalEnds.1),
        TokenizerClass(
            name: "Qwen2Tokenizer", modelTypes: ["qwen2", "qwen2_moe", "qwen2_vl", "qwen2_5_vl", "qwen3", "qwen3_moe"],
            files: .bytePairs,
            special: ["unk_token": "<|endoftext|>", "eos_token": "<|endoftext|>", "pad_token": "<|endoftext|>"],
            stages: qwenWords, single: optionalEnds.0, pair: optionalEnds.1),
        TokenizerClass(
            name: "BertTokenizer",
            aliases: ["DistilBertTokenizer", "ElectraTokenizer", "MobileBertTokenizer", "ConvBertTokenizer"],
            modelTypes: [
                "bert", "distilbert", "electra", "mobilebert", "convbert", "nomic_bert", "megatron-bert", "squeezebert",
            ], files: .words, special: bert, stages: bertWords, single: bertEnds.0, pair: bertEnds.1),
        TokenizerClass(
            name: "MPNetTokenizer", modelTypes: ["mpnet"], files: .words,
            special: roberta.merging(["unk_token": "[UNK]"]) { $1 }, maskStripsLeft: true, stages: bertWords,
            single: robertaEnds.0, pair: robertaEnds.1, trimsOffsets: true),
        TokenizerClass(
            name: "T5Tokenizer", modelTypes: ["t5", "mt5", "umt5"], files: .pieces,
            special: ["eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"], extraCount: 100,
            single: "A eos_token", pair: "A eos_token B eos_token"),
        TokenizerClass(
            name: "XLMRobertaTokenizer", modelTypes: ["xlm-roberta"], files: .pieces, special: roberta,
            fairseq: (fairseq, ["<mask>"]), single: "bos_token A eos_token",
            pair: "bos_token A eos_token eos_token B eos_token"),
        TokenizerClass(
            name: "LlamaTokenizer", modelTypes: ["llama", "mistral"], files: .pieces, special: llama,
            choosesPrefix: true, single: optionalEnds.0, pair: optionalEnds.1, addsBeginning: true),
        TokenizerClass(
            name: "GemmaTokenizer", modelTypes: ["gemma", "gemma2", "gemma3", "gemma3_text"], files: .pieces,
            special: ["bos_token": "<bos>", "eos_token": "<eos>", "unk_token": "<unk>", "pad_token": "<pad>"],
            single: optionalEnds.0, pair: optionalEnds.1, addsBeginning: true),
        TokenizerClass(
            name: "AlbertTokenizer", modelTypes: ["albert"], files: .pieces, pieces: .unigram,
            special: bert.merging(
                ["bos_token": "[CLS]", "eos_token": "[SEP]", "unk_token": "<unk>", "pad_token": "<pad>"]) { $1 },
            unknownID: 1, stages: albertWords, single: bertEnds.0, pair: bertEnds.1),
        TokenizerClass(
            name: "DebertaV2Tokenizer", modelTypes: ["deberta-v2"], files: .pieces, pieces: .unigram,
            special: bert.merging(["bos_token": "[CLS]", "eos_token": "[SEP]"]) { $1 }, stages: debertaWords,
            single: bertEnds.0, pair: bertEnds.1),
        TokenizerClass(
            name: "MBartTokenizer", modelTypes: ["mbart"], files: .pieces, pieces: .unigram,
            special: roberta.merging(["src_lang": "en_XX"]) { $1 }, maskStripsLeft: true,
            fairseq: (fairseq, languages + ["<mask>"]), stages: markedWords, single: "A eos_token src_lang",
            pair: "A B eos_token src_lang"),
        TokenizerClass(
            name: "CodeLlamaTokenizer", modelTypes: ["code_llama"], files: .pieces, pieces: .bytePairs,
            special: llama.merging(
                [
                    "prefix_token": "▁<PRE>", "middle_token": "▁<MID>", "suffix_token": "▁<SUF>",
                    "eot_token": "▁<EOT>", "fill_token": "<FILL_ME>",
                ]) { $1 },
            furtherRoles: ["prefix_token", "middle_token", "suffix_token", "eot_token", "fill_token"],
            stages: codeLlamaText, single: optionalEnds.0, pair: optionalEnds.1, addsBeginning: true),
        TokenizerClass(
            name: "MarianTokenizer", modelTypes: ["marian"], files: .translation, special: marian,
            single: "A eos_token", pair: "A B eos_token"),
    ]

    /// mBART's codes of languages, in the order of their ids.
    private static let languages = [
        "ar_AR", "cs_CZ", "de_DE", "en_XX", "es_XX", "et_EE", "fi_FI", "fr_XX", "gu_IN", "hi_IN", "it_IT", "ja_XX",
        "kk_KZ", "ko_KR", "lt_LT", "lv_LV", "my_MM", "ne_NP", "nl_XX", "ro_RO", "ru_RU", "si_LK", "tr_TR", "vi_VN",
        "zh_CN",
    ]
}
