import CGraftKernels
import GraftAdapters
import GraftLayers
import GraftTensor
import GraftTokenizers

extension Session {
    /// Receives each new token; false ends its text.
    package typealias TokenReport = (_ token: NewToken) -> Bool

    /// Continues each row to its end.
    package func generate(
        _ batch: RowBatch, adapters: [Composition?], options: GenerationOptions, tokenizer: Tokenizer?,
        report: TokenReport
    ) throws(GraftError) {
        defer { removeAllRows() }
        try add(batch, adapters: adapters, options: options, tokenizer: tokenizer, firstRow: 0)
        while try step(report) > 0 {}
    }

    /// Takes rows whose texts go on with the next step, beside those that are under way; all of
    /// them or none. Their adapters cannot be trained until they end.
    ///
    /// - Parameter firstRow: Under which the first is reported.
    package func add(
        _ batch: RowBatch, adapters: [Composition?], options: GenerationOptions, tokenizer: Tokenizer?, firstRow: Int
    ) throws(GraftError) {
        _ = try LanguageModelHead(model: model)
        try options.check(rowCount: batch.rowCount)
        guard tokenizer != nil || options.stopStrings.isEmpty else {
            throw GraftError(.invalidArgument, "stop_strings need a tokenizer, which makes text of the tokens")
        }
        guard tokenizer != nil || options.constraints.allSatisfy({ $0 == nil }) else {
            throw GraftError(.invalidArgument, "constraints need a tokenizer, which says what the tokens' bytes are")
        }
        try check(batch, adapters)
        let shape = model.shape
        try Memory.require(
            1024 * batch.rowCount * options.sampleCount + 64 * batch.tokenCount + 32 * shape.vocabularySize
                + 32 * (options.likelyCount ?? 0),
            to: "choosing among \(shape.vocabularySize) tokens")
        let batch = try beginnings(of: batch)
        let before = generatedRows.count
        do throws(GraftError) {
            for row in 0..<batch.rowCount {
                let composition = composition(adapters, row)
                try options.check(vocabularySize: model.outputSize(composition?.attached), row: row)
                let prompt = batch.tokens[batch.range(ofRow: row)]
                let place = try ofRow(firstRow + row) { () throws(GraftError) in
                    try self.place(
                        ofRow: row, prompt, options, tokenizer, count: model.outputSize(composition?.attached))
                }
                for sample in 0..<(options.beamCount > 1 ? 1 : options.sampleCount) {
                    try Memory.check()
                    let room = shape.maximumLength - (composition?.attached.virtualCount ?? 0) - prompt.count
                    let start = TextStart(
                        row: row, number: firstRow + row, sample: sample, prompt: prompt,
                        room: min(options.maximumTokens, room), stops: options.stopTokens ?? model.endTokens,
                        rules: model.writing, tokenizer: tokenizer, place: place)
                    guard start.room > 0 else { continue }
                    try begin(start, of: batch, composition, options)
                }
            }
        } catch {
            removeRows { $0 >= before }
            throw error
        }
    }

    /// Where a row's text begins in its constraint.
    ///
    /// - Parameter count: Of the tokens that may come at all.
    private func place(
        ofRow row: Int, _ prompt: ArraySlice<Int32>, _ options: GenerationOptions, _ tokenizer: Tokenizer?, count: Int
    ) throws(GraftError) -> ConstrainedPlace? {
        guard let tokenizer, !options.constraints.isEmpty, let text = options.constraints[row] else { return nil }
        let forbidden = options.biases.filter { $0.amount == -.infinity }.map(\.token)
        let never = (options.stopTokens ?? model.endTokens) + model.writing.banned + forbidden
        let constraint = try constraints.find(text, tokenizer, never: never, count: count)
        return try ConstrainedPlace(constraint, after: model.writing.start == nil ? prompt : [])
    }

