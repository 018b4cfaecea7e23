import GraftFormats
import GraftTensor
import GraftTestSupport
import Testing

@testable import GraftTraining

/// Learning rates as transformers computes them, and optimizers as torch does.
@Suite struct ScheduleTests {
    static let settings = (try? JSON(contentsOf: Goldens.path("optimizers/settings.json"))) ?? .null

    @Test("The factors of every step are those of transformers")
    func factors() throws {
        var names: Set<String> = []
        for golden in try Self.settings.array("schedules") {
            let name = try golden.string("schedule")
            names.insert(name)
            let shape: Schedule.Shape = name == "linear" ? .linear : name == "cosine" ? .cosine : .constant
            let total = try golden.int("total_steps")
            let schedule = Schedule(shape: shape, warmupSteps: try golden.int("warmup_steps"), totalSteps: total)
            for (step, factor) in try golden.array("factors").enumerated() {
                let expected = try #require(factor.doubleValue)
                // Past the end, where transformers' cosine rises again, nothing trains.
                if step > total { continue }
                let found = schedule.factor(atStep: step)
                #expect(
                    abs(found - expected) < 1e-12, "\(name), \(total) steps, step \(step): \(found) for \(expected)")
            }
        }
        #expect(names == ["constant", "linear", "cosine"])
    }

    @Test("An open schedule stays at the peak after its warm-up")
    func open() {
        let schedule = Schedule(shape: .linear, warmupSteps: 2, totalSteps: 0)
        #expect((0..<5).map(schedule.factor) == [0, 0.5, 1, 1, 1])
    }

    @Test(
        "A warm-up ratio is rounded up to steps, as transformers does",
        arguments: [
            (Float(0.06), 1000, 60), (0.1, 1000, 100), (0.1, 1001, 101), (0.06, 785, 48), (0.3, 10, 3), (0, 50, 0),
            (1, 50, 50), (0.001, 5, 1),
        ])
    func warmupRatio(ratio: Float, total: Int, steps: Int) throws {
        let fixture = try TrainingFixture(rows: 3)
        let options = TrainingFixture.options {
            $0.warmupRatio = ratio
            $0.totalSteps = total
        }
        let trainer = try Trainer(adapter: try fixture.adapter(), options: options)
        #expect(trainer.schedule.warmupSteps == steps)
    }

    private func options(_ golden: JSON) throws -> TrainerOptions {
        var options = TrainerOptions()
        options.maximumGradientNorm = 0
        options.optimizer = try golden.string("optimizer") == "SGD" ? .sgd : .adamW
        options.learningRate = Float(try golden.double("lr"))
        options.weightDecay = Float(try golden.optionalDouble("weight_decay") ?? 0)
        options.momentum = Float(try golden.optionalDouble("momentum") ?? 0)
        if let betas = try golden.optionalArray("betas") {
            options.beta1 = Float(try #require(betas[0].doubleValue))
            options.beta2 = Float(try #require(betas[1].doubleValue))
        }
        if let epsilon = try golden.optionalDouble("eps") { options.epsilon = Float(epsilon) }
        return options
    }

    @Test("A hundred steps of each optimizer equal torch's")
    func optimizers() throws {
        let file = try SafetensorsFile(path: Goldens.path("optimizers/vectors.safetensors"))
        let gradients = try Goldens.floats(file, "gradients")
        let team = try Team(threadCount: 2)
        let kept = try Self.settings.array("kept_after").compactMap(\.intValue)
        #expect(kept.last == 100)
        var names: [String] = []
        for (name, golden) in try Self.settings.object("optimizers") {
            // The trainer's SGD has no Nesterov momentum.
            if try golden.optionalBool("nesterov") ?? false { continue }
            names.append(name)
            let options = try options(golden)
            var values = try Goldens.floats(file, "start")
            let state = try OptimizerState(count: values.count)
            for step in 0..<100 {
                state.gradients.update(from: Array(gradients[step * 37..<(step + 1) * 37]), count: 37)
                state.update(
                    &values, norm: state.gradientNorm(team), learningRate: Double(options.learningRate), step: step,
                    options, team)
                guard kept.contains(step + 1) else { continue }
                let expected = try Goldens.floats(file, "\(name).after_\(step + 1)")
                let difference = Goldens.difference(values, expected)
                #expect(difference < 1e-6, "\(name) after \(step + 1) steps: \(difference)")
            }
        }
        #expect(names.count == 6)
    }

    @Test("A gradient longer than the limit is clipped as torch clips it")
    func clipping() throws {
        let file = try SafetensorsFile(path: Goldens.path("optimizers/vectors.safetensors"))
        let clipping = try #require(Self.settings["clipping"])
        let gradient = Array(try Goldens.floats(file, "gradients")[..<37])
        let expected = try Goldens.floats(file, "clipped_gradient")
        let team = try Team(threadCount: 1)
        let state = try OptimizerState(count: 37)
        state.gradients.update(from: gradient, count: 37)
        let norm = state.gradientNorm(team)
        #expect(abs(norm - (try clipping.double("norm"))) < 1e-5)
        var options = TrainerOptions()
        options.optimizer = .sgd
        options.momentum = 0
        options.weightDecay = 0
        options.maximumGradientNorm = Float(try clipping.double("maximum_norm"))
        var values = [Float](repeating: 0, count: 37)
        state.update(&values, norm: norm, learningRate: 1, step: 0, options, team)
        #expect(Goldens.difference(values.map { -$0 }, expected) < 1e-6)
    }
}
