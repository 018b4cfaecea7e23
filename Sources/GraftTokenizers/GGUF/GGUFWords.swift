import GraftFormats
import GraftTensor

/// How llama.cpp splits a text into words for byte-pair encoding of bytes, by the name that
/// `tokenizer.ggml.pre` gives it.
///
/// A text is split at the matches of each expression in turn; what is between them stays.
struct GGUFWords {
    let names: [String]
    let expressions: [String]
    /// Whether a word that is a token is that token, however it would merge.
    var takesWholeWords = false
    /// Whether a text begins with a token of its own where the file does not say.
    var addsBeginning = false

    private static let gpt2 = #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)"#

    /// Words as Llama 3 has them, with as many digits together.
    private static func llama3(digits: String) -> String {
        #"(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\r\n\p{L}\p{N}]?\p{L}+|"# + digits
            + #"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
    }

    private static let all = [
        GGUFWords(
            names: ["default"], expressions: [#"[\p{P}\$\+<=>\^~\|]+"#, gpt2, #"\p{N}+"#, "[0-9][0-9][0-9]"]),
        GGUFWords(
            names: [
                "gpt-2", "phi-2", "jina-es", "jina-de", "jina-v2-es", "jina-v2-de", "jina-v2-code", "gigachat",
                "roberta-bpe",
                "mpt", "olmo", "jais", "trillion", "exaone4", "modern-bert",
            ], expressions: [gpt2]),
        GGUFWords(
            names: ["smollm", "starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b"],
            expressions: [#"\p{N}"#, gpt2]),
        GGUFWords(
            names: ["llama3", "llama-v3", "llama-bpe", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2"],
            expressions: [llama3(digits: #"\p{N}{1,3}"#)], takesWholeWords: true, addsBeginning: true),
        GGUFWords(names: ["smaug-bpe", "dbrx"], expressions: [llama3(digits: #"\p{N}{1,3}"#)]),
        GGUFWords(
            names: ["qwen2", "deepseek-r1-qwen", "stablelm2", "hunyuan", "megrez"],
            expressions: [llama3(digits: #"\p{N}"#)]),
    ]

    static func named(_ name: String, source: String) throws(GraftError) -> GGUFWords {
        guard let words = all.first(where: { $0.names.contains(name) }) else {
            throw GraftError(
                .unsupported,
                "\(source): tokenizer.ggml.pre \(JSON.string(name).shortText) is not known to this build, which has "
                    + all.flatMap(\.names).joined(separator: ", "))
        }
        return words
    }

    /// The stages that do so, and spell words byte by byte.
    func preTokenizers() throws(GraftError) -> [any PreTokenizer] {
        // GPT-2's own stage has its expression built in.
        let isPlain = expressions == [Self.gpt2]
        let splits = isPlain ? [] : expressions.map(Self.split)
        return try Stages.preTokenizers([
            "type": "Sequence",
            "pretokenizers": .array(
                splits + [["type": "ByteLevel", "add_prefix_space": false, "use_regex": .bool(isPlain)]]),
        ])
    }

    private static func split(_ expression: String) -> JSON {
        ["type": "Split", "pattern": ["Regex": .string(expression)], "behavior": "Isolated", "invert": false]
    }
}
