import GraftTensor

/// Rows of tokens, end to end without padding, each token with a segment type, and what columns say
/// of them.
package struct RowBatch: Sendable {
    package internal(set) var tokens: [Int32] = []
    package internal(set) var types: [Int32] = []
    /// First token of each row, and the token count: rowCount + 1 numbers.
    package internal(set) var starts: [Int64] = [0]
    /// Each whole, once all rows are there.
    package internal(set) var columns: [Column] = []
    /// Of all rows together.
    package var origin = RowOrigin()
    /// See `targetRows` and `sourceRows`: one batch or none, since a struct cannot hold itself.
    private var targets: [RowBatch] = []
    private var sources: [RowBatch] = []

    package init() {}

    package var rowCount: Int { starts.count - 1 }
    package var tokenCount: Int { tokens.count }

    /// What each row should become, where rows are what an encoder reads.
    package var targetRows: RowBatch? { Self.covering(targets, rowCount) }

    /// What an encoder reads for each row, where rows are a decoder's.
    package var sourceRows: RowBatch? { Self.covering(sources, rowCount) }

    private static func covering(_ others: [RowBatch], _ rowCount: Int) -> RowBatch? {
        others.first.flatMap { $0.rowCount == rowCount && rowCount > 0 ? $0 : nil }
    }

    /// One for each row.
    package mutating func set(targets rows: RowBatch) {
        var rows = rows
        rows.targets = []
        targets = [rows]
    }

    package func length(ofRow row: Int) -> Int { Int(starts[row + 1] - starts[row]) }

    /// The row's tokens.
    package func range(ofRow row: Int) -> Range<Int> { Int(starts[row])..<Int(starts[row + 1]) }

    /// What of a column belongs to the row: its tokens, or itself.
    package func range(ofRow row: Int, in unit: ColumnKind.Unit) -> Range<Int> {
        unit == .rows ? row..<row + 1 : range(ofRow: row)
    }

    /// Adds a row; without types, all are 0.
    package mutating func append(tokens row: some Collection<Int32>, types rowTypes: (some Collection<Int32>)?) {
        tokens.append(contentsOf: row)
        if let rowTypes {
            types.append(contentsOf: rowTypes)
        } else {
            types.append(contentsOf: repeatElement(0, count: row.count))
        }
        starts.append(Int64(tokens.count))
    }

    /// Adds a row that reads what another row should become, shifted right: `first`, and then all
    /// of the labels but the last, with `padding` for those below zero.
    mutating func append(_ first: Int32, shifted labels: ArraySlice<Int32>, padding: Int32) {
        tokens.append(first)
        for label in labels.dropLast() { tokens.append(label < 0 ? padding : label) }
        types.append(contentsOf: repeatElement(0, count: labels.count))
        starts.append(Int64(tokens.count))
    }

    /// Takes the tokens of all of another's rows as what an encoder reads for each row of this.
    mutating func takeSources(_ rows: RowBatch) throws(GraftError) {
        if sources.isEmpty { sources.append(RowBatch()) }
        try sources[0].takeTokens(rows)
    }

    /// Replaces what this holds by the tokens of all of another's rows.
    mutating func takeTokens(_ rows: RowBatch) throws(GraftError) {
        removeAll()
        try reserve(rowCount: rows.rowCount, tokenCount: rows.tokenCount)
        tokens.append(contentsOf: rows.tokens)
        types.append(contentsOf: rows.types)
        starts.append(contentsOf: rows.starts.dropFirst())
    }

    /// Takes the numbers of a column, in the memory that the one of this kind has.
    mutating func copy(_ given: Column) {
        if let place = columns.firstIndex(where: { $0.agrees(with: given) }) {
            columns[place].removeAll()
            columns[place].append(0..<given.count, of: given)
        } else {
            var own = Column(given.kind, width: given.width)
            own.append(0..<given.count, of: given)
            set(own)
        }
    }

    /// What a column says of the rows or tokens; nil where there is none, or one that does not
    /// cover them all.
    package func column(_ kind: ColumnKind) -> Column? {
        columns.first { $0.kind == kind && $0.count == count(kind.unit) }
    }

    /// The whole numbers of a column; empty without one.
    package func integers(_ kind: ColumnKind) -> [Int32] { column(kind)?.integers ?? [] }

    /// How many of them a column has.
    package func count(_ unit: ColumnKind.Unit) -> Int { unit == .rows ? rowCount : tokenCount }

    /// Puts a column in the place of the one of its kind.
    package mutating func set(_ column: Column) {
        if let place = columns.firstIndex(where: { $0.kind == column.kind }) {
            columns[place] = column
        } else {
            columns.append(column)
        }
    }

    /// The same for whole numbers, one each.
    package mutating func set(_ kind: ColumnKind, _ integers: [Int32]) { set(Column(kind, integers: integers)) }

    /// Adds row `row` of `other`, with what its columns say of it. Where there are rows before it,
    /// their columns are its, too.
    package mutating func append(row: Int, of other: RowBatch) {
        if rowCount == 0 { takeKinds(of: other) }
        let range = other.range(ofRow: row)
        append(tokens: other.tokens[range], types: other.types[range])
        for place in columns.indices {
            guard let theirs = other.columns.first(where: { $0.agrees(with: columns[place]) }) else { continue }
            columns[place].append(other.range(ofRow: row, in: columns[place].kind.unit), of: theirs)
        }
        Self.append(row: row, of: other.targets, to: &targets)
        Self.append(row: row, of: other.sources, to: &sources)
    }

    private static func append(row: Int, of others: [RowBatch], to own: inout [RowBatch]) {
        guard let theirs = others.first, row < theirs.rowCount else { return }
        if own.isEmpty { own.append(RowBatch()) }
        own[0].append(row: row, of: theirs)
    }

    /// Columns as the other has them, without numbers; the same ones keep their memory.
    private mutating func takeKinds(of other: RowBatch) {
        let isSame =
            columns.count == other.columns.count
            && columns.indices.allSatisfy { columns[$0].agrees(with: other.columns[$0]) }
        if !isSame { columns = other.columns.map { Column($0.kind, width: $0.width) } }
    }

    /// Makes room for the rows of `other`.
    package mutating func reserve(for other: RowBatch) throws(GraftError) {
        if rowCount == 0 { takeKinds(of: other) }
        try reserve(rowCount: other.rowCount, tokenCount: other.tokenCount)
        try Self.reserve(for: other.targets, in: &targets)
        try Self.reserve(for: other.sources, in: &sources)
    }

    private static func reserve(for others: [RowBatch], in own: inout [RowBatch]) throws(GraftError) {
        guard let theirs = others.first else { return }
        if own.isEmpty { own.append(RowBatch()) }
        try own[0].reserve(for: theirs)
    }

    /// Makes room for so many more rows, with so many tokens together: adding them cannot fail.
    package mutating func reserve(rowCount added: Int, tokenCount addedTokens: Int) throws(GraftError) {
        let (rows, tokens) = (rowCount + added + 1, tokenCount + addedTokens)
        var numbers = 2 * rows + 2 * tokens
        for column in columns { numbers += column.width * (column.kind.unit == .rows ? rows : tokens) }
        // What grows may stand beside its copy, of twice the size.
        try Memory.require(4 * 4 * numbers, to: "rows of \(tokens) tokens")
        Self.reserve(rows, in: &starts)
        Self.reserve(tokens, in: &self.tokens)
        Self.reserve(tokens, in: &types)
        for place in columns.indices { columns[place].reserve(columns[place].kind.unit == .rows ? rows : tokens) }
        try Memory.check()
    }

    /// Doubles what is too small, so that many additions cost as little as one.
    static func reserve<Element>(_ count: Int, in array: inout [Element]) {
        array.reserveCapacity(array.capacity >= count ? count : max(count, 2 * array.capacity))
    }

    package mutating func removeAll() {
        origin = RowOrigin()
        tokens.removeAll(keepingCapacity: true)
        types.removeAll(keepingCapacity: true)
        for place in columns.indices { columns[place].removeAll() }
        for place in targets.indices { targets[place].removeAll() }
        for place in sources.indices { sources[place].removeAll() }
        starts.removeAll(keepingCapacity: true)
        starts.append(0)
    }

    /// The row's tokens and those of its source.
    package func readLength(ofRow row: Int) -> Int {
        length(ofRow: row) + (sources.first.map { row < $0.rowCount ? $0.length(ofRow: row) : 0 } ?? 0)
    }

    /// Of all rows.
    package var readTokenCount: Int { tokenCount + (sourceRows?.tokenCount ?? 0) }

    /// End of the pass that begins at `row`: as many whole rows as fit `tokenBudget`, at least one,
    /// each with its source and the virtual ones that come with it.
    package func passEnd(
        from row: Int, tokenBudget: Int, virtualCount: (_ row: Int) -> Int = { _ in 0 }
    ) -> Int {
        var end = row
        var count = 0
        repeat {
            count += readLength(ofRow: end) + virtualCount(end)
            end += 1
        } while end < rowCount && count + readLength(ofRow: end) + virtualCount(end) <= tokenBudget
        return end
    }

    /// Checks what a model can take: token and type ids in its tables, row lengths within its
    /// positions. With an adapter a row's vocabulary may be another than the model's, and virtual
    /// ones may stand before its tokens.
    package func check(
        typeCount: Int, maximumLength: Int, vocabularySize: (_ row: Int) -> Int,
        virtualCount: (_ row: Int) -> Int = { _ in 0 }
    ) throws(GraftError) {
        guard let sourceRows else {
            return try checkOwn(
                typeCount: typeCount, maximumLength: maximumLength, vocabularySize: vocabularySize,
                virtualCount: virtualCount)
        }
        // Virtual rows stand before what is written.
        try sourceRows.checkOwn(
            typeCount: typeCount, maximumLength: maximumLength, vocabularySize: vocabularySize, virtualCount: { _ in 0 }
        )
        do throws(GraftError) {
            try checkOwn(
                typeCount: typeCount, maximumLength: maximumLength, vocabularySize: vocabularySize,
                virtualCount: virtualCount)
        } catch {
            throw GraftError(error.code, "targets: \(error.message)")
        }
    }

    private func checkOwn(
        typeCount: Int, maximumLength: Int, vocabularySize: (_ row: Int) -> Int, virtualCount: (_ row: Int) -> Int
    ) throws(GraftError) {
        if origin.isChosen, let chosen = origin.maximumLength, chosen > maximumLength {
            throw GraftError(
                .incompatible,
                "the rows' maximum_length is \(chosen) tokens; the model takes at most \(maximumLength)")
        }
        for row in 0..<rowCount {
            let length = self.length(ofRow: row)
            let virtualCount = virtualCount(row)
            guard length <= maximumLength - virtualCount else {
                throw GraftError(
                    .incompatible,
                    "row \(row) has \(length) tokens; the model takes at most \(maximumLength)"
                        + (virtualCount > 0 ? ", of which its adapter takes \(virtualCount)" : "")
                        + ": set maximum_length")
            }
            let vocabularySize = vocabularySize(row)
            for index in Int(starts[row])..<Int(starts[row + 1]) {
                guard tokens[index] >= 0, Int(tokens[index]) < vocabularySize else {
                    throw GraftError(
                        .incompatible,
                        "row \(row), token \(index - Int(starts[row])): id \(tokens[index]) is outside the model's "
                            + "vocabulary of \(vocabularySize)")
                }
                guard types[index] >= 0, Int(types[index]) < max(typeCount, 1) else {
                    throw GraftError(
                        .incompatible,
                        "row \(row), token \(index - Int(starts[row])): type id \(types[index]) is outside the "
                            + "model's \(typeCount) types")
                }
            }
        }
    }
}