    private func begin(
        _ start: TextStart, of batch: RowBatch, _ composition: Composition?, _ options: GenerationOptions
    ) throws(GraftError) {
        let text: any ContinuedText =
            try options.beamCount > 1 ? BeamSearch(start, options) : SampledText(start, options)
        let virtual = (0..<(composition?.attached.virtualCount ?? 0)).map { -1 - Int32($0) }
        let beginning = virtual + start.prompt
        let capacities = Array(repeating: beginning.count + start.room, count: text.rowCount)
        try composition?.beginReading()
        do throws(GraftError) {
            var sourced: RowBatch?
            if batch.sourceRows != nil {
                var own = RowBatch()
                own.append(row: start.row, of: batch)
                sourced = own
            }
            let cacheRows = try cache.add(capacities: capacities)
            generatedRows.append(
                GeneratedRow(
                    number: start.number, composition: composition, text: text, beginning: beginning,
                    sourced: sourced, cacheRows: cacheRows, shape: model.shape))
        } catch {
            composition?.endReading()
            throw error
        }
        if let source = batch.sourceRows {
            try cache.sources?.begin(
                generatedRows[generatedRows.count - 1].cacheRows, length: source.length(ofRow: start.row))
        }
    }

    /// What the rows' texts go on from: the rows, or where an encoder reads these, a decoder's
    /// first token of each.
    private func beginnings(of batch: RowBatch) throws(GraftError) -> RowBatch {
        guard model.decoderTokens != nil else { return batch }
        guard let start = model.writing.start else {
            throw GraftError(
                .unsupported,
                "\(model.source.path): neither generation_config.json nor config.json has decoder_start_token_id: nothing "
                    + "says how a text begins")
        }
        var beginnings = RowBatch()
        try beginnings.beginTargets(of: batch, with: start)
        return beginnings
    }

    /// Chooses a token for each text that is under way, and where it was guessed the one behind it,
    /// and so on; returns how many rows go on. In each step the rows come in their order. After an
    /// error there are none.
    package func step(_ report: TokenReport) throws(GraftError) -> Int {
        do throws(GraftError) {
            try Memory.check()
            try shareBeginnings()
            try advance(report)
        } catch {
            removeAllRows(remembering: false)
            throw error
        }
        return generatedRows.count
    }

    /// Rows whose texts are under way, counted once for each of their samples.
    package var generatedRowCount: Int { generatedRows.count }

    /// Ends the texts of a row.
    package func remove(row number: Int) throws(GraftError) {
        let found = generatedRows.indices.filter { generatedRows[$0].number == number }
        guard !found.isEmpty else {
            throw GraftError(.notFound, "no text of row \(number) is under way: it has ended, or there never was one")
        }
        removeRows { found.contains($0) }
    }

    func removeAllRows(remembering: Bool = true) { removeRows(remembering: remembering) { _ in true } }

    /// - Parameter remembering: Not after an error, which may leave them in the middle of a step.
    private func removeRows(remembering: Bool = true, where isRemoved: (Int) -> Bool) {
        var left: [GeneratedRow] = []
        for (index, row) in generatedRows.enumerated() {
            guard isRemoved(index) else {
                left.append(row)
                continue
            }
            if remembering { remember(row) }
            for cacheRow in row.cacheRows { cache.remove(cacheRow) }
            row.composition?.endReading()
        }
        generatedRows = left
    }

    /// Keeps what the cache holds of a row for others that begin alike.
    private func remember(_ row: GeneratedRow) {
        // What a decoder's keys say depends on the source, too.
        if row.sourced != nil { return }
        for (index, cacheRow) in row.cacheRows.prefix(row.activeCount).enumerated() {
            let tokens =
                row.hasBegun ? row.beginning.prefix(row.virtualCount) + row.text.tokens(ofRow: index) : row.beginning
            cache.remember(tokens, owner: row.owner, ofRow: cacheRow)
        }
    }

    // MARK: Prompts

