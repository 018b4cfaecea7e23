public import CGraft
import GraftInference
import GraftLayers
import GraftTensor
import GraftTokenizers

/// Rows as C programs hold them, with the adapters that single rows name.
///
/// A call works on the content that it found, whatever another changes meanwhile.
final class BatchHandle: @unchecked Sendable {
    struct Content {
        var rows: RowBatch
        var adapters: [Composition?] = []
    }

    private let guarded: Guarded<Content>
    /// The row starts as C reads them.
    let starts: Memory

    var content: Content { guarded.withLock { $0 } }

    func change(_ body: (inout Content) -> Void) { guarded.withLock { body(&$0) } }

    init(_ rows: RowBatch) throws(GraftError) {
        guarded = Guarded(Content(rows: rows))
        starts = try Memory(byteCount: rows.starts.count * 8)
        starts.base.assumingMemoryBound(to: Int64.self).update(from: rows.starts, count: rows.starts.count)
    }
}

/// Rows to train or evaluate on.
final class DatasetHandle: @unchecked Sendable {
    private let guarded = Guarded(RowBatch())

    var rows: RowBatch { guarded.withLock { $0 } }

    /// Adds all of a batch's rows, or none.
    func append(_ batch: RowBatch) throws(GraftError) {
        try guarded.withLock { rows throws(GraftError) in
            if batch.rowCount > 0 && rows.rowCount > 0 {
                for kind in ColumnKind.all { try checkAgreement(kind, batch.column(kind), rows.column(kind)) }
                try checkTargets(batch.targetRows, rows.targetRows)
            }
            // All memory is taken first: what follows cannot fail.
            try rows.reserve(for: batch)
            if rows.rowCount == 0 {
                rows.origin = batch.origin
            } else if batch.rowCount > 0 {
                rows.origin.add(batch.origin)
            }
            for row in 0..<batch.rowCount { rows.append(row: row, of: batch) }
        }
    }
}

/// Rows that one batch may have.
private let maximumRows: Int64 = 1 << 31

@c @implementation
public func graft_batch_encode(
    _ tokenizer: OpaquePointer?, _ texts: UnsafePointer<UnsafePointer<CChar>?>?,
    _ pairs: UnsafePointer<UnsafePointer<CChar>?>?, _ row_count: Int64,
    _ options: UnsafePointer<graft_encode_options>?, _ out: UnsafeMutablePointer<OpaquePointer?>?
) -> graft_status {
    create(out) { () throws(GraftError) in
        let tokenizer = try HandleTable.borrow(tokenizer, Tokenizer.self, "tokenizer")
        let given = try graft_encode_options.read(options, "options")
        let options = try given.checked()
        let keepsWords = try flag(given.keep_words, "keep_words")
        let count = try count(row_count, "row_count", atMost: maximumRows)
        let texts = try array(texts, count: count, "texts")
        if pairs == nil && given.pair_sizes != nil {
            throw GraftError(.invalidArgument, "options: pair_sizes are set, and pairs is NULL")
        }
        var rows = RowBatch()
        rows.origin.maximumLength = tokenizer.maximumLength(options)
        rows.origin.isChosen = options.shortening != .declared
        var words: [Int32] = []
        for row in 0..<count {
            try Memory.check()
            let text = try bytes(texts[row], size: given.text_sizes.map { $0 + row }, "texts[\(row)]")
            var pair: UnsafeBufferPointer<UInt8>?
            if let pairs {
                pair = try bytes(pairs[row], size: given.pair_sizes.map { $0 + row }, "pairs[\(row)]")
            }
            let encoding = try ofRow(row) { () throws(GraftError) in
                try tokenizer.encode(text, pair: pair, options)
            }
            guard encoding.count > 0 else {
                throw GraftError(.invalidArgument, "row \(row): the text has no tokens; expected at least 1")
            }
            rows.append(tokens: encoding.ids, types: encoding.typeIDs)
            if keepsWords { words.append(contentsOf: encoding.dividedWordIDs(in: text, pair: pair)) }
            rows.origin.truncatedRowCount += encoding.isTruncated ? 1 : 0
            rows.origin.unknownTokenCount += encoding.unknownCount
        }
        if keepsWords { rows.set(.tokenWords, words) }
        return try BatchHandle(rows)
    }
}

