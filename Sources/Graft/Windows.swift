public import CGraft
import GraftAdapters
import GraftInference
import GraftTensor
import GraftTokenizers

/// Windows as C programs hold them.
final class WindowsHandle: Sendable {
    let windows: TextWindows
    /// Nil where there are no questions.
    private let answers: AnswerWindows?
    /// The first windows of the texts, as C reads them.
    fileprivate let starts: Memory

    init(_ windows: TextWindows, _ answers: AnswerWindows? = nil) throws(GraftError) {
        (self.windows, self.answers) = (windows, answers)
        starts = try Memory(byteCount: windows.starts.count * 8)
        starts.base.assumingMemoryBound(to: Int64.self).update(from: windows.starts, count: windows.starts.count)
    }

    fileprivate func ofQuestions() throws(GraftError) -> AnswerWindows {
        guard let answers else { throw GraftError(.incompatible, "the windows are of texts without questions") }
        return answers
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
        if questions == nil && given.text_sizes != nil {
            throw GraftError(.invalidArgument, "options: text_sizes are set, and questions is NULL")
        }
        let stride = try count(Int64(stride), "stride", atMost: Int64(Tokenizer.unlimited))
        let count = try count(row_count, "row_count", atMost: 1 << 31)
        let asked = try questions.map { questions throws(GraftError) in try array(questions, count: count, "questions")
        }
        let contexts = try array(contexts, count: count, "contexts")
        let (length, isChosen) = (tokenizer.maximumLength(options), options.shortening != .declared)
        var texts = TextWindows(maximumLength: length, isChosen: isChosen)
        var answers = AnswerWindows(maximumLength: length, isChosen: isChosen)
        options.shortening = .none
        for row in 0..<count {
            try Memory.check()
            let context = try bytes(contexts[row], size: given.pair_sizes.map { $0 + row }, "contexts[\(row)]")
            guard let asked else {
                try ofRow(row) { () throws(GraftError) in
                    let encoding = try tokenizer.encode(context, options)
                    guard encoding.count > 0 else {
                        throw GraftError(.invalidArgument, "the text has no tokens; expected at least 1")
                    }
                    try texts.append(encoding, stride: stride)
                }
                continue
            }
            let question = try bytes(asked[row], size: given.text_sizes.map { $0 + row }, "questions[\(row)]")
            try ofRow(row) { () throws(GraftError) in
                let encoding = try tokenizer.encode(question, pair: context, options)
                try answers.append(
                    encoding, characters: encoding.characterOffsets(in: question, pair: context),
                    characterCount: characterCount(context), stride: stride)
            }
        }
        return asked == nil ? try WindowsHandle(texts) : try WindowsHandle(answers.texts, answers)
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
        let windows = try HandleTable.borrow(windows, WindowsHandle.self, "windows").ofQuestions()
        guard row_count == Int64(windows.questionCount) else {
            throw GraftError(
                .invalidArgument, "row_count is \(row_count); the windows are of \(windows.questionCount) questions")
        }
        let labels = try windows.labels(try array(answers, count: 2 * windows.questionCount, "answers"))
        try write(labels, to: out, capacity: capacity)
    }
}

@c @implementation
public func graft_windows_answers(
    _ windows: OpaquePointer?, _ logits: UnsafePointer<Float>?, _ logit_count: Int64, _ best_count: Int32,
    _ maximum_tokens: Int32, _ out: UnsafeMutablePointer<graft_answer>?, _ capacity: Int64,
    _ no_answer_scores: UnsafeMutablePointer<Double>?
) -> graft_status {
    call { () throws(GraftError) in
        let windows = try HandleTable.borrow(windows, WindowsHandle.self, "windows").ofQuestions()
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

@c @implementation
public func graft_windows_spread(
    _ windows: OpaquePointer?, _ numbers: UnsafePointer<Int32>?, _ count: Int64,
    _ labels: UnsafePointer<UnsafePointer<CChar>?>?, _ label_count: Int32, _ out: UnsafeMutablePointer<Int32>?,
    _ capacity: Int64
) -> graft_status {
    call { () throws(GraftError) in
        let windows = try HandleTable.borrow(windows, WindowsHandle.self, "windows").windows
        let given = try tokenNumbers(numbers, count)
        let names = try labels.map { labels throws(GraftError) in
            try texts(labels, count: max(0, Int(label_count)), "labels")
        }
        if let names, let place = given.firstIndex(where: { $0 >= Int32(names.count) }) {
            throw GraftError(
                .invalidArgument, "numbers[\(place)] is \(given[place]); expected a label below \(names.count)")
        }
        let spread = try windows.spread(given, once: names != nil, names.flatMap { TagScheme(labels: $0) })
        try write(spread, to: out, capacity: capacity)
    }
}

@c @implementation
public func graft_windows_join(
    _ windows: OpaquePointer?, _ numbers: UnsafePointer<Int32>?, _ count: Int64, _ out: UnsafeMutablePointer<Int32>?,
    _ capacity: Int64
) -> graft_status {
    call { () throws(GraftError) in
        let windows = try HandleTable.borrow(windows, WindowsHandle.self, "windows").windows
        try write(try windows.join(try tokenNumbers(numbers, count)), to: out, capacity: capacity)
    }
}

private func tokenNumbers(
    _ numbers: UnsafePointer<Int32>?, _ given: Int64
) throws(GraftError) -> UnsafeBufferPointer<Int32> {
    try array(numbers, count: try count(given, "count", atMost: 1 << 40), "numbers")
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
