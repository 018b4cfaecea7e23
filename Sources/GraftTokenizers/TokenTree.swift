import Glibc
import GraftTensor

/// What the tokens of a vocabulary add to a text, as a tree of bytes in which tokens that begin
/// alike share their beginning.
///
/// The nodes come in the order in which a walk sees them: each before those below it. Whoever has
/// no use for what lies below a node goes on behind its last one.
package struct TokenTree: Sendable {
    package struct Node: BitwiseCopyable, Sendable {
        /// Behind the last node below this one.
        package fileprivate(set) var end: Int32
        /// The tokens that end here are those from here on, up to the next node's.
        package let firstToken: Int32
        /// How many bytes lead here, at least 1: the last of them is this.
        package let depth: UInt16
        package let byte: UInt8
    }

    package private(set) var nodes: [Node] = []
    /// Of all nodes, in their order.
    package private(set) var tokens: [Int32] = []
    package private(set) var deepest = 0
    /// Which bytes are in a token.
    package private(set) var bytes = Array(repeating: false, count: 256)
    /// A token that begins with a space and goes on; nil without one.
    let spacedToken: Int32?
    private let texts: TokenTexts

    /// Of the bytes of each token.
    package init(of tokens: [[UInt8]]) throws(GraftError) {
        var texts = TokenTexts()
        for token in tokens { texts.append(token) }
        try self.init(texts)
    }

    /// - Parameter texts: By ids; empty for a token that no text has.
    init(_ texts: TokenTexts) throws(GraftError) {
        self.texts = texts
        try Memory.require(24 * texts.bytes.count + 16 * texts.count, to: "the beginnings of tokens")
        spacedToken = (0..<texts.count).first {
            texts[$0].count > 1 && texts[$0].first == UInt8(ascii: " ")
                && texts[$0].dropFirst().first != texts[$0].first
        }.map { Int32($0) }
        tokens = (0..<Int32(texts.count)).filter { !texts[Int($0)].isEmpty }
        texts.bytes.withUnsafeBytes { bytes in
            tokens.sort { one, other in
                let (first, second) = (texts[Int(one)], texts[Int(other)])
                guard let base = bytes.baseAddress else { return false }
                let shared = min(first.count, second.count)
                let order = memcmp(base + first.startIndex, base + second.startIndex, shared)
                return order != 0 ? order < 0 : (first.count, one) < (second.count, other)
            }
        }
        var open: [Int] = []
        for (place, token) in tokens.enumerated() {
            try Memory.check()
            let text = texts[Int(token)]
            guard text.count <= Int(UInt16.max) else {
                throw GraftError(.unsupported, "token \(token) has \(text.count) bytes: expected at most \(UInt16.max)")
            }
            let shared = zip(open, text).prefix { nodes[$0].byte == $1 }.count
            close(&open, to: shared)
            for byte in text.dropFirst(shared) {
                open.append(nodes.count)
                nodes.append(Node(end: 0, firstToken: Int32(place), depth: UInt16(open.count), byte: byte))
                bytes[Int(byte)] = true
            }
            deepest = max(deepest, open.count)
        }
        close(&open, to: 0)
    }

    private mutating func close(_ open: inout [Int], to depth: Int) {
        while open.count > depth { nodes[open.removeLast()].end = Int32(nodes.count) }
    }

    /// The tokens that end at a node, as places in `tokens`.
    package func tokens(at node: Int) -> Range<Int> {
        let end = node + 1 < nodes.count ? Int(nodes[node + 1].firstToken) : tokens.count
        return Int(nodes[node].firstToken)..<end
    }

    /// What a token adds to a text; nothing where it adds none.
    package func text(of token: Int32) -> ArraySlice<UInt8> {
        token >= 0 && Int(token) < texts.count ? texts[Int(token)] : []
    }
}
