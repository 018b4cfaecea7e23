import GraftFormats
import GraftLayers
import GraftTensor

/// What generation_config.json says of texts that a model writes, or where it is silent
/// config.json, as in transformers' `generate`.
struct GenerationConfiguration {
    private let config: JSON
    /// nil where there is no such file.
    private let generation: JSON?

    init(_ folder: any TensorSource) throws(GraftError) {
        config = folder.config
        generation = try JSON.optional(contentsOf: folder.path + "/generation_config.json")
    }

    /// Tokens that end a text; `usual` is the architecture's where neither file says any.
    func endTokens(usual: Int32?) throws(GraftError) -> [Int32] {
        if let generation, let tokens = try Self.endTokens(generation) { return tokens }
        return try Self.endTokens(config) ?? (config["eos_token_id"] == nil ? usual.map { [$0] } ?? [] : [])
    }

    /// `eos_token_id`, a number or a list; nil where it is missing or null.
    private static func endTokens(_ config: JSON) throws(GraftError) -> [Int32]? {
        switch config["eos_token_id"] {
        case nil, .null: return nil
        case .array(let values):
            let tokens = values.compactMap { $0.intValue.flatMap { Int32(exactly: $0) } }
            guard tokens.count == values.count else {
                throw config.unexpected("eos_token_id", expected: "whole numbers")
            }
            return tokens
        case .some(let value):
            guard let token = value.intValue.flatMap({ Int32(exactly: $0) }) else {
                throw config.unexpected("eos_token_id", expected: "a whole number, a list of them, or null")
            }
            return [token]
        }
    }

    /// What a decoder's texts begin and end with, and what they never have.
    func writingRules() throws(GraftError) -> WritingRules {
        let generation = generation ?? config
        func token(_ key: String) throws(GraftError) -> Int32? {
            let value = try generation[key] == nil ? config.optionalInt(key) : generation.optionalInt(key)
            return value.map { Int32(clamping: $0) }
        }
        var banned: [Int32] = []
        for word in try generation.optionalArray("bad_words_ids") ?? [] {
            guard case .array(let tokens) = word, tokens.count == 1, let token = tokens[0].intValue else {
                throw generation.unexpected("bad_words_ids", expected: "lists of one token each")
            }
            banned.append(Int32(clamping: token))
        }
        let start = try token("decoder_start_token_id")
        let begin = try token("bos_token_id")
        return WritingRules(
            start: start ?? begin, first: try token("forced_bos_token_id"), last: try token("forced_eos_token_id"),
            banned: banned)
    }
}
