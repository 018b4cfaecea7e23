import Glibc
import GraftFormats
import GraftTensor
import GraftTestSupport
import Testing

@testable import GraftInference

@Suite struct TokenSamplerTests {
    @Test("What is done to logits leaves the tokens and probabilities that transformers computes")
    func distributions() throws {
        let golden = try JSON(contentsOf: Goldens.path("generation/samplers.json"))
        let file = try SafetensorsFile(path: Goldens.path("generation/distributions.safetensors"))
        let (seen, prompts) = (
            try golden.array("seen").map(Goldens.numbers), try golden.array("prompts").map(Goldens.numbers)
        )
        let logits = try Goldens.floats(file, "logits")
        let width = logits.count / seen.count
        let samplers = try golden.array("samplers")
        #expect(samplers.count == 19)
        for (index, settings) in samplers.enumerated() {
            let expected = try Goldens.floats(file, "probabilities.\(index)")
            let options = try options(settings)
            let stops = Set(settings["eos_token_id"].map(Goldens.numbers) ?? [])
            for (row, prompt) in prompts.enumerated() {
                var processors = LogitProcessors(options, stops: stops, prompt: prompt, room: 0)
                for token in seen[row][prompt.count...] { try processors.append(token) }
                var own = Array(logits[row * width..<(row + 1) * width])
                var probabilities = [Float](repeating: 0, count: width)
                try own.withUnsafeMutableBufferPointer { logits in
                    try processors.process(logits)
                    let candidates = Candidates(logits, largest: logits.max() ?? 0, options)
                    let total = candidates.total
                    for candidate in candidates.all {
                        probabilities[Int(candidate.token)] = Float(candidate.share / total)
                    }
                }
                let wanted = Array(expected[row * width..<(row + 1) * width])
                #expect(probabilities.map { $0 > 0 } == wanted.map { $0 > 0 }, "sampler \(index), row \(row)")
                let difference = Goldens.difference(probabilities, wanted)
                #expect(difference < 1e-6, "sampler \(index), row \(row): \(difference)")
            }
        }
    }

    /// By transformers' names.
    private func options(_ settings: JSON) throws -> GenerationOptions {
        var options = GenerationOptions()
        options.temperature = 1
        for (name, value) in Array(settings.objectValue ?? JSONObject()) {
            func number() throws -> Float { Float(try settings.double(name)) }
            switch name {
            case "temperature": options.temperature = try number()
            case "top_k": options.topK = try settings.int(name)
            case "top_p": options.topP = try number()
            case "min_p": options.minP = try number()
            case "typical_p": options.typicalP = try number()
            case "repetition_penalty": options.repetitionPenalty = try number()
            case "frequency_penalty": options.frequencyPenalty = try number()
            case "presence_penalty": options.presencePenalty = try number()
            case "no_repeat_ngram_size": options.noRepeatSize = try settings.int(name)
            case "min_new_tokens": options.minimumTokens = try settings.int(name)
            case "eos_token_id": break
            case "sequence_bias":
                options.biases = try (value.arrayValue ?? []).map { pair in
                    let pair = try #require(pair.arrayValue)
                    // JSON has no infinity.
                    let number = pair[1].stringValue == "-inf" ? -.infinity : pair[1].doubleValue
                    let amount = Float(try #require(number))
                    return GenerationOptions.Bias(token: Int32(try #require(pair[0].intValue)), amount: amount)
                }
            default: Issue.record("\(name) is not a setting of a sampler")
            }
        }
        return options
    }

    @Test("Tokens come as often as their probabilities say")
    func frequencies() throws {
        var options = GenerationOptions()
        options.temperature = 1
        let shares: [Float] = [0.5, 0.25, 0.15, 0.1]
        var counts = [0, 0, 0, 0]
        var sampler = TokenSampler(options, stops: [], seed: 9, prompt: [1])
        var logits = [Float](repeating: 0, count: 4)
        for (index, share) in shares.enumerated() { logits[index] = logf(share) }
        for _ in 0..<20_000 {
            let token = try logits.withUnsafeMutableBufferPointer { logits throws(GraftError) in
                try sampler.next(logits)
            }
            counts[Int(token)] += 1
        }
        for (count, share) in zip(counts, shares) {
            // Four standard deviations.
            #expect(abs(Double(count) / 20_000 - Double(share)) < 0.0142, "\(counts)")
        }
    }

    @Test("Logits that are not numbers, or nowhere finite, are an error; minus infinity never comes")
    func notNumbers() throws {
        func next(_ numbers: [Float]) throws -> Int32 {
            var options = GenerationOptions()
            options.temperature = 2
            var sampler = TokenSampler(options, stops: [], seed: 1, prompt: [])
            var numbers = numbers
            return try numbers.withUnsafeMutableBufferPointer { logits throws(GraftError) in
                _ = try TokenSampler.largest(logits)
                return try sampler.next(logits)
            }
        }
        #expect(try next([-.infinity, 3, -.infinity]) == 1)
        for bad in [[1, .nan, 2], [.nan, 1, 2], [.infinity, 1], [-.infinity, -.infinity]] as [[Float]] {
            #expect(throws: GraftError.self) { try next(bad) }
        }
    }

    @Test("A text ends before the first stop string, wherever the borders of its pieces lie")
    func stopStrings() throws {
        for (text, stops, expected) in [
            ("1. Two. 3", ["Two", ". "], "1"), ("abcabd!", ["abd"], "abc"), ("aaaab", ["aab"], "aa"),
            ("xabcx", ["abc", "b"], "xa"), ("xabx", ["ab", "b"], "x"), ("no such", ["suck", "h!"], nil),
            ("日本語", ["本"], "日"), ("日木", ["本"], nil), ("end", ["end"], ""), ("plain", [], nil),
        ] as [(String, [String], String?)] {
            let characters = Array(text)
            // Every way to cut the text in pieces.
            for cuts in 0..<1 << (characters.count - 1) {
                var strings = StopStrings(stops)
                var (found, piece, hasEnded) = ("", "", false)
                for (index, character) in characters.enumerated() where !hasEnded {
                    piece.append(character)
                    guard cuts >> index & 1 == 1 || index == characters.count - 1 else { continue }
                    let result = strings.append(piece)
                    (found, piece, hasEnded) = (found + result.text, "", result.hasEnded)
                    #expect((expected ?? text).hasPrefix(found), "no more than belongs to the text")
                }
                if !hasEnded { found += strings.finish() }
                #expect(found == expected ?? text && hasEnded == (expected != nil), "\(text), \(stops), cuts \(cuts)")
            }
        }
    }
}
