import GraftFormats
import GraftLayers
import GraftTensor

extension TensorSource {
    /// What generation_config.json says of texts that a decoder writes, or where it is silent
    /// config.json, as in transformers' `generate`.
    func writingRules() throws(GraftError) -> WritingRules {
        var generation = config
        do throws(GraftError) {
            generation = try JSON(contentsOf: path + "/generation_config.json")
        } catch  where error.code == .notFound {}
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
