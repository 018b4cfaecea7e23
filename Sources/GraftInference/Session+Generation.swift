import GraftAdapters
import GraftLayers
import GraftTensor
import GraftTokenizers

extension Session {
    /// Receives one token of a row and the text it adds; false ends the row.
    package typealias TokenReport = (_ row: Int, _ token: Int32, _ text: String) -> Bool

    /// A row whose text goes on.
    private struct Row {
        var sampler: TokenSampler
        var stream: TextStream?
        /// Tokens that may still come.
        var left: Int
        /// The latest token, which has not been through the model.
        var latest: Int32 = 0
        var isFirst = true
    }

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
        try check(batch, adapters)
        let batch = try beginnings(of: batch)
        try Memory.require(
            64 * batch.rowCount + 32 * shape.vocabularySize, to: "choosing among \(shape.vocabularySize) tokens")
        func virtualCount(_ row: Int) -> Int { adapter(adapters, row)?.virtualCount ?? 0 }
        var rows: [Row] = []
        for row in 0..<batch.rowCount {
            try Memory.check()
            let prompt = batch.tokens[Int(batch.starts[row])..<Int(batch.starts[row + 1])]
            let seed = options.rowSeeds.isEmpty ? options.seed : options.rowSeeds[row]
            rows.append(
                Row(
                    sampler: TokenSampler(options, seed: seed, prompt: prompt),
                    stream: try tokenizer.map { tokenizer throws(GraftError) in
                        try TextStream(tokenizer, after: model.decoderTokens == nil ? prompt : [])
                    },
                    left: min(options.maximumTokens, shape.maximumLength - virtualCount(row) - prompt.count)))
        }
        try cache.begin(
            capacities: rows.indices.map { virtualCount($0) + batch.length(ofRow: $0) + rows[$0].left })
        let stops = Set(options.stopTokens ?? model.endTokens)

        /// Runs the tokens of some rows, chooses a token for each, and returns the rows that go on.
        func step(_ tokens: RowBatch, of active: [Int]) throws(GraftError) -> [Int] {
            var going: [Int] = []
            try eachPass(
                tokens, reading: .last, cache: cache, cacheRow: { active[$0] },
                adapter: { adapter(adapters, active[$0]) }
            ) { first, count throws(GraftError) in
                let hidden = try model.forward(pass)
                cache.advance(pass)
                let all = try pass.scratch.allocate(Int32.self, count: count)
                for row in 0..<count { all[row] = Int32(row) }
                try head.eachChunk(
                    of: UnsafeBufferPointer(start: all, count: count), batchFirst: first, hidden.matrix, pass: pass
                ) { chunk throws(GraftError) in
                    for (index, chosen) in chunk.range.enumerated() {
                        let row = active[first + chosen]
                        let logits = UnsafeMutableBufferPointer(
                            start: chunk.logits.base + index * chunk.logits.stride,
                            count: model.outputSize(adapter(adapters, row)))
                        if try advance(&rows[row], row, logits, stops: stops, report) { going.append(row) }
                    }
                }
            }
            return going
        }

        var active = rows.indices.filter { rows[$0].left > 0 }
        var tokens = RowBatch()
        for row in active { tokens.append(row: row, of: batch) }
        while !active.isEmpty {
            try Memory.check()
            active = try step(tokens, of: active)
            tokens.removeAll()
            for row in active { tokens.append(tokens: CollectionOfOne(rows[row].latest), types: nil as [Int32]?) }
        }
    }

    /// What the rows' texts go on from: the rows, or where an encoder reads these, a decoder's first
    /// token of each.
    private func beginnings(of batch: RowBatch) throws(GraftError) -> RowBatch {
        guard model.decoderTokens != nil else { return batch }
        guard let start = model.writing.start else {
            throw GraftError(
                .unsupported,
                "\(model.source.path): neither generation_config.json nor config.json has decoder_start_token_id: nothing "
                    + "says how a text begins")
        }
        try cache.sources?.begin(lengths: (0..<batch.rowCount).map { batch.length(ofRow: $0) })
        var beginnings = RowBatch()
        try beginnings.beginTargets(of: batch, with: start)
        return beginnings
    }

    /// Chooses and reports a row's next token; false where it was the last.
    private func advance(
        _ row: inout Row, _ number: Int, _ logits: UnsafeMutableBufferPointer<Float>, stops: Set<Int32>,
        _ report: TokenReport
    ) throws(GraftError) -> Bool {
        model.writing.rule(logits, isFirst: row.isFirst, isLast: row.left == 1)
        row.isFirst = false
        let token: Int32
        do throws(GraftError) {
            token = try row.sampler.next(logits)
        } catch {
            throw GraftError(error.code, "row \(number): \(error.message)")
        }
        row.latest = token
        row.left -= 1
        let isStop = stops.contains(token)
        var text = isStop ? "" : try row.stream?.append(token) ?? ""
        if isStop || row.left == 0 { text += try row.stream?.finish() ?? "" }
        return report(number, token, text) && !isStop && row.left > 0
    }
}
