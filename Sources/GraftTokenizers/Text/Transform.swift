/// Writes a range of text anew, character by character, and keeps track of where each character
/// comes from.
///
/// Every character written says what it does to the text read so far, as in Hugging Face
/// `tokenizers`: `change` 0 stands in place of the next character, 1 is new beside the last one
/// that was read, and -n stands in place of the next one and swallows n more. What is written anew
/// has the origin of what it stands for; a new character at the very start of the range, with
/// nothing read before it, stands for the empty start of the range.
struct Transform {
    private let source: TextView
    private let range: Range<Int>
    private var position: Int

    /// - Parameter out: gets its alignment begun.
    init(_ source: TextView, _ range: Range<Int>, into out: inout TextBuffer) {
        self.source = source
        self.range = range
        position = range.lowerBound
        out.beginAlignment()
    }

    mutating func write(_ scalar: UInt32, change: Int, into out: inout TextBuffer) {
        out.append(scalar, origin(change))
        if change <= 0 { skip(1 - change) }
    }

    /// Writes what stands between the place read so far and another as it is.
    mutating func copy(upTo end: Int, into out: inout TextBuffer) {
        out.copy(source, position, end)
        position = end
    }

    /// Reads characters without writing anything for them.
    mutating func skip(_ count: Int) {
        var left = count
        while left > 0, position < range.upperBound {
            position += source.scalar(at: position).length
            left -= 1
        }
    }

    private func origin(_ change: Int) -> Alignment {
        if change > 0 || position >= range.upperBound {
            if position > range.lowerBound { return source.alignment(at: position - 1) }
            guard position < source.count else { return Alignment(position, position) }
            let next = source.alignment(at: position)
            return Alignment(Int(next.start), Int(next.start))
        }
        return source.alignment(at: position)
    }
}
