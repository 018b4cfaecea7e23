public import CGraft
import GraftInference
import GraftTensor
import GraftTokenizers

extension graft_generate_options: OptionStruct {
    static var defaults: Self {
        let defaults = GenerationOptions()
        var options = zero
        options.seed = defaults.seed
        options.maximum_tokens = Int32(defaults.maximumTokens)
        options.repetition_penalty = defaults.repetitionPenalty
        options.temperature = defaults.temperature
        options.top_k = Int32(defaults.topK)
        options.top_p = defaults.topP
        return options
    }

    fileprivate func checked(rowCount: Int) throws(GraftError) -> GenerationOptions {
        var options = GenerationOptions()
        let stopCount = try count(Int64(stop_token_count), "stop_token_count")
        if stop_tokens != nil || stopCount > 0 {
            options.stopTokens = try copied(try array(stop_tokens, count: stopCount, "stop_tokens"), "stop_tokens")
        }
        if let row_seeds {
            options.rowSeeds = try copied(UnsafeBufferPointer(start: row_seeds, count: rowCount), "row_seeds")
        }
        options.seed = seed
        options.maximumTokens = Int(maximum_tokens)
        options.repetitionPenalty = repetition_penalty
        options.temperature = temperature
        options.topK = Int(top_k)
        options.topP = top_p
        return options
    }
}

@c @implementation
public func graft_generate_options_init(
    _ options: UnsafeMutablePointer<graft_generate_options>?, _ struct_size: Int
) {
    graft_generate_options.initialize(options, size: struct_size)
}

@c @implementation
public func graft_session_generate(
    _ session: OpaquePointer?, _ tokenizer: OpaquePointer?, _ batch: OpaquePointer?,
    _ options: UnsafePointer<graft_generate_options>?, _ on_token: graft_token_callback?,
    _ user_data: UnsafeMutableRawPointer?
) -> graft_status {
    call { () throws(GraftError) in
        try HandleTable.with(session, Session.self, "session", .changes) { session throws(GraftError) in
            let tokenizer = try HandleTable.borrowOptional(tokenizer, Tokenizer.self, "tokenizer")
            let batch = try HandleTable.borrow(batch, BatchHandle.self, "batch").content
            let options = try graft_generate_options.read(options, "options").checked(rowCount: batch.rows.rowCount)
            guard let on_token else {
                throw GraftError(.invalidArgument, "on_token is NULL; expected a function that receives the tokens")
            }
            try session.generate(batch.rows, adapters: batch.adapters, options: options, tokenizer: tokenizer) {
                row, token, text in
                text.withCString { characters in
                    callBack { on_token(user_data, Int64(row), token, characters, Int64(text.utf8.count)) == 0 }
                }
            }
        }
    }
}
