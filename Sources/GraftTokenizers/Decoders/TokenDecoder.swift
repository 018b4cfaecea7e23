import GraftTensor

/// A stage that turns tokens back into text. Stages see the tokens as a list of texts and hand on
/// another.
protocol TokenDecoder: Sendable {
    func decode(_ tokens: TokenTexts) throws(GraftError) -> TokenTexts
    /// What each token adds to a text behind others, as bytes that need not make characters; nil
    /// where that depends on which tokens are beside it.
    func bytesOfEach(_ tokens: TokenTexts) throws(GraftError) -> TokenTexts?
}

extension TokenDecoder {
    func bytesOfEach(_: TokenTexts) -> TokenTexts? { nil }
}

/// A list of texts in UTF-8, end to end in one array.
struct TokenTexts {
    private(set) var bytes: [UInt8] = []
    private var ends: [Int] = []

    var count: Int { ends.count }

    /// The bytes of the text at an index.
    subscript(index: Int) -> ArraySlice<UInt8> {
        bytes[(index == 0 ? 0 : ends[index - 1])..<ends[index]]
    }

    mutating func append(_ text: some Sequence<UInt8>) {
        bytes.append(contentsOf: text)
        ends.append(bytes.count)
    }

    /// Makes room for bytes that a file's setting decides the number of: an error where there is
    /// none.
    mutating func requireRoom(for extra: Int) throws(GraftError) {
        guard bytes.capacity - bytes.count < extra else { return }
        try Memory.require(4 * (bytes.count + extra), to: "decoding tokens")
        bytes.reserveCapacity(max(2 * bytes.capacity, bytes.count + extra))
    }

    /// Adds to the text that the next `endText` ends.
    mutating func extend(_ text: some Sequence<UInt8>) {
        bytes.append(contentsOf: text)
    }

    mutating func extend(_ byte: UInt8) {
        bytes.append(byte)
    }

    mutating func endText() {
        ends.append(bytes.count)
    }
}