@c @implementation
public func graft_batch_create(
    _ tokens: UnsafePointer<Int32>?, _ type_ids: UnsafePointer<Int32>?, _ lengths: UnsafePointer<Int32>?,
    _ row_count: Int64, _ out: UnsafeMutablePointer<OpaquePointer?>?
) -> graft_status {
    create(out) { () throws(GraftError) in
        let count = try count(row_count, "row_count", atMost: maximumRows)
        let lengths = try array(lengths, count: count, "lengths")
        var total = 0
        for (row, length) in lengths.enumerated() {
            guard length > 0 else {
                throw GraftError(.invalidArgument, "lengths[\(row)] must be at least 1, found \(length)")
            }
            total += Int(length)
        }
        let tokens = try array(tokens, count: total, "tokens")
        var rows = RowBatch()
        try rows.reserve(rowCount: count, tokenCount: total)
        var first = 0
        for length in lengths {
            let end = first + Int(length)
            rows.append(
                tokens: tokens[first..<end],
                types: type_ids.map { UnsafeBufferPointer(start: $0 + first, count: Int(length)) })
            first = end
        }
        return try BatchHandle(rows)
    }
}

@c @implementation
public func graft_batch_retain(_ batch: OpaquePointer?) -> graft_status {
    retain(batch, BatchHandle.self, "batch")
}

@c @implementation
public func graft_batch_release(_ batch: OpaquePointer?) {
    HandleTable.release(batch, BatchHandle.self, givesBack: false)
}

@c @implementation
public func graft_batch_row_count(_ batch: OpaquePointer?) -> Int64 {
    HandleTable.peek(batch, BatchHandle.self).map { Int64($0.content.rows.rowCount) } ?? -1
}

@c @implementation
public func graft_batch_token_count(_ batch: OpaquePointer?) -> Int64 {
    HandleTable.peek(batch, BatchHandle.self).map { Int64($0.content.rows.tokenCount) } ?? -1
}

@c @implementation
public func graft_batch_maximum_length(_ batch: OpaquePointer?) -> Int32 { length(origin(batch)) }

@c @implementation
public func graft_batch_truncated_row_count(_ batch: OpaquePointer?) -> Int64 {
    origin(batch).map { Int64($0.truncatedRowCount) } ?? -1
}

@c @implementation
public func graft_batch_unknown_token_count(_ batch: OpaquePointer?) -> Int64 {
    origin(batch).map { Int64($0.unknownTokenCount) } ?? -1
}

private func origin(_ batch: OpaquePointer?) -> RowOrigin? {
    HandleTable.peek(batch, BatchHandle.self)?.content.rows.origin
}

/// 0 without a limit, -1 without rows to have one.
private func length(_ origin: RowOrigin?) -> Int32 {
    origin.map { Int32(clamping: $0.maximumLength ?? 0) } ?? -1
}

@c @implementation
public func graft_batch_row_starts(_ batch: OpaquePointer?) -> UnsafePointer<Int64>? {
    HandleTable.peek(batch, BatchHandle.self).map { UnsafePointer($0.starts.base.assumingMemoryBound(to: Int64.self)) }
}

@c @implementation
public func graft_batch_set_integers(
    _ batch: OpaquePointer?, _ column: UnsafePointer<CChar>?, _ values: UnsafePointer<Int32>?, _ count: Int64,
    _ width: Int32
) -> graft_status {
    setColumn(batch, column, .integers, values, count, width) { Column($0, integers: $1, width: $2) }
}

@c @implementation
public func graft_batch_set_floats(
    _ batch: OpaquePointer?, _ column: UnsafePointer<CChar>?, _ values: UnsafePointer<Float>?, _ count: Int64,
    _ width: Int32
) -> graft_status {
    setColumn(batch, column, .floats, values, count, width) { Column($0, floats: $1, width: $2) }
}

private func setColumn<Number>(
    _ batch: OpaquePointer?, _ column: UnsafePointer<CChar>?, _ numbers: ColumnKind.Numbers,
    _ values: UnsafePointer<Number>?, _ count: Int64, _ width: Int32,
    _ make: (ColumnKind, [Number], Int) -> Column
) -> graft_status {
    call { () throws(GraftError) in
        let batch = try HandleTable.borrow(batch, BatchHandle.self, "batch")
        let name = try text(column, "column")
        guard let kind = ColumnKind.named(name) else {
            throw GraftError(
                .notFound, "column \"\(name)\"; this build has \(ColumnKind.all.map(\.name).joined(separator: ", "))")
        }
        guard kind.numbers == numbers else {
            throw GraftError(.invalidArgument, "column \"\(name)\" has \(kind.numbers), found \(numbers)")
        }
        guard width >= 1, width <= 1 << 20 else {
            throw GraftError(.invalidArgument, "width must be 1 to 1048576, found \(width)")
        }
        let expected = try batch.checked(count, of: kind.unit)
        let values = try copied(try array(values, count: expected * Int(width), "values"), "values")
        let new = make(kind, values, Int(width))
        batch.change { [new] in $0.rows.set(new) }
    }
}

