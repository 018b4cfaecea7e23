import GraftTensor

/// The kinds of characters that some sets tell apart: two characters are of one kind if the same
/// sets hold both.
///
/// A regular expression sees no more of a text than the kinds of its characters, and has few. So a
/// text is searched as one byte a character, its kind, and Unicode is in the tables here alone.
final class CharacterKinds: Sendable {
    private let table: ScalarTable<UInt8>
    /// The kinds that each set holds.
    let members: [[UInt8]]

    /// Nil if there are more kinds than a byte can tell apart.
    init?(_ sets: [ScalarSet]) {
        var changes: [(at: UInt32, set: Int)] = []
        for (index, set) in sets.enumerated() { changes += set.edges.map { ($0, index) } }
        changes.sort { ($0.at, $0.set) < ($1.at, $1.set) }

        var holders = [UInt64](repeating: 0, count: sets.count / 64 + 1)
        var kindOfHolders: [[UInt64]: UInt8] = [holders: 0]
        var starts: [UInt32] = [0]
        var kinds: [UInt8] = [0]
        var index = 0
        while index < changes.count, changes[index].at < ScalarSet.end {
            let position = changes[index].at
            while index < changes.count, changes[index].at == position {
                holders[changes[index].set / 64] ^= 1 << UInt64(changes[index].set % 64)
                index += 1
            }
            guard let next = UInt8(exactly: kindOfHolders.count) ?? kindOfHolders[holders] else { return nil }
            let kind = kindOfHolders[holders, default: next]
            kindOfHolders[holders] = kind
            starts.append(position)
            kinds.append(kind)
        }
        members = sets.indices.map { set in
            kindOfHolders.filter { $0.key[set / 64] & 1 << UInt64(set % 64) != 0 }.map(\.value).sorted()
        }
        let (starting, kindAtStart) = (starts, kinds)
        table = ScalarTable(surrogateValue: 0) { scalar in
            kindAtStart[ScalarSet.count(of: starting, upTo: scalar.value) - 1]
        }
    }

    /// Appends the kind of every character of a range.
    func append(_ source: TextView, _ range: Range<Int>, to kinds: inout Buffer<UInt8>) {
        kinds.reserve(range.count)
        var position = range.lowerBound
        while position < range.upperBound {
            let (scalar, length) = source.scalar(at: position)
            kinds.appendReserved(table[scalar])
            position += length
        }
    }
}
