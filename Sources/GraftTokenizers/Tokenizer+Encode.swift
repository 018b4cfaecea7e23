import GraftFormats
import GraftTensor

extension Tokenizer {
    /// How to encode.
    package struct Options: Equatable, Sendable {
        /// How to shorten what is too long. `declared`: as the tokenizer's files say, which may be
        /// not at all.
        package enum Shortening: Equatable, Sendable {
            case declared
            case none
            /// To so many tokens, dropped from the end of the longer text, or from the side that
            /// the files say.
            case length(Int)
            case to(Truncation)
        }

        package var shortening: Shortening
        /// Whether to add the model's own tokens, such as `[CLS]` and `[SEP]`.
        package var addsSpecialTokens: Bool
        /// Whether U+FFFD stands for bytes that are not UTF-8, which otherwise are refused.
        package var replacesInvalidUTF8 = false

        package init(shortening: Shortening = .declared, addsSpecialTokens: Bool = true) {
            self.shortening = shortening
            self.addsSpecialTokens = addsSpecialTokens
        }

        /// At most `maximumLength` tokens; nil as the files say, `unlimited` without a limit.
        package init(maximumLength: Int?, addsSpecialTokens: Bool = true) {
            let shortening = maximumLength.map { $0 < unlimited ? Shortening.length($0) : .none }
            self.init(shortening: shortening ?? .declared, addsSpecialTokens: addsSpecialTokens)
        }
    }

    /// Encodes a text or a pair of texts.
    ///
    /// Texts are UTF-8 and may hold anything, NUL included; ill-formed UTF-8 is refused with the
    /// position of the first wrong byte, unless the options have it replaced. Offsets in the result
    /// are bytes of the texts.
    package func encode(
        _ text: UnsafeBufferPointer<UInt8>, pair: UnsafeBufferPointer<UInt8>? = nil, _ options: Options = Options()
    ) throws(GraftError) -> Encoding {
        if options.replacesInvalidUTF8,
            UTF8Validation.firstInvalid(text) != nil || pair.flatMap(UTF8Validation.firstInvalid) != nil
        {
            return try encodeRepaired(text, pair: pair, options)
        }
        // Tokens with their places take several times the memory of the text.
        try Memory.require(16 * (text.count + (pair?.count ?? 0)), to: "encoding a text")
        return try withScratch { scratch throws(GraftError) in
            let truncation = truncation(options)
            // Of a single text, words beyond the limit need not be looked up. How a pair is
            // shortened depends on the lengths of both.
            let mayStop = pair == nil && truncation?.side == .right && truncation?.strategy != .onlySecond
            // One more than may stay tells that some must go.
            let limit = mayStop ? truncation.map { min($0.maximumLength, Self.unlimited) + 1 } : nil
            try tokenize(text, &scratch.first, limit: limit, isSecond: false, &scratch.model)
            if let pair { try tokenize(pair, &scratch.second, limit: nil, isSecond: true, &scratch.model) }
            try shorten(scratch, hasPair: pair != nil, truncation, options)
            return assemble(scratch, hasPair: pair != nil, options)
        }
    }

    package func encode(_ text: String, pair: String? = nil, _ options: Options = Options()) throws(GraftError)
        -> Encoding
    {
        let text = Array(text.utf8)
        let pair = pair.map { Array($0.utf8) }
        return try text.withUnsafeBufferPointer { text throws(GraftError) in
            guard let pair else { return try encode(text, options) }
            return try pair.withUnsafeBufferPointer { pair throws(GraftError) in
                try encode(text, pair: pair, options)
            }
        }
    }

    /// The tokens of an encoding as the vocabulary spells them.
    package func tokens(of encoding: Encoding) -> [String] {
        encoding.ids.map { token(for: $0) ?? "" }
    }

    /// From bytes to tokens with their places in the original.
    private func tokenize(
        _ text: UnsafeBufferPointer<UInt8>, _ work: inout SequenceWork, limit: Int?, isSecond: Bool,
        _ scratch: inout ModelScratch
    ) throws(GraftError) {
        try Self.check(text, isSecond: isSecond)
        work.begin(text)
        try addedTokens.divideOriginal(&work.text)
        for normalizer in normalizers {
            try Memory.check()
            try work.text.rewrite { (source, range, out) throws(GraftError) in
                try normalizer.normalize(source, range, into: &out)
            }
        }
        try addedTokens.divideNormalized(&work.text)
        for preTokenizer in preTokenizers {
            try Memory.check()
            try preTokenizer.divide(&work.text)
        }
        try Memory.check()
        try model.tokenize(work.text, limit: limit, into: &work.tokens, with: &scratch)
        try Memory.check()
        work.locateTokens()
        work.kept = 0..<work.tokens.count
    }

    private static func check(_ text: UnsafeBufferPointer<UInt8>, isSecond: Bool) throws(GraftError) {
        guard text.count <= WorkingText.maximumCount else { throw WorkingText.tooLong(text.count) }
        if let position = UTF8Validation.firstInvalid(text) {
            throw GraftError(
                .invalidArgument,
                "the \(isSecond ? "second " : "")text is not UTF-8: byte \(position) of \(text.count), "
                    + "\(text[position]), starts no valid character")
        }
    }

    private func shorten(
        _ scratch: Scratch, hasPair: Bool, _ truncation: Truncation?, _ options: Options
    ) throws(GraftError) {
        guard let truncation else { return }
        let added = options.addsSpecialTokens ? postProcessors.reduce(0) { $0 + $1.addedCount(isPair: hasPair) } : 0
        guard truncation.maximumLength >= added else {
            throw GraftError(
                .invalidArgument,
                "a maximum of \(truncation.maximumLength) tokens leaves no room for the \(added) that are added")
        }
        let lengths = try truncation.lengths(
            first: scratch.first.kept.count, second: hasPair ? scratch.second.kept.count : nil,
            room: truncation.maximumLength - added)
        Self.keep(lengths.first, of: &scratch.first, truncation.side)
        if hasPair { Self.keep(lengths.second, of: &scratch.second, truncation.side) }
    }

    private static func keep(_ count: Int, of work: inout SequenceWork, _ side: Truncation.Side) {
        guard count < work.kept.count else { return }
        switch side {
        case .right: work.kept = work.kept.lowerBound..<work.kept.lowerBound + count
        case .left: work.kept = work.kept.upperBound - count..<work.kept.upperBound
        }
    }

    private func assemble(_ scratch: Scratch, hasPair: Bool, _ options: Options) -> Encoding {
        var parts: [EncodingPart] =
            hasPair ? [.sequence(0, typeID: 0), .sequence(1, typeID: 1)] : [.sequence(0, typeID: 0)]
        for postProcessor in postProcessors {
            postProcessor.adjustOffsets(of: &scratch.first, vocabulary: vocabulary)
            if hasPair { postProcessor.adjustOffsets(of: &scratch.second, vocabulary: vocabulary) }
            parts = postProcessor.arrange(parts, addsSpecialTokens: options.addsSpecialTokens)
        }
        var encoding = Encoding(parts, scratch)
        if let unknown = model.unknown {
            encoding.unknownCount = zip(encoding.ids, encoding.specialTokensMask).count { $0 == unknown && !$1 }
        }
        return encoding
    }
}
