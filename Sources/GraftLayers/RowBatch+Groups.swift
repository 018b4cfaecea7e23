import GraftTensor

extension RowBatch {
    /// The rows that belong together with the one that begins their group; that one alone where no
    /// column says more.
    package func group(from row: Int) -> Range<Int> {
        let places = integers(.groupPlaces)
        var end = row + 1
        while end < places.count, places[end] > 0 { end += 1 }
        return row..<end
    }

    /// The first rows of all groups, and the row count, in the memory that `starts` has.
    package func findGroups(into starts: inout [Int]) {
        starts.removeAll(keepingCapacity: true)
        for (row, place) in integers(.groupPlaces).enumerated() where place == 0 { starts.append(row) }
        starts.append(rowCount)
    }

    /// Checks that the places in groups count up from 0, and that groups have so many rows.
    package func requireGroups(of size: ClosedRange<Int>, for purpose: String) throws(GraftError) {
        let places = integers(.groupPlaces)
        var first = 0
        for row in 0...places.count {
            let place = row < places.count ? Int(places[row]) : 0
            guard place == 0 || (row > 0 && place == row - first) else {
                throw GraftError(
                    .incompatible,
                    "row \(row) has place \(place) in its group; expected "
                        + (row == 0 ? "0, which begins a group" : "\(row - first), or 0 to begin a group"))
            }
            guard place == 0, row > 0 else { continue }
            guard size.contains(row - first) else {
                throw GraftError(
                    .incompatible,
                    "the group of row \(first) has \(row - first) rows; \(purpose) expects \(size.lowerBound)"
                        + (size.count == 1 ? "" : size.upperBound == .max ? " or more" : " to \(size.upperBound)"))
            }
            first = row
        }
    }
}
