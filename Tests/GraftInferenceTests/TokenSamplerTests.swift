import Glibc
import GraftFormats
import GraftTensor
import GraftTestSupport
import Testing

@testable import GraftInference

@Suite struct TokenSamplerTests {
    @Test("Repetition penalty, temperature, top-k and top-p leave the probabilities that transformers computes")
    func distributions() throws {
        let golden = try JSON(contentsOf: Goldens.path("generation/samplers.json"))
        let file = try SafetensorsFile(path: Goldens.path("generation/distributions.safetensors"))
        let seen = try golden.array("seen").map(Goldens.numbers)
        let logits = try Goldens.floats(file, "logits")
        let width = logits.count / seen.count
        let samplers = try golden.array("samplers")
        #expect(samplers.count == 7)
        for (index, settings) in samplers.enumerated() {
            let expected = try Goldens.floats(file, "probabilities.\(index)")
            var options = GenerationOptions()
            options.temperature = Float(try settings.double("temperature"))
            options.topK = try settings.int("top_k")
            options.topP = Float(try settings.double("top_p"))
            options.repetitionPenalty = Float(try settings.double("repetition_penalty"))
            for (row, prompt) in seen.enumerated() {
                let sampler = TokenSampler(options, seed: 1, prompt: prompt)
                var own = Array(logits[row * width..<(row + 1) * width])
                var probabilities = [Float](repeating: 0, count: width)
                try own.withUnsafeMutableBufferPointer { logits in
                    sampler.penalize(logits)
                    let best = try TokenSampler.largest(logits)
                    let candidates = sampler.candidates(logits, largest: logits[best])
                    let total = candidates.reduce(0) { $0 + $1.share }
                    for candidate in candidates { probabilities[Int(candidate.token)] = Float(candidate.share / total) }
                }
                let difference = Goldens.difference(probabilities, Array(expected[row * width..<(row + 1) * width]))
                #expect(difference < 1e-6, "sampler \(index), row \(row): \(difference)")
            }
        }
    }

    @Test("Tokens come as often as their probabilities say")
    func frequencies() throws {
        var options = GenerationOptions()
        options.temperature = 1
        let shares: [Float] = [0.5, 0.25, 0.15, 0.1]
        var counts = [0, 0, 0, 0]
        var sampler = TokenSampler(options, seed: 9, prompt: [1])
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
            var sampler = TokenSampler(options, seed: 1, prompt: [])
            var numbers = numbers
            return try numbers.withUnsafeMutableBufferPointer { logits throws(GraftError) in try sampler.next(logits) }
        }
        #expect(try next([-.infinity, 3, -.infinity]) == 1)
        for bad in [[1, .nan, 2], [.nan, 1, 2], [.infinity, 1], [-.infinity, -.infinity]] as [[Float]] {
            #expect(throws: GraftError.self) { try next(bad) }
        }
    }
}
