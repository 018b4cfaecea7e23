extension GGUFSource.Form {
    /// Of how many heads a tensor's rows are, and in how many parts each; nil where they lie in a
    /// checkpoint's order.
    package var heads: (count: Int, parts: Int, what: String)? {
        switch self {
        case .plain, .transposed, .scale: nil
        case .interleaved(let headCount): (headCount, 2, "of an even width")
        case .joined(let headCount): (headCount, 3, "of queries, keys and values")
        }
    }

    /// Whether so many rows can lie in this order.
    package func fits(rowCount: Int) -> Bool {
        heads.map { $0.count > 0 && rowCount % ($0.parts * $0.count) == 0 } ?? true
    }

    /// Where, of `count` rows, a file has the checkpoint's `row`.
    package func storedRow(of row: Int, count: Int) -> Int {
        guard let heads else { return row }
        let part = count / heads.count / heads.parts
        let (head, within) = (row / (heads.parts * part), row % (heads.parts * part))
        if case .joined = self { return (within / part * heads.count + head) * part + within % part }
        return head * 2 * part + 2 * (within % part) + within / part
    }

    /// Which row of the checkpoint a file has as its row `stored` of `count`.
    package func row(ofStored stored: Int, count: Int) -> Int {
        guard let heads else { return stored }
        let part = count / heads.count / heads.parts
        if case .joined = self {
            let (kind, within) = (stored / (heads.count * part), stored % (heads.count * part))
            return within / part * 3 * part + kind * part + within % part
        }
        let (head, within) = (stored / (2 * part), stored % (2 * part))
        return head * 2 * part + within % 2 * part + within / 2
    }
}
