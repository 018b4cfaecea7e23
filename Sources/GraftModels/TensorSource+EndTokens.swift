import GraftFormats
import GraftTensor

extension TensorSource {
    /// Tokens that end a text: generation_config.json goes before config.json, as in transformers'
    /// `generate`, and `usual` is the architecture's where neither says any.
    func endTokens(usual: Int32?) throws(GraftError) -> [Int32] {
        do throws(GraftError) {
            let generation = try JSON(contentsOf: path + "/generation_config.json")
            if let tokens = try endTokens(generation) { return tokens }
        } catch  where error.code == .notFound {}
        return try endTokens(config) ?? (config["eos_token_id"] == nil ? usual.map { [$0] } ?? [] : [])
    }

    /// `eos_token_id`, a number or a list; nil where it is missing or null.
    private func endTokens(_ config: JSON) throws(GraftError) -> [Int32]? {
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
}
