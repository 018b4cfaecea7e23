public import CGraft
import GraftInference
import GraftTensor
import GraftTokenizers

extension graft_generate_options: OptionStruct {
    static var defaults: Self {
        let defaults = GenerationOptions()
        var options = zero
        for field in fields { field.write(defaults, &options) }
        options.likely_count = -1
        return options
    }

    /// The numbers, each as it is in both.
    private static var fields: [OptionField<Self, GenerationOptions>] {
        [
            OptionField(\.seed, \.seed),
            OptionField(\.maximum_tokens, \.maximumTokens),
            OptionField(\.minimum_tokens, \.minimumTokens),
            OptionField(\.sample_count, \.sampleCount),
            OptionField(\.beam_count, \.beamCount),
            OptionField("early_stopping", \.early_stopping, \.earlyStopping),
            OptionField(\.length_penalty, \.lengthPenalty),
            OptionField(\.no_repeat_ngram_size, \.noRepeatSize),
            OptionField(\.repetition_penalty, \.repetitionPenalty),
            OptionField(\.frequency_penalty, \.frequencyPenalty),
            OptionField(\.presence_penalty, \.presencePenalty),
            OptionField(\.temperature, \.temperature),
            OptionField(\.top_k, \.topK),
            OptionField(\.top_p, \.topP),
            OptionField(\.min_p, \.minP),
            OptionField(\.typical_p, \.typicalP),
            OptionField(\.prompt_lookup_tokens, \.promptLookupTokens),
        ]
    }

    func checked(rowCount: Int) throws(GraftError) -> GenerationOptions {
        var options = GenerationOptions()
        let stopCount = try count(Int64(stop_token_count), "stop_token_count")
        if stop_tokens != nil || stopCount > 0 {
            options.stopTokens = try copied(try array(stop_tokens, count: stopCount, "stop_tokens"), "stop_tokens")
        }
        if let row_seeds {
            options.rowSeeds = try copied(UnsafeBufferPointer(start: row_seeds, count: rowCount), "row_seeds")
        }
        if let constraints {
            for row in 0..<rowCount {
                try Memory.check()
                options.constraints.append(
                    constraints[row] == nil ? nil : try text(constraints[row], "constraints[\(row)]"))
            }
        }
        let strings = try count(Int64(stop_string_count), "stop_string_count")
        options.stopStrings = try texts(stop_strings, count: strings, "stop_strings")
        let biasCount = try count(Int64(bias_count), "bias_count")
        let biased = try copied(try array(bias_tokens, count: biasCount, "bias_tokens"), "bias_tokens")
        let amounts = try array(biases, count: biasCount, "biases")
        options.biases = zip(biased, amounts).map { GenerationOptions.Bias(token: $0, amount: $1) }
        options.likelyCount = likely_count == -1 ? nil : Int(likely_count)
        for field in Self.fields { try field.read(self, &options) }
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
            try session.generate(
                batch.rows, adapters: batch.adapters, options: options, tokenizer: tokenizer,
                report: try tokenReport(on_token, user_data))
        }
    }
}

/// Hands tokens to a callback.
func tokenReport(
    _ callback: graft_token_callback?, _ userData: UnsafeMutableRawPointer?
) throws(GraftError) -> Session.TokenReport {
    guard let callback else {
        throw GraftError(.invalidArgument, "on_token is NULL; expected a function that receives the tokens")
    }
    return { token in token.lend { lent in callBack { callback(userData, lent) == 0 } } }
}

extension NewToken {
    /// The token as C sees it while `body` runs.
    fileprivate func lend(_ body: (UnsafePointer<graft_token>) -> Bool) -> Bool {
        text.withCString { characters in
            (likely?.tokens ?? []).withUnsafeBufferPointer { tokens in
                (likely?.ofTokens ?? []).withUnsafeBufferPointer { logProbabilities in
                    var lent = graft_token()
                    lent.struct_size = MemoryLayout<graft_token>.size
                    lent.row = Int64(row)
                    lent.text = characters
                    lent.size = Int64(text.utf8.count)
                    lent.likely_tokens = tokens.baseAddress
                    lent.likely_log_probabilities = logProbabilities.baseAddress
                    lent.likely_count = Int32(tokens.count)
                    lent.sample = Int32(sample)
                    lent.id = id
                    lent.end = end.rawValue
                    lent.log_probability = logProbability ?? .nan
                    lent.score = score ?? .nan
                    return body(&lent)
                }
            }
        }
    }
}
