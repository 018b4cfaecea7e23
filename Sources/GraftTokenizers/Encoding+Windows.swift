import GraftTensor

extension Encoding {
    /// Where the tokens of the second text stand. Nil where they do not stand together.
    package var secondText: Range<Int>? {
        guard let first = sequenceIDs.firstIndex(of: 1), let last = sequenceIDs.lastIndex(of: 1),
            sequenceIDs[first...last].allSatisfy({ $0 == 1 })
        else { return nil }
        return first..<last + 1
    }

    /// Parts of a pair that was not shortened, as those of Hugging Face `tokenizers` with
    /// `only_second`: of each the tokens of the second text that it has, counted from that text's
    /// first; the whole first text and all that the tokenizer added are in each. A part has at most
    /// `maximumLength` tokens, and shares `stride` of the second text with the one before it.
    package func windows(maximumLength: Int?, stride: Int) throws(GraftError) -> [Range<Int>] {
        guard let second = secondText else {
            throw GraftError(.unsupported, "the tokenizer does not keep the second text's tokens together")
        }
        guard let maximumLength, count > maximumLength else { return [0..<second.count] }
        let others = count - second.count
        let room = maximumLength - others
        guard room > stride else {
            let first = sequenceIDs.count { $0 == 0 }
            throw GraftError(
                .invalidArgument,
                "windows of \(maximumLength) tokens have room for \(max(0, room)) of the second text, of \(second.count), beside the "
                    + "first text's \(first) and the \(others - first) that are added; expected more than the stride, \(stride)"
            )
        }
        var windows: [Range<Int>] = []
        var start = 0
        while true {
            let end = min(start + room, second.count)
            windows.append(start..<end)
            if end == second.count { return windows }
            start += room - stride
        }
    }
}