@c @implementation
public func graft_batch_set_targets(_ batch: OpaquePointer?, _ targets: OpaquePointer?) -> graft_status {
    call { () throws(GraftError) in
        let batch = try HandleTable.borrow(batch, BatchHandle.self, "batch")
        let targets = try HandleTable.borrow(targets, BatchHandle.self, "targets").content.rows
        let count = batch.content.rows.rowCount
        guard targets.rowCount == count else {
            throw GraftError(.invalidArgument, "targets has \(targets.rowCount) rows; the batch has \(count)")
        }
        // Of a batch that is its own target, only what it was before.
        batch.change { [targets] in $0.rows.set(targets: targets) }
    }
}

@c @implementation
public func graft_batch_set_adapters(
    _ batch: OpaquePointer?, _ rows: UnsafePointer<OpaquePointer?>?, _ count: Int64
) -> graft_status {
    call { () throws(GraftError) in
        let batch = try HandleTable.borrow(batch, BatchHandle.self, "batch")
        var adapters: [Composition?] = []
        for (row, handle) in try array(rows, count: try batch.checked(count, of: .rows), "rows").enumerated() {
            try Memory.check()
            let own = try HandleTable.borrowOptional(handle, CompositionHandle.self, "rows[\(row)]")
            adapters.append(own?.composition)
        }
        batch.change { [adapters] in $0.adapters = adapters }
    }
}

extension BatchHandle {
    fileprivate func checked(_ count: Int64, of unit: ColumnKind.Unit) throws(GraftError) -> Int {
        let expected = content.rows.count(unit)
        guard count == Int64(expected) else {
            throw GraftError(.invalidArgument, "count is \(count); the batch has \(expected) \(unit)")
        }
        return expected
    }
}

@c @implementation
public func graft_dataset_create(_ out: UnsafeMutablePointer<OpaquePointer?>?) -> graft_status {
    create(out) { DatasetHandle() }
}

@c @implementation
public func graft_dataset_append(_ dataset: OpaquePointer?, _ batch: OpaquePointer?) -> graft_status {
    call { () throws(GraftError) in
        let dataset = try HandleTable.borrow(dataset, DatasetHandle.self, "dataset")
        try dataset.append(try HandleTable.borrow(batch, BatchHandle.self, "batch").content.rows)
    }
}

/// As columns: all rows have targets, or none.
private func checkTargets(_ added: RowBatch?, _ known: RowBatch?) throws(GraftError) {
    guard (added == nil) == (known == nil) else {
        throw GraftError(
            .incompatible,
            "the batch \(added == nil ? "has no" : "has") targets and the data set's rows have "
                + (known == nil ? "none" : "some"))
    }
    guard let added, let known else { return }
    try checkAgreement(.tokenLabels, added.column(.tokenLabels), known.column(.tokenLabels))
}

/// A column that only some rows of a data set have would be nobody's.
private func checkAgreement(_ kind: ColumnKind, _ added: Column?, _ known: Column?) throws(GraftError) {
    guard (added == nil) == (known == nil) else {
        throw GraftError(
            .incompatible,
            "the batch \(added == nil ? "has no" : "has") \(kind.name) and the data set's rows have "
                + (known == nil ? "none" : "some"))
    }
    guard let added, let known, added.width != known.width else { return }
    throw GraftError(
        .incompatible, "\(kind.name) of the batch has width \(added.width), that of the data set's rows \(known.width)")
}

@c @implementation
public func graft_dataset_row_count(_ dataset: OpaquePointer?) -> Int64 {
    HandleTable.peek(dataset, DatasetHandle.self).map { Int64($0.rows.rowCount) } ?? -1
}

@c @implementation
public func graft_dataset_retain(_ dataset: OpaquePointer?) -> graft_status {
    retain(dataset, DatasetHandle.self, "dataset")
}

@c @implementation
public func graft_dataset_token_count(_ dataset: OpaquePointer?) -> Int64 {
    HandleTable.peek(dataset, DatasetHandle.self).map { Int64($0.rows.tokenCount) } ?? -1
}

@c @implementation
public func graft_dataset_maximum_length(_ dataset: OpaquePointer?) -> Int32 {
    length(HandleTable.peek(dataset, DatasetHandle.self)?.rows.origin)
}

@c @implementation
public func graft_dataset_truncated_row_count(_ dataset: OpaquePointer?) -> Int64 {
    HandleTable.peek(dataset, DatasetHandle.self).map { Int64($0.rows.origin.truncatedRowCount) } ?? -1
}

@c @implementation
public func graft_dataset_unknown_token_count(_ dataset: OpaquePointer?) -> Int64 {
    HandleTable.peek(dataset, DatasetHandle.self).map { Int64($0.rows.origin.unknownTokenCount) } ?? -1
}

@c @implementation
public func graft_dataset_release(_ dataset: OpaquePointer?) { HandleTable.release(dataset, DatasetHandle.self) }
