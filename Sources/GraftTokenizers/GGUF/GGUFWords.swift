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
            names: ["llama-bpe", "llama3", "llama-v3", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2"],
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

    /// The one that splits texts as a pre-tokenizer of `tokenizer.json` does.
    static func alike(_ preTokenizer: JSON, takesWholeWords: Bool, source: String) throws(GraftError) -> GGUFWords {
        let expressions = try expressions(of: preTokenizer)
        guard let expressions,
            let words = all.first(where: {
                $0.expressions == expressions && $0.takesWholeWords == takesWholeWords
            })
        else {
            throw GraftError(
                .unsupported,
                "\(source): pre_tokenizer: llama.cpp has no name for this way to split words; expected that of GPT-2, "
                    + "SmolLM, Llama 3 or Qwen 2")
        }
        return words
    }

    /// What a pre-tokenizer of bytes splits texts by; nil where it is none of these.
    private static func expressions(of stage: JSON) throws(GraftError) -> [String]? {
        switch stage["type"] {
        case "Sequence":
            var all: [String] = []
            for inner in stage["pretokenizers"]?.arrayValue ?? [] {
                guard let own = try expressions(of: inner) else { return nil }
                all += own
            }
            return all
        case "Split":
            guard let expression = stage["pattern"]?["Regex"]?.stringValue, stage["behavior"] == "Isolated",
                stage["invert"] != true
            else { return nil }
            let endings = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
            guard expression.hasPrefix(endings) else { return [expression] }
            return ["(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])" + expression.dropFirst(endings.count)]
        case "Digits": return stage["individual_digits"] == true ? [#"\p{N}"#] : nil
        case "ByteLevel":
            guard stage["add_prefix_space"] == false else { return nil }
            return try stage.optionalBool("use_regex") ?? true ? [gpt2] : []
        default: return nil
        }
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