    /// Gives each new row the keys and values that are known of its prompt. What several of them
    /// begin with alike goes through the model once.
    private func shareBeginnings() throws(GraftError) {
        let new = generatedRows.indices.filter { !generatedRows[$0].hasBegun && generatedRows[$0].sourced == nil }
        if new.isEmpty { return }
        // Those that begin alike are neighbours.
        let sorted = new.sorted { one, other in
            let (first, second) = (generatedRows[one], generatedRows[other])
            if first.owner != second.owner { return first.owner.lexicographicallyPrecedes(second.owner) }
            return first.beginning.lexicographicallyPrecedes(second.beginning)
        }
        func alike(_ one: Int, _ other: Int) -> Int {
            guard generatedRows[one].owner == generatedRows[other].owner else { return 0 }
            return zip(generatedRows[one].beginning, generatedRows[other].beginning).prefix { $0 == $1 }.count
        }
        for (place, index) in sorted.enumerated() {
            let row = generatedRows[index]
            // The last token goes through the model in any case: its logits are wanted.
            let most = row.beginning.count - 1
            generatedRows[index].heldCount = cache.find(
                row.beginning.prefix(most), owner: row.owner, least: row.virtualCount + 1, forRow: row.cacheRows[0])
            var shared = place > 0 ? alike(index, sorted[place - 1]) : 0
            if place + 1 < sorted.count { shared = max(shared, alike(index, sorted[place + 1])) }
            let end = min(shared, most) / KeyValueCache.pageLength * KeyValueCache.pageLength
            if end > max(generatedRows[index].heldCount, row.virtualCount) { try run(index, upTo: end) }
        }
    }

    /// Puts a prompt's tokens up to one through the model, and nothing else.
    private func run(_ index: Int, upTo end: Int) throws(GraftError) {
        let row = generatedRows[index]
        var tokens = RowBatch()
        generatedRows[index].append(to: &tokens, upTo: end, shape: model.shape, cache: cache)
        try eachPass(
            tokens, reading: .last, cache: cache, cacheRow: { _ in row.cacheRows[0] }, adapter: { _ in row.adapter }
        ) { _, _ throws(GraftError) in
            _ = try model.forward(pass)
            cache.advance(pass)
        }
        generatedRows[index].heldCount = end
        cache.remember(Array(row.beginning.prefix(end)), owner: row.owner, ofRow: row.cacheRows[0])
    }

    // MARK: Steps

    /// A row of the cache in a step.
    private struct Place {
        /// Of the generated row, and among its rows of the cache.
        let row: Int
        let index: Int
        let cacheRow: Int
        /// Tokens that go through the model behind the one that is known.
        let guess: [Int32]
    }

    private func advance(_ report: TokenReport) throws(GraftError) {
        var ended: Set<Int> = []
        // An encoder reads for all rows of a pass, or for none. Those that it reads for are the
        // latest.
        func readsSource(_ index: Int) -> Bool { generatedRows[index].sourced != nil && !generatedRows[index].hasBegun }
        try advance(generatedRows.indices.filter { !readsSource($0) }, &ended, report)
        try advance(generatedRows.indices.filter(readsSource), &ended, report)
        for index in generatedRows.indices where !ended.contains(index) {
            let row = generatedRows[index]
            if !row.hasBegun {
                generatedRows[index].heldCount = row.beginning.count
                remember(row)
            }
            if let origins = row.text.origins { cache.reorder(row.cacheRows, from: origins) }
        }
        if !ended.isEmpty { removeRows { ended.contains($0) } }
    }

