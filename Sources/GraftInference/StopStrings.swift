/// Ends a text before the first of some strings, wherever the borders of tokens lie: what may
/// become one of them is held back until it cannot.
///
/// The first is the one that is complete first; of those that end together the longest. Text of n
/// bytes costs n times the strings' length.
struct StopStrings {
    private let strings: [[UInt8]]
    /// The text that was not handed out.
    private var held: [UInt8] = []

    init(_ strings: [String]) { self.strings = strings.map { Array($0.utf8) } }

    /// The text that can be handed out now, and whether a string has ended it.
    mutating func append(_ text: String) -> (text: String, hasEnded: Bool) {
        if strings.isEmpty { return (text, false) }
        for byte in text.utf8 {
            held.append(byte)
            if let length = longest(where: { $0.count <= held.count && held.suffix($0.count).elementsEqual($0) }) {
                held.removeLast(length)
                return (finish(), true)
            }
        }
        var open = 0
        for length in stride(from: min(held.count, longest { _ in true } ?? 0), to: 0, by: -1)
        where strings.contains(where: { $0.starts(with: held.suffix(length)) }) {
            open = length
            break
        }
        let rest = Array(held.suffix(open))
        held.removeLast(open)
        defer { held = rest }
        return (finish(), false)
    }

    /// The text that was held back, where no more comes.
    mutating func finish() -> String {
        defer { held.removeAll(keepingCapacity: true) }
        return String(decoding: held, as: UTF8.self)
    }

    private func longest(where holds: ([UInt8]) -> Bool) -> Int? { strings.filter(holds).map(\.count).max() }
}
