import GraftTensor
import Testing

@testable import GraftTokenizers

/// What tokens add to a text.
@Suite struct TokenTreeTests {
    @Test("Tokens' bytes in sequence are the text that they decode to", arguments: ["gpt2", "stories260k", "marian"])
    func texts(_ name: String) throws {
        let tokenizer = try TestFiles.tokenizer(name)
        let tree = try tokenizer.tree()
        var random = RandomNumbers(seed: 1, stream: name)
        var compared = 0
        for _ in 0..<500 {
            let ids = (0..<6).compactMap { _ in tree.tokens.randomElement(using: &random) }
            let bytes = ids.flatMap { tree.text(of: $0) }
            // What is no character is told by other marks.
            guard let text = String(validating: bytes, as: UTF8.self) else { continue }
            let isDropped = try text.hasPrefix(" ") && tokenizer.dropsSpace(after: [])
            #expect(try tokenizer.decode(ids) == String(text.dropFirst(isDropped ? 1 : 0)), "\(ids)")
            #expect(try !tokenizer.dropsSpace(after: ids))
            compared += 1
        }
        #expect(compared > 50, "\(compared)")
    }

    @Test("The tree has every token behind its bytes, and what is behind a node can be passed over")
    func nodes() throws {
        let tree = try TestFiles.tokenizer("gpt2").tree()
        var path: [UInt8] = []
        var count = 0
        for (index, node) in tree.nodes.enumerated() {
            path.removeLast(path.count - Int(node.depth) + 1)
            path.append(node.byte)
            for place in tree.tokens(at: index) {
                count += 1
                if !tree.text(of: tree.tokens[place]).elementsEqual(path) { Issue.record("\(index)") }
            }
            let end = Int(node.end)
            if end > index + 1, tree.nodes[index + 1].depth != node.depth + 1 { Issue.record("\(index)") }
            if end < tree.nodes.count, tree.nodes[end].depth > node.depth { Issue.record("\(index)") }
        }
        #expect(count == 50256 && tree.tokens.count == count)
    }

    @Test("Tokens that depend on their neighbours have no bytes of their own")
    func others() throws {
        let error = #expect(throws: GraftError.self) { try TestFiles.tokenizer("minilm").tree() }
        #expect(error?.message.contains("depends on those beside it") == true)
    }
}
