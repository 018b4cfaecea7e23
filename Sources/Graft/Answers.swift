public import CGraft
import GraftInference
import GraftTensor
import GraftTokenizers

/// Windows as C programs hold them.
final class WindowsHandle: Sendable {
    let windows: AnswerWindows
    /// The first windows of the questions, as C reads them.
    fileprivate let starts: Memory

    init(_ windows: AnswerWindows) throws(GraftError) {
        self.windows = windows
        starts = try Memory(byteCount: windows.starts.count * 8)
        starts.base.assumingMemoryBound(to: Int64.self).update(from: windows.starts, count: windows.starts.count)
    }
}

@c @implementation
public func graft_windows_encode(
    _ tokenizer: OpaquePointer?, _ questions: UnsafePointer<UnsafePointer<CChar>?>?,
    _ contexts: UnsafePointer<UnsafePointer<CChar>?>?, _ row_count: Int64,
    _ options: UnsafePointer<graft_encode_options>?, _ stride: Int32, _ out: UnsafeMutablePointer<OpaquePointer?>?
) -> graft_status {
    create(out) { () throws(GraftError) in
        let tokenizer = try HandleTable.borrow(tokenizer, Tokenizer.self, "tokenizer")
        let given = try graft_encode_options.read(options, "options")
        var options = try given.checked()
        guard options.addsSpecialTokens else {
            throw GraftError(
                .invalidArgument, "add_special_tokens is 0: windows have the model's own tokens; expected 1")
        }
        let stride = try count(Int64(stride), "stride", atMost: Int64(Tokenizer.unlimited))
        let count = try count(row_count, "row_count", atMost: 1 << 31)
        let questions = try array(questions, count: count, "questions")
        let contexts = try array(contexts, count: count, "contexts")
        var windows = AnswerWindows(
            maximumLength: tokenizer.maximumLength(options), isChosen: options.shortening != .declared)
        options.shortening = .none
        for row in 0..<count {
            try Memory.check()
            let question = try bytes(questions[row], size: given.text_sizes.map { $0 + row }, "questions[\(row)]")
            let context = try bytes(contexts[row], size: given.pair_sizes.map { $0 + row }, "contexts[\(row)]")
            try ofRow(row) { () throws(GraftError) in
                let encoding = try tokenizer.encode(question, pair: context, options)
                try windows.append(
                    encoding, characters: encoding.characterOffsets(in: question, pair: context),
                    characterCount: characterCount(context), stride: stride)
            }
        }
        return try WindowsHandle(windows)
    }
}

@c @implementation
public func graft_windows_retain(_ windows: OpaquePointer?) -> graft_status {
    retain(windows, WindowsHandle.self, "windows")
}

@c @implementation
public func graft_windows_release(_ windows: OpaquePointer?) { HandleTable.release(windows, WindowsHandle.self) }

@c @implementation
public func graft_windows_count(_ windows: OpaquePointer?) -> Int64 {
    HandleTable.peek(windows, WindowsHandle.self).map { Int64($0.windows.count) } ?? -1
}

@c @implementation
public func graft_windows_starts(_ windows: OpaquePointer?) -> UnsafePointer<Int64>? {
    HandleTable.peek(windows, WindowsHandle.self).map {
        UnsafePointer($0.starts.base.assumingMemoryBound(to: Int64.self))
    }
}

@c @implementation
public func graft_windows_batch(
    _ windows: OpaquePointer?, _ out: UnsafeMutablePointer<OpaquePointer?>?
) -> graft_status {
    create(out) { () throws(GraftError) in
        try BatchHandle(try HandleTable.borrow(windows, WindowsHandle.self, "windows").windows.rows)
    }
}

@c @implementation
public func graft_windows_label(
    _ windows: OpaquePointer?, _ answers: UnsafePointer<Int64>?, _ row_count: Int64,
    _ out: UnsafeMutablePointer<Int32>?,
    _ capacity: Int64
) -> graft_status {
    call { () throws(GraftError) in
        let windows = try HandleTable.borrow(windows, WindowsHandle.self, "windows").windows
        guard row_count == Int64(windows.questionCount) else {
            throw GraftError(
                .invalidArgument, "row_count is \(row_count); the windows are of \(windows.questionCount) questions")
        }
        let labels = try windows.labels(try array(answers, count: 2 * windows.questionCount, "answers"))
        let start = try output(out, capacity: capacity, needs: labels.count, "out")
        for (index, label) in labels.enumerated() { start[index] = label }
    }
}

@c @implementation
public func graft_windows_answers(
    _ windows: OpaquePointer?, _ logits: UnsafePointer<Float>?, _ logit_count: Int64, _ best_count: Int32,
    _ maximum_tokens: Int32, _ out: UnsafeMutablePointer<graft_answer>?, _ capacity: Int64,
    _ no_answer_scores: UnsafeMutablePointer<Double>?
) -> graft_status {
    call { () throws(GraftError) in
        let windows = try HandleTable.borrow(windows, WindowsHandle.self, "windows").windows
        guard logit_count == Int64(2 * windows.rows.tokenCount) else {
            throw GraftError(
                .invalidArgument,
                "logit_count is \(logit_count); the windows have \(windows.rows.tokenCount) tokens, with two each")
        }
        guard (1...1 << 16).contains(best_count), (1...1 << 20).contains(maximum_tokens) else {
            throw GraftError(
                .invalidArgument,
                "best_count is \(best_count) and maximum_tokens \(maximum_tokens); expected 1 to 65536 and 1 to 1048576"
            )
        }
        let logits = try array(logits, count: 2 * windows.rows.tokenCount, "logits")
        let best = Int(best_count)
        let start = try output(out, capacity: capacity, needs: best * windows.questionCount, "out")
        try windows.check(logits)
        for row in 0..<windows.questionCount {
            let found = windows.answers(to: row, logits, best: best, longest: Int(maximum_tokens))
            for place in 0..<best {
                start[best * row + place] =
                    place < found.answers.count ? graft_answer(found.answers[place]) : graft_answer.none
            }
            no_answer_scores?[row] = found.noAnswerScore
        }
    }
}

extension graft_answer {
    fileprivate init(_ answer: AnswerWindows.Answer) {
        self.init(
            first_byte: Int64(answer.bytes.lowerBound), end_byte: Int64(answer.bytes.upperBound),
            first_character: Int64(answer.characters.lowerBound), end_character: Int64(answer.characters.upperBound),
            window: Int64(answer.window), first_token: Int64(answer.tokens.lowerBound),
            end_token: Int64(answer.tokens.upperBound), score: answer.score)
    }

    fileprivate static var none: graft_answer {
        graft_answer(
            first_byte: 0, end_byte: 0, first_character: 0, end_character: 0, window: -1, first_token: 0, end_token: 0,
            score: -.infinity)
    }
}
