import GraftTensor

/// Finds added tokens in text: at the leftmost place where any begins, the longest.
struct AddedTokenMatcher: Sendable {
    /// A trie over the tokens' bytes; children of a node are a linked list.
    private struct Node {
        var byte: UInt8
        var token: Int32 = -1
        var firstChild: Int32 = -1
        var nextSibling: Int32 = -1
    }
    private var nodes: [Node] = [Node(byte: 0)]
    private var tokens: [AddedToken] = []
    /// Whether a token begins with a byte.
    private var isFirst = [Bool](repeating: false, count: 256)

    /// Nil without tokens, so that text need not be searched.
    init?(_ entries: [(text: [UInt8], token: AddedToken)]) {
        for (text, token) in entries where !text.isEmpty {
            var node = 0
            for byte in text { node = child(of: node, byte) ?? addChild(to: node, byte) }
            nodes[node].token = Int32(tokens.count)
            tokens.append(token)
            isFirst[Int(text[0])] = true
        }
        if tokens.isEmpty { return nil }
    }

    func divide(_ text: inout WorkingText) throws(GraftError) {
        try isFirst.withUnsafeBufferPointer { isFirst throws(GraftError) in
            try text.divide { (source, range, parts) throws(GraftError) in
                var copied = range.lowerBound
                var position = range.lowerBound
                while position < range.upperBound {
                    guard isFirst[Int(source[position])], let match = longestMatch(source, position, range.upperBound)
                    else {
                        position += 1
                        continue
                    }
                    let found = position..<match.end
                    position = match.end
                    let token = tokens[match.token]
                    if token.isSingleWord, isTouched(source, found, range) { continue }
                    let start =
                        token.stripsLeft ? max(spaceBefore(source, found.lowerBound, range), copied) : found.lowerBound
                    let end = token.stripsRight ? spaceAfter(source, found.upperBound, range) : found.upperBound
                    if copied < start { parts.append(Piece(copied, start)) }
                    parts.append(Piece(start, end, token: token.id))
                    copied = end
                }
                if copied < range.upperBound { parts.append(Piece(copied, range.upperBound)) }
            }
        }
    }

    private func longestMatch(_ source: TextView, _ start: Int, _ limit: Int) -> (token: Int, end: Int)? {
        var longest: (token: Int, end: Int)?
        var node = 0
        var position = start
        while position < limit, let next = child(of: node, source[position]) {
            node = next
            position += 1
            if nodes[node].token >= 0 { longest = (Int(nodes[node].token), position) }
        }
        return longest
    }

    private func child(of node: Int, _ byte: UInt8) -> Int? {
        var child = nodes[node].firstChild
        while child >= 0 {
            if nodes[Int(child)].byte == byte { return Int(child) }
            child = nodes[Int(child)].nextSibling
        }
        return nil
    }

    private mutating func addChild(to node: Int, _ byte: UInt8) -> Int {
        nodes.append(Node(byte: byte, nextSibling: nodes[node].firstChild))
        nodes[node].firstChild = Int32(nodes.count - 1)
        return nodes.count - 1
    }

    // MARK: What stands beside a match

    private func isTouched(_ source: TextView, _ found: Range<Int>, _ range: Range<Int>) -> Bool {
        if found.lowerBound > range.lowerBound {
            let before = source.scalar(at: source.positionBefore(found.lowerBound)).value
            if isWordCharacter(before) { return true }
        }
        return found.upperBound < range.upperBound && isWordCharacter(source.scalar(at: found.upperBound).value)
    }

    private func isWordCharacter(_ value: UInt32) -> Bool {
        Unicode.Scalar(value).map(CharacterClasses.isWord) ?? false
    }

    private func spaceBefore(_ source: TextView, _ position: Int, _ range: Range<Int>) -> Int {
        var start = position
        while start > range.lowerBound {
            let previous = source.positionBefore(start)
            guard isSpace(source.scalar(at: previous).value) else { break }
            start = previous
        }
        return start
    }

    private func spaceAfter(_ source: TextView, _ position: Int, _ range: Range<Int>) -> Int {
        var end = position
        while end < range.upperBound {
            let (value, length) = source.scalar(at: end)
            guard isSpace(value) else { break }
            end += length
        }
        return end
    }

    private func isSpace(_ value: UInt32) -> Bool {
        Unicode.Scalar(value).map(CharacterClasses.isWhitespace) ?? false
    }
}
