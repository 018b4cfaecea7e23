import GraftAdapters
import GraftTensor
import Testing

@testable import GraftInference

@Suite("Predictions of one row's logits")
struct PredictionTests {
    private func best(
        _ count: Int, _ logits: [Float], _ outputs: GraftAdapters.Task.Outputs = .oneLabel
    ) throws -> [Session.Prediction] {
        var logits = logits
        var order = [Int32](repeating: -5, count: logits.count)
        var predictions: [Session.Prediction] = []
        try logits.withUnsafeMutableBufferPointer { logits in
            try Session.rank(logits, outputs, best: count, with: &order, into: &predictions)
        }
        return predictions
    }

    @Test("Equal logits come in the order of their labels")
    func ties() throws {
        #expect(try best(3, [1, 2, 2, 1, 2]).map(\.label) == [1, 2, 4])
        #expect(try best(1, [0, 0, 0]).map(\.label) == [0])
        #expect(try best(1, [-0.0, 0.0]).map(\.label) == [0])
    }

    @Test("Any number of labels comes in the order of a sort")
    func order() throws {
        var random = RandomNumbers(seed: 3, stream: "logits")
        for count in 1...40 {
            let logits = (0..<count).map { _ in Float(random.next() % 7) }
            let sorted = logits.indices.sorted { logits[$0] != logits[$1] ? logits[$0] > logits[$1] : $0 < $1 }
            for wanted in [1, count / 2, count] {
                #expect(try best(wanted, logits).map { Int($0.label) } == Array(sorted.prefix(wanted)), "\(logits)")
            }
        }
    }

    @Test("Probabilities are softmax, also of large logits, and sum to 1")
    func softmax() throws {
        let third = try best(3, [5, 5, 5])
        #expect(third.allSatisfy { abs($0.probability - 1 / 3) < 1e-7 })
        let large = try best(2, [1e30, -1e30])
        #expect(large.map(\.probability) == [1, 0])
        let own = try best(4, [0.5, -1, 3, 2])
        #expect(abs(own.reduce(0) { $0 + $1.probability } - 1) < 1e-6)
        #expect(own.map(\.label) == [2, 3, 0, 1])
        #expect(abs(own[0].probability - 0.6811) < 1e-4)
    }

    @Test("Labels that do not exclude each other have each its own sigmoid")
    func sigmoid() throws {
        let own = try best(3, [0, 2, -30], .labels)
        #expect(own.map(\.label) == [1, 0, 2])
        #expect(abs(own[0].probability - 0.880797) < 1e-6 && own[1].probability == 0.5)
        #expect(own[2].probability > 0 && own[2].probability < 1e-12)
        #expect(try best(1, [-1e30], .labels)[0].probability == 0)
    }

    @Test("A row with fewer labels than wanted ends in -1 and 0")
    func fewer() throws {
        let predictions = try best(4, [1, 2])
        #expect(predictions.map(\.label) == [1, 0, -1, -1])
        #expect(predictions.suffix(2).map(\.probability) == [0, 0])
    }

    @Test(
        "Logits that are not finite have diverged", arguments: [[.nan, 1], [1, .nan], [.infinity, 1]] as [[Float]])
    func diverged(_ logits: [Float]) throws {
        let error = #expect(throws: GraftError.self) { try best(1, logits) }
        #expect(error?.code == .diverged)
    }
}
