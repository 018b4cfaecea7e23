/// Correlations of two lists of numbers, each pair of which counts as often as `repeats` says.
enum Correlation {
    /// NaN where either side is always the same.
    static func pearson(_ x: [Double], _ y: [Double], _ repeats: Repeats) -> Double {
        var (sumX, sumY, total) = (0.0, 0.0, 0.0)
        for row in x.indices {
            total += repeats[row]
            sumX += repeats[row] * x[row]
            sumY += repeats[row] * y[row]
        }
        let (meanX, meanY) = (sumX / total, sumY / total)
        var (product, lengthX, lengthY) = (0.0, 0.0, 0.0)
        var first: Int?
        var (variesX, variesY) = (false, false)
        for row in x.indices where repeats[row] > 0 {
            let (dx, dy) = (x[row] - meanX, y[row] - meanY)
            product += repeats[row] * dx * dy
            lengthX += repeats[row] * dx * dx
            lengthY += repeats[row] * dy * dy
            let start = first ?? row
            first = start
            variesX = variesX || x[row] != x[start]
            variesY = variesY || y[row] != y[start]
        }
        let lengths = lengthX.squareRoot() * lengthY.squareRoot()
        return variesX && variesY && lengths > 0 ? max(-1, min(1, product / lengths)) : .nan
    }

    /// Places in order from 1; equals share the mean of theirs.
    ///
    /// - Parameter order: The places of the numbers, ascending.
    static func ranks(_ numbers: [Double], _ order: [Int32], _ repeats: Repeats) -> [Double] {
        var ranks = Array(repeating: 0.0, count: numbers.count)
        var before = 0.0
        eachTie(numbers, order) { rows in
            let own = rows.reduce(0) { $0 + repeats[Int($1)] }
            for row in rows { ranks[Int(row)] = before + (own + 1) / 2 }
            before += own
        }
        return ranks
    }

    /// Kendall's tau-b (1945), by counting what is in order in a tree of partial sums (Fenwick
    /// 1994): O(n log n). NaN where either side is always the same.
    static func kendall(
        _ x: [Double], _ y: [Double], _ orderX: [Int32], _ orderY: [Int32], _ repeats: Repeats
    ) -> Double {
        func pairs(_ count: Double) -> Double { count * (count - 1) / 2 }
        // What equals another counts for neither side.
        var (places, place) = (Array(repeating: 0, count: y.count), 0)
        var (tiesX, tiesY) = (0.0, 0.0)
        eachTie(y, orderY) { rows in
            place += 1
            tiesY += pairs(rows.reduce(0) { $0 + repeats[Int($1)] })
            for row in rows { places[Int(row)] = place }
        }
        var sums = Array(repeating: 0.0, count: place + 1)
        func sum(through last: Int) -> Double {
            var (sum, node) = (0.0, last)
            while node > 0 {
                sum += sums[node]
                node &= node - 1
            }
            return sum
        }
        var (inOrder, before) = (0.0, 0.0)
        eachTie(x, orderX) { rows in
            for row in rows {
                let below = sum(through: places[Int(row)] - 1)
                let above = before - sum(through: places[Int(row)])
                inOrder += repeats[Int(row)] * (below - above)
            }
            var own = 0.0
            for row in rows {
                own += repeats[Int(row)]
                var node = places[Int(row)]
                while node < sums.count {
                    sums[node] += repeats[Int(row)]
                    node += node & -node
                }
            }
            tiesX += pairs(own)
            before += own
        }
        let all = pairs(before)
        return all == tiesX || all == tiesY
            ? .nan : max(-1, min(1, inOrder / (all - tiesX).squareRoot() / (all - tiesY).squareRoot()))
    }

    /// Calls `body` with the places of equal numbers, the least first.
    private static func eachTie(_ numbers: [Double], _ order: [Int32], _ body: (ArraySlice<Int32>) -> Void) {
        var first = 0
        while first < order.count {
            var end = first + 1
            while end < order.count, numbers[Int(order[end])] == numbers[Int(order[first])] { end += 1 }
            body(order[first..<end])
            first = end
        }
    }
}
