import GraftFormats
import GraftTensor

/// SentencePiece's own normalisation, as a map of characters (see `CharacterMap`).
///
/// A grapheme cluster of up to five bytes is looked up as a whole, and becomes what the shortest
/// beginning of it that the map has becomes; where it has none, and in longer clusters, every
/// character is looked up by itself.
final class PrecompiledNormalizer: Normalizer {
    private let map: CharacterMap
    /// The character in place of each by itself; `several` for other than one.
    private let single: ScalarTable<UInt32>
    private static let several = UInt32.max
    private static let longestCluster = 5

    convenience init(_ settings: JSONObject) throws(GraftError) {
        let text = try settings.string("precompiled_charsmap")
        guard let bytes = Base64.decoded(text), let map = CharacterMap(bytes) else {
            throw settings.unexpected("precompiled_charsmap", expected: "SentencePiece's map of characters in Base64")
        }
        self.init(map)
    }

    init(_ map: CharacterMap) {
        self.map = map
        single = ScalarTable(surrogateValue: Self.several) { scalar in
            let bytes = Array(String(scalar).utf8)
            do throws(GraftError) {
                let found = try bytes.withUnsafeBufferPointer { (bytes) throws(GraftError) in
                    try map.replacement(of: bytes)
                }
                guard let found else { return scalar.value }
                let scalars = String(decoding: found, as: UTF8.self).unicodeScalars
                return scalars.count == 1 ? scalars.first?.value ?? Self.several : Self.several
            } catch {
                return Self.several
            }
        }
    }

    func normalize(_ source: TextView, _ range: Range<Int>, into out: inout TextBuffer) throws(GraftError) {
        var rewriting = Rewriting(source, range, out.count)
        var position = range.lowerBound
        while position < range.upperBound {
            let end = clusterEnd(source, position, range.upperBound)
            let (scalar, length) = source.scalar(at: position)
            if end - position > length, end - position <= Self.longestCluster,
                let found = try map.replacement(of: UnsafeBufferPointer(rebasing: source.bytes[position..<end]))
            {
                try rewriting.replace(position..<end, with: found, into: &out)
                position = end
            } else if end - position == length, single[scalar] == scalar {
                position = end
            } else {
                while position < end { position += try replaceCharacter(source, position, &rewriting, &out) }
            }
        }
        rewriting.finish(into: &out)
    }

    @inline(__always)
    private func clusterEnd(_ source: TextView, _ position: Int, _ limit: Int) -> Int {
        // Of two ASCII characters only a carriage return is one with the next.
        if source[position] < 0x80, source[position] != 0x0D, position + 1 == limit || source[position + 1] < 0x80 {
            return position + 1
        }
        return GraphemeClusters.end(of: position, in: source, before: limit)
    }

    /// Rewrites one character by itself, and returns how many bytes it had.
    private func replaceCharacter(
        _ source: TextView, _ position: Int, _ rewriting: inout Rewriting, _ out: inout TextBuffer
    ) throws(GraftError) -> Int {
        let (scalar, length) = source.scalar(at: position)
        let range = position..<position + length
        if single[scalar] != scalar,
            let found = try map.replacement(of: UnsafeBufferPointer(rebasing: source.bytes[range]))
        {
            try rewriting.replace(range, with: found, into: &out)
        }
        return length
    }
}

/// Writes a range anew with changes here and there, and keeps account as Hugging Face `tokenizers`
/// does: what disappears goes to the account of the character written before it, and where none
/// was, all that follows counts as if it stood that much further ahead.
private struct Rewriting {
    private let source: TextView
    private let range: Range<Int>
    /// Bytes of the output before this range.
    private let outputStart: Int
    /// How far the source is written or passed over.
    private var done: Int
    /// Nil as long as nothing is changed.
    private var transform: Transform?
    /// Whether something disappeared before anything was written.
    private var isBehind = false
    /// The last character written, if it is one more than it stands for.
    private var added: UInt32?

    init(_ source: TextView, _ range: Range<Int>, _ outputStart: Int) {
        self.source = source
        self.range = range
        self.outputStart = outputStart
        done = range.lowerBound
    }

    mutating func finish(into out: inout TextBuffer) {
        copy(upTo: range.upperBound, into: &out)
    }

    mutating func replace(
        _ old: Range<Int>, with new: ArraySlice<UInt8>, into out: inout TextBuffer
    ) throws(GraftError) {
        if transform == nil { transform = Transform(source, range, into: &out) }
        copy(upTo: old.lowerBound, into: &out)
        try out.requireRoom(for: new.count)
        let oldCount = source.bytes[old].count { $0 & 0xC0 != 0x80 }
        let scalars = String(decoding: new, as: UTF8.self).unicodeScalars
        let newCount = scalars.count
        done = old.upperBound
        if newCount == 0 {
            remove(oldCount, from: &out)
            return
        }
        for (index, scalar) in scalars.enumerated() {
            let isLast = index == newCount - 1
            let change = index >= oldCount ? 1 : isLast ? min(newCount - oldCount, 0) : 0
            transform?.write(scalar.value, change: change, into: &out)
            added = change > 0 ? scalar.value : nil
        }
    }

    private mutating func copy(upTo end: Int, into out: inout TextBuffer) {
        guard end > done else { return }
        if transform == nil {
            out.copy(source, done, end)
        } else if isBehind {
            var position = done
            while position < end {
                let (scalar, length) = source.scalar(at: position)
                transform?.write(scalar, change: 0, into: &out)
                position += length
            }
        } else {
            transform?.copy(upTo: end, into: &out)
        }
        done = end
        added = nil
    }

    private mutating func remove(_ count: Int, from out: inout TextBuffer) {
        guard out.count > outputStart else {
            isBehind = true
            return
        }
        guard let scalar = added else {
            transform?.skip(count)
            return
        }
        // Instead of a further one it stands for what disappears.
        out.truncate(to: out.count - (Unicode.Scalar(scalar).map(UTF8.width) ?? 0))
        transform?.write(scalar, change: 1 - count, into: &out)
        added = nil
    }
}
