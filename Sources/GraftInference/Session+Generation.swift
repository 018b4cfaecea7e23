import GraftAdapters
import GraftLayers
import GraftTensor
import GraftTokenizers

extension Session {
    /// Receives each new token; false ends its row.
    package typealias TokenReport = (_ token: NewToken) -> Bool

    /// Continues each row: its prompt goes through the model once, then each new token alone,
    /// beside the keys and values that a cache holds of those before it. A row's tokens do not
    /// depend on the other rows.
    package func generate(
        _ batch: RowBatch, adapters: [Composition?], options: GenerationOptions, tokenizer: Tokenizer?,
        report: TokenReport
    ) throws(GraftError) {
        try reading(adapters) { () throws(GraftError) in
            try run(batch, adapters: adapters, options: options, tokenizer: tokenizer, report: report)
        }
    }

    private func run(
        _ batch: RowBatch, adapters: [Composition?], options: GenerationOptions, tokenizer: Tokenizer?,
        report: TokenReport
    ) throws(GraftError) {
        let head = try LanguageModelHead(model: model)
        let shape = model.shape
        try options.check(rowCount: batch.rowCount)
        guard tokenizer != nil || options.stopStrings.isEmpty else {
            throw GraftError(.invalidArgument, "stop_strings need a tokenizer, which makes text of the tokens")
        }
        try check(batch, adapters)
        let batch = try beginnings(of: batch, copies: options.sampleCount)
        let samples = options.sampleCount
        let likelyCount = options.likelyCount ?? 0
        try Memory.require(
            256 * batch.rowCount * samples + 32 * shape.vocabularySize + 32 * likelyCount,
            to: "choosing among \(shape.vocabularySize) tokens")
        func adapter(_ text: Int) -> AttachedAdapter? { self.adapter(adapters, text / samples) }
        func virtualCount(_ text: Int) -> Int { adapter(text)?.virtualCount ?? 0 }
        let stops = Set(options.stopTokens ?? model.endTokens)
        var texts: [GenerationRow] = []
        for text in 0..<batch.rowCount * samples {
            try Memory.check()
            let row = text / samples
            try options.check(vocabularySize: model.outputSize(adapter(text)), row: row)
            let room = shape.maximumLength - virtualCount(text) - batch.length(ofRow: row)
            texts.append(
                try GenerationRow(
                    row: row, sample: text % samples, prompt: batch.tokens[batch.range(ofRow: row)], room: room,
                    stops: stops, rules: model.writing, options: options, tokenizer: tokenizer))
        }
        try cache.begin(
            capacities: texts.indices.map { virtualCount($0) + batch.length(ofRow: $0 / samples) + texts[$0].left })
        var likely = options.likelyCount.map(LogProbabilities.init)

        /// Runs the tokens of some texts, chooses a token for each, and returns the texts that go
        /// on.
        func step(_ tokens: RowBatch, of active: [Int]) throws(GraftError) -> [Int] {
            var going: [Int] = []
            try eachPass(
                tokens, reading: .last, cache: cache, cacheRow: { active[$0] }, adapter: { adapter(active[$0]) }
            ) { first, count throws(GraftError) in
                let hidden = try model.forward(pass)
                cache.advance(pass)
                let all = try pass.scratch.allocate(Int32.self, count: count)
                for row in 0..<count { all[row] = Int32(row) }
                try head.eachChunk(
                    of: UnsafeBufferPointer(start: all, count: count), batchFirst: first, hidden.matrix, pass: pass
                ) { chunk throws(GraftError) in
                    for (index, chosen) in chunk.range.enumerated() {
                        let text = active[first + chosen]
                        let logits = UnsafeMutableBufferPointer(
                            start: chunk.logits.base + index * chunk.logits.stride,
                            count: model.outputSize(adapter(text)))
                        let token = try texts[text].advance(logits, likely: &likely)
                        if report(token), token.end == .none { going.append(text) }
                    }
                }
            }
            return going
        }

        var active = texts.indices.filter { texts[$0].left > 0 }
        var tokens = RowBatch()
        for text in active { tokens.append(row: text / samples, of: batch) }
        while !active.isEmpty {
            try Memory.check()
            active = try step(tokens, of: active)
            tokens.removeAll()
            for text in active { tokens.append(tokens: CollectionOfOne(texts[text].latest), types: nil as [Int32]?) }
        }
    }

    /// What the rows' texts go on from: the rows, or where an encoder reads these, a decoder's first
    /// token of each.
    ///
    /// - Parameter copies: How many texts go on from a row.
    private func beginnings(of batch: RowBatch, copies: Int) throws(GraftError) -> RowBatch {
        guard model.decoderTokens != nil else { return batch }
        guard let start = model.writing.start else {
            throw GraftError(
                .unsupported,
                "\(model.source.path): neither generation_config.json nor config.json has decoder_start_token_id: nothing "
                    + "says how a text begins")
        }
        try cache.sources?.begin(lengths: (0..<batch.rowCount * copies).map { batch.length(ofRow: $0 / copies) })
        var beginnings = RowBatch()
        try beginnings.beginTargets(of: batch, with: start)
        return beginnings
    }
}
