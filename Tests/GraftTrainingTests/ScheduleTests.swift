import GraftFormats
import GraftTensor
import GraftTestSupport
import Testing

@testable import GraftTraining

/// Learning rates as transformers computes them.
@Suite struct ScheduleTests {
    private func rate(_ choice: NamedChoice, peak: Float = 1) throws -> LearningRate {
        let (member, settings) = try Schedules.list.find(choice)
        return LearningRate(peak: peak, member, settings)
    }

    @Test("The factors of every step are those of transformers, of every schedule that there is")
    func factors() throws {
        let goldens = try JSON(contentsOf: Goldens.path("optimizers/settings.json"))
        var names: Set<String> = []
        for golden in try goldens.array("schedules") {
            let name = try golden.string("schedule")
            names.insert(name)
            let total = try golden.int("total_steps")
            var choice = NamedChoice(name, try golden.object("settings"))
            choice.settings["warmup_ratio"] = 0
            choice.settings["warmup_steps"] = golden["warmup_steps"]
            let rate = try rate(choice)
            for (step, factor) in try golden.array("factors").enumerated() {
                let expected = try #require(factor.doubleValue)
                let found = rate.rate(atStep: step, of: total)
                #expect(
                    abs(found - expected) < 1e-12, "\(golden), step \(step): \(found) for \(expected)")
            }
        }
        #expect(names == Set(Schedules.list.names))
    }

    @Test("The rate is the peak times the factor; only a polynomial's end is a rate itself")
    func peak() throws {
        for name in Schedules.list.names {
            let (one, other) = (try rate(NamedChoice(name)), try rate(NamedChoice(name), peak: 0.25))
            for step in 0...20 where name != "polynomial" {
                #expect(other.rate(atStep: step, of: 20) == 0.25 * one.rate(atStep: step, of: 20), "\(name)")
            }
        }
        let polynomial = try rate(NamedChoice("polynomial", ["lr_end": 0.125, "warmup_ratio": 0]), peak: 0.25)
        #expect([0, 10, 20, 30].map { polynomial.rate(atStep: $0, of: 20) } == [0.25, 0.1875, 0.125, 0.125])
    }

    @Test("An open schedule stays at the peak after its warm-up, unless it needs no end")
    func open() throws {
        for name in Schedules.list.names where name != "inverse_sqrt" {
            let rate = try rate(NamedChoice(name, ["warmup_steps": 2]))
            #expect((0..<5).map { rate.rate(atStep: $0, of: 0) } == [0, 0.5, 1, 1, 1], "\(name)")
        }
        let root = try rate(NamedChoice("inverse_sqrt", ["timescale": 4, "warmup_ratio": 0]))
        #expect([0, 12].map { root.rate(atStep: $0, of: 0) } == [1, 0.5])
    }

    @Test(
        "A warm-up ratio is rounded up to steps, as transformers does",
        arguments: [
            (0.06, 1000, 60), (0.1, 1000, 100), (0.1, 1001, 101), (0.06, 785, 48), (0.3, 10, 3), (0, 50, 0),
            (1, 50, 50), (0.001, 5, 1), (0.07, 100, 7),
        ])
    func warmupRatio(ratio: Double, total: Int, steps: Int) throws {
        #expect(try rate(NamedChoice("linear", ["warmup_ratio": .double(ratio)])).warmupSteps(of: total) == steps)
    }

    @Test("Fewer than all warm-up steps are the caller's, whatever the ratio")
    func warmupSteps() throws {
        let rate = try rate(NamedChoice("linear", ["warmup_ratio": 0.5, "warmup_steps": 3]))
        #expect(rate.warmupSteps(of: 100) == 3)
    }
}
