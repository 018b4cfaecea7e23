import GraftInference
import GraftLayers
import GraftTensor
import GraftTestSupport
import GraftTokenizers
import Testing

/// Questions and contexts to windows, answers to tokens, logits to answers.
@Suite struct AnswerWindowsTests {
    private static let question = "Who wrote it?"
    private static let context = "The book, which nobody reads, was written by Ada Löwe in a dark and cold winter."

    private func windows(
        _ question: String = Self.question, _ context: String = Self.context, length: Int? = nil, stride: Int = 0
    ) throws -> AnswerWindows {
        let tokenizer = try Tokenizer(folder: TestData.model("minilm"))
        var windows = AnswerWindows(maximumLength: length, isChosen: true)
        let encoding = try tokenizer.encode(question, pair: context, Tokenizer.Options(shortening: .none))
        let (first, second) = (Array(question.utf8), Array(context.utf8))
        let (offsets, count) = first.withUnsafeBufferPointer { first in
            second.withUnsafeBufferPointer {
                (encoding.characterOffsets(in: first, pair: $0), characterCount($0))
            }
        }
        try windows.append(encoding, characters: offsets, characterCount: count, stride: stride)
        return windows
    }

    private func span(of text: String) throws -> [Int64] {
        let (all, own) = (Array(Self.context.unicodeScalars), Array(text.unicodeScalars))
        let first = try #require(all.indices.first { all[$0...].starts(with: own) })
        return [Int64(first), Int64(first + own.count)]
    }

    private func labels(_ windows: AnswerWindows, _ answer: [Int64]) throws -> [Int32] {
        try answer.withUnsafeBufferPointer { answer throws(GraftError) in try windows.labels(answer) }
    }

    @Test("Windows have the question whole and together every token of the context, in order", arguments: 14..<24)
    func covered(length: Int) throws {
        let whole = try windows()
        #expect(whole.count == 1)
        for stride in 0..<3 {
            let cut = try windows(length: length, stride: stride)
            let found = (0..<cut.count).map { Array(cut.rows.tokens[cut.rows.range(ofRow: $0)]) }
            #expect(found.allSatisfy { $0.count <= length && $0.last == found[0].last })
            let prefix = try #require(found[0].firstIndex(of: 102)) + 1
            var joined = found[0].dropLast()
            for window in found.dropFirst() {
                #expect(window[..<prefix] == found[0][..<prefix])
                #expect(window[prefix..<prefix + stride] == joined.suffix(stride))
                joined += window[(prefix + stride)...].dropLast()
            }
            #expect(Array(joined) + [102] == whole.rows.tokens)
        }
    }

    @Test("An answer becomes tokens of the windows that have it whole, and comes back from them")
    func thereAndBack() throws {
        let answer = try span(of: "Ada Löwe")
        for length in [nil, 20, 16] as [Int?] {
            let windows = try windows(length: length, stride: 4)
            let labels = try labels(windows, answer)
            var logits = [Float](repeating: 0, count: 2 * windows.rows.tokenCount)
            var isAnywhere = false
            for window in 0..<windows.count where labels[2 * window + 1] > 0 {
                isAnywhere = true
                let first = windows.rows.range(ofRow: window).lowerBound
                logits[2 * (first + Int(labels[2 * window]))] = 5
                logits[2 * (first + Int(labels[2 * window + 1])) + 1] = 5
            }
            #expect(isAnywhere)
            let found = logits.withUnsafeBufferPointer { windows.answers(to: 0, $0, best: 3, longest: 30) }
            #expect(found.answers[0].characters == Int(answer[0])..<Int(answer[1]))
            let bytes = Array(Self.context.utf8)[found.answers[0].bytes]
            #expect(String(decoding: bytes, as: UTF8.self) == "Ada Löwe")
            #expect(found.answers[0].score == 10 && found.noAnswerScore == -10)
        }
    }

    @Test("The best answers are those of all pairs of tokens, each stretch once")
    func exhaustive() throws {
        let windows = try windows(length: 18, stride: 5)
        var random = RandomNumbers(seed: 3, stream: "logits")
        let logits = (0..<2 * windows.rows.tokenCount).map { _ in random.normal() }
        let found = logits.withUnsafeBufferPointer { windows.answers(to: 0, $0, best: 40, longest: 4) }.answers
        let labels = Set(found.map { [$0.characters.lowerBound, $0.characters.upperBound] })
        #expect(found.count == 40 && labels.count == 40)
        var best = -Double.infinity
        for window in 0..<windows.count {
            let all = windows.rows.range(ofRow: window)
            let prefix = try #require(windows.rows.tokens[all].firstIndex(of: 102)) + 1
            for first in prefix..<all.upperBound - 1 {
                for last in first..<min(first + 4, all.upperBound - 1) {
                    let score = Double(logits[2 * first]) + Double(logits[2 * last + 1])
                    best = max(best, score)
                    let tokens = first - all.lowerBound..<last - all.lowerBound + 1
                    if let own = found.first(where: { $0.window == window && $0.tokens == tokens }) {
                        #expect(own.score == score)
                    }
                }
            }
        }
        #expect(found[0].score == best)
        for (one, next) in zip(found, found.dropFirst()) { #expect(one.score >= next.score) }
    }

    @Test("What is no question, no context or no answer is refused, with lengths")
    func refused() throws {
        let empty = #expect(throws: GraftError.self) { try windows("") }
        #expect(empty?.message.contains("the question has no tokens") == true)
        let bare = #expect(throws: GraftError.self) { try windows("Who?", " ") }
        #expect(bare?.message.contains("the context has no tokens") == true)
        let long = #expect(throws: GraftError.self) { try windows(length: 6) }
        #expect(long?.message.contains("windows of 6 tokens have room for 0") == true)
        let stride = #expect(throws: GraftError.self) { try windows(length: 12, stride: 6) }
        #expect(stride?.message.contains("expected more than the stride, 6") == true)
        let whole = try windows()
        for answer in [[3, 3], [-1, 4], [0, 900], [4, 2]] as [[Int64]] {
            #expect(throws: GraftError.self) { try labels(whole, answer) }
        }
        #expect(try labels(whole, [-1, -1]) == [0, 0])
    }
}
