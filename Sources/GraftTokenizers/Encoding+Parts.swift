/// How encodings are put together.
extension Encoding {
    /// Lays the parts out one after the other.
    init(_ parts: [EncodingPart], _ scratch: Scratch) {
        self.init()
        var count = 0
        for part in parts {
            switch part {
            case .sequence(let index, _): count += index == 0 ? scratch.first.kept.count : scratch.second.kept.count
            case .special: count += 1
            }
        }
        ids.reserveCapacity(count)
        typeIDs.reserveCapacity(count)
        offsets.reserveCapacity(count)
        wordIDs.reserveCapacity(count)
        sequenceIDs.reserveCapacity(count)
        specialTokensMask.reserveCapacity(count)
        isTruncated = scratch.first.isShortened || scratch.second.isShortened
        for part in parts {
            switch part {
            case .special(let id, let typeID): append(special: id, typeID: typeID)
            case .sequence(0, let typeID): append(scratch.first, 0, typeID: typeID)
            case .sequence(let index, let typeID): append(scratch.second, Int32(index), typeID: typeID)
            }
        }
    }

    private mutating func append(special id: Int32, typeID: Int32) {
        ids.append(id)
        typeIDs.append(typeID)
        offsets.append(TokenOffsets(0, 0))
        wordIDs.append(-1)
        sequenceIDs.append(-1)
        specialTokensMask.append(true)
    }

    private mutating func append(_ work: borrowing SequenceWork, _ index: Int32, typeID: Int32) {
        let tokens = UnsafeBufferPointer(rebasing: work.tokens.elements[work.kept])
        ids.append(contentsOf: tokens.lazy.map(\.id))
        offsets.append(contentsOf: tokens.lazy.map { TokenOffsets($0.start, $0.end) })
        wordIDs.append(contentsOf: tokens.lazy.map(\.piece))
        typeIDs.append(contentsOf: repeatElement(typeID, count: tokens.count))
        sequenceIDs.append(contentsOf: repeatElement(index, count: tokens.count))
        specialTokensMask.append(contentsOf: repeatElement(false, count: tokens.count))
    }
}