    /// The same for some rows; adds those that end.
    private func advance(_ rows: [Int], _ ended: inout Set<Int>, _ report: TokenReport) throws(GraftError) {
        if rows.isEmpty { return }
        let head = try LanguageModelHead(model: model)
        var tokens = RowBatch()
        var places: [Place] = []
        for index in rows {
            let guesses = generatedRows[index].append(to: &tokens, shape: model.shape, cache: cache)
            let row = generatedRows[index]
            for (active, guess) in guesses.enumerated() {
                places.append(Place(row: index, index: active, cacheRow: row.cacheRows[active], guess: guess))
            }
        }
        let guesses = places.contains { !$0.guess.isEmpty }
        func adapter(_ place: Int) -> AttachedAdapter? { generatedRows[places[place].row].adapter }
        try eachPass(
            tokens, reading: guesses ? nil : .last, cache: cache, cacheRow: { places[$0].cacheRow }, adapter: adapter
        ) { first, count throws(GraftError) in
            let hidden = try model.forward(pass)
            cache.advance(pass)
            let reads = try reads(places[first..<first + count])
            var unread = -1
            try head.eachChunk(
                of: UnsafeBufferPointer(start: reads.tokens, count: reads.rows.count), batchFirst: first, hidden.matrix,
                pass: pass
            ) { chunk throws(GraftError) in
                let read = try pass.scratch.allocate(gk_logit_row.self, count: chunk.range.count)
                for (index, chosen) in chunk.range.enumerated() {
                    let row = reads.rows[chosen].row
                    read[index] = gk_logit_row(
                        z: chunk.logits.base + index * chunk.logits.stride,
                        n: Int64(model.outputSize(adapter(row))),
                        reading: Int32(generatedRows[places[row].row].text.reading.rawValue), padding: 0, largest: 0,
                        log_sum: 0)
                }
                gk_read_logits(pass.team.kernel, Int64(chunk.range.count), read)
                for (index, chosen) in chunk.range.enumerated() {
                    let (row, guess) = reads.rows[chosen]
                    guard row != unread else { continue }
                    let place = places[row]
                    let goesOn = try take(read[index], place, report)
                    if !goesOn { ended.insert(place.row) }
                    let latest = generatedRows[place.row].text.tokens(ofRow: place.index).last
                    if !goesOn || guess != latest { unread = row }
                }
            }
            for place in places[first..<first + count] where !place.guess.isEmpty { forgetWrong(place) }
        }
    }

    /// The last token of each row of a pass that is known, and those guessed behind it: their
    /// places among the hidden states, and for each its row and the token that is guessed to
    /// follow.
    private func reads(
        _ places: ArraySlice<Place>
    ) throws(GraftError) -> (tokens: UnsafeMutablePointer<Int32>, rows: [(row: Int, guess: Int32?)]) {
        var rows: [(row: Int, guess: Int32?)] = []
        let tokens = try pass.scratch.allocate(Int32.self, count: places.reduce(0) { $0 + 1 + $1.guess.count })
        for (own, row) in places.indices.enumerated() {
            let guess = places[row].guess
            let end = pass.readsOneToken ? own + 1 : Int(pass.starts[own + 1])
            for index in 0...guess.count {
                tokens[rows.count] = Int32(end - 1 - guess.count + index)
                rows.append((row, index < guess.count ? guess[index] : nil))
            }
        }
        return (tokens, rows)
    }

    /// Leaves in the cache what a row has but its latest token, without wrong guesses.
    private func forgetWrong(_ place: Place) {
        let row = generatedRows[place.row]
        cache.shorten(place.cacheRow, to: row.virtualCount + row.text.tokens(ofRow: place.index).count - 1)
    }

    private func take(
        _ read: gk_logit_row, _ place: Place, _ report: TokenReport
    ) throws(GraftError) -> Bool {
        let row = generatedRows[place.row]
        let logits = ReadLogits(numbers: Logits(start: read.z, count: Int(read.n)), logSum: read.log_sum)
        return try ofRow(row.number) { () throws(GraftError) in
            try TokenSampler.finite(read.largest < 0 ? nil : Int(read.largest), of: logits.numbers)
            return try row.text.read(logits, ofRow: place.index, likely: &likely, report: report)
        }
    }
}
