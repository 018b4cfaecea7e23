import GraftTensor

extension Encoding {
    /// Where the tokens of the last text stand: of a pair the second.
    private func lastText() throws(GraftError) -> Range<Int> {
        let sequence = sequenceIDs.max() ?? -1
        guard sequence >= 0, let first = sequenceIDs.firstIndex(of: sequence),
            let last = sequenceIDs.lastIndex(of: sequence)
        else { return 0..<0 }
        guard sequenceIDs[first...last].allSatisfy({ $0 == sequence }) else {
            throw GraftError(.unsupported, "the tokenizer does not keep a text's tokens together")
        }
        return first..<last + 1
    }

    /// Parts of a text, or a pair, that was not shortened, as those of Hugging Face `tokenizers`
    /// with `only_first` or `only_second`: where the tokens of the text that is cut stand, a pair's
    /// second, and which of them each part has, counted from the first; all other tokens are in
    /// each. A part has at most `maximumLength` tokens, and shares `stride` of those that are cut
    /// with the one before it.
    package func windows(
        maximumLength: Int?, stride: Int
    ) throws(GraftError) -> (cut: Range<Int>, windows: [Range<Int>]) {
        let cut = try lastText()
        guard let maximumLength, count > maximumLength else { return (cut, [0..<cut.count]) }
        let others = count - cut.count
        let room = maximumLength - others
        guard room > stride else {
            let added = sequenceIDs.count { $0 < 0 }
            let first = others == added ? "" : "the first text's \(others - added) and "
            throw GraftError(
                .invalidArgument,
                "windows of \(maximumLength) tokens have room for \(max(0, room)) of the \(others == added ? "" : "second ")text, of "
                    + "\(cut.count), beside \(first)the \(added) that are added; expected more than the stride, \(stride)"
            )
        }
        var windows: [Range<Int>] = []
        var start = 0
        while true {
            let end = min(start + room, cut.count)
            windows.append(start..<end)
            if end == cut.count { return (cut, windows) }
            start += room - stride
        }
    }
}
