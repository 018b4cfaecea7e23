import GraftAdapters
import GraftMatrix
import GraftTestSupport
import Testing

@testable import GraftTraining

/// Every method, on every architecture, in training.
@Suite struct TrainingMatrixTests {
    @Test("Training lowers the loss, and changes the adapter and nothing of the model", arguments: Cell.trained)
    func learns(cell: Cell) throws {
        let model = try cell.model()
        let checksum = model.source.checksum
        let rows = try cell.rows(count: 20)
        let adapter = try cell.adapter()
        let before = values(adapter)
        let trainer = try Trainer(adapter: adapter, options: cell.options())
        let first = try trainer.evaluate(rows).value("loss")
        _ = try trainer.fit(rows, evaluation: nil) { _ in true }
        let last = try trainer.evaluate(rows).value("loss")
        // A prefix helps a token little that stands beyond Mistral's window, a prompt a tagger.
        #expect(last < 0.98 * first, "from \(first) to \(last)")
        for tensor in adapter.content.plan.tensors where isRead(tensor, for: cell) {
            let range = tensor.parameter.offset..<tensor.parameter.offset + tensor.parameter.count
            #expect(values(adapter)[range] != before[range], "\(tensor.name) learned nothing")
        }
        #expect(model.source.checksum == checksum)
    }

    @Test(
        "Gradients are the central differences of the loss",
        arguments: Cell.trained.filter { $0.precision == .float32 })
    func gradients(cell: Cell) throws {
        let rows = try cell.rows(count: 8)
        let adapter = try cell.actingAdapters()[0]
        let trainer = try Trainer(adapter: adapter, options: cell.options())
        for numbers in try CentralDifferences(trainer, adapter: adapter, rows, steps: [0.005, 0.001, 0.0004]).checked {
            let number = numbers[0]
            // Differences tell no more than they agree on.
            let spread = (number.differences.max() ?? 0) - (number.differences.min() ?? 0)
            #expect(
                number.differences.contains { abs(Double(number.gradient) - $0) < 2e-4 + 4e-3 * abs($0) + spread },
                "\(number)")
            let tensor = try #require(adapter.content.plan.tensors.first { $0.name == number.tensor })
            if isRead(tensor, for: cell) { #expect(number.gradient != 0, "\(number.tensor) has no gradient") }
        }
        let found = try trainer.gradients(of: rows)
        trainer.pass.runsLayersAgain = true
        let again = try trainer.gradients(of: rows)
        #expect(found.loss == again.loss && found.gradients == again.gradients, "layers that run again")
    }

    @Test("A training has the same bits on 1, 2, 3 and 8 threads", arguments: Cell.trained)
    func threads(cell: Cell) throws {
        let one = values(try cell.train(cell.options()))
        for threads in [2, 3, 8] {
            #expect(values(try cell.train(cell.options(threads: threads))) == one, "\(threads) threads")
        }
    }

    @Test(
        "A training that is killed at random moments and started again ends with the bytes of one that was not",
        arguments: Cell.trained.filter { $0.precision == .float32 })
    func killed(cell: Cell) throws {
        let folder = try Goldens.temporaryFolder()
        try cell.train(cell.options()).save(to: folder + "/whole")
        let whole = try FolderContents(folder + "/whole")
        var kills = 0
        for run in 0..<20 where kills < 3 {
            let checkpoint = "\(folder)/\(run)-checkpoint"
            let end = "\(folder)/\(run)-end"
            var isFinished = false
            for _ in 0..<100 where !isFinished {
                let process = try TrainingProcess(cell, checkpoint: checkpoint, end: end)
                // Each time a while after the first checkpoint, so that there is something to go on
                // from.
                if kills < 3 { process.kill(after: checkpoint, microseconds: .random(in: 0...30_000)) }
                isFinished = try process.wait()
                kills += isFinished ? 0 : 1
            }
            #expect(try FolderContents(end) == whole, "after \(kills) kills")
        }
        #expect(kills == 3)
    }

    /// Vectors of rows are made of hidden states: a pooler, which PEFT adapts as well, is not read.
    /// What all choices of a question have more, as the head's bias, chooses none.
    private func isRead(_ tensor: PlannedTensor, for cell: Cell) -> Bool {
        if case .dense(_, .choice) = cell.task?.head, tensor.parameter.count == 1 { return false }
        return cell.task?.head != .embedding || !tensor.name.contains("pooler.")
    }

    private func values(_ adapter: Adapter) -> [UInt32] {
        let content = adapter.content
        return (0..<content.plan.parameterCount).map { content.values[$0].bitPattern }
    }
}
