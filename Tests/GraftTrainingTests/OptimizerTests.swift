import GraftFormats
import GraftTensor
import GraftTestSupport
import Testing

@testable import GraftTraining

/// Optimizers as torch's.
@Suite struct OptimizerTests {
    static let settings = (try? JSON(contentsOf: Goldens.path("optimizers/settings.json"))) ?? .null

    private func state(_ choice: NamedChoice, count: Int) throws -> OptimizerState {
        let (member, settings) = try Optimizers.list.find(choice)
        return try OptimizerState(member.init(settings), count: count)
    }

    /// torch's settings under the names that they have here.
    private func choice(_ golden: JSON) throws -> NamedChoice {
        let name = try golden.string("optimizer").lowercased()
        var choice = NamedChoice(name)
        if name == "sgd" { choice.settings["momentum"] = 0 }
        for (key, value) in try golden.requireObject() {
            switch key {
            case "optimizer", "lr": break
            case "betas":
                choice.settings["beta1"] = value.arrayValue?[0]
                choice.settings["beta2"] = value.arrayValue?[1]
            case "eps": choice.settings["epsilon"] = value
            case "weight_decay": choice.settings[name == "adamw" ? "weight_decay" : "l2"] = value
            default: choice.settings[key] = value
            }
        }
        return choice
    }

    @Test("A hundred steps of each optimizer equal torch's")
    func steps() throws {
        let file = try SafetensorsFile(path: Goldens.path("optimizers/vectors.safetensors"))
        let gradients = try Goldens.floats(file, "gradients")
        let team = try Team(threadCount: 2)
        let kept = try Self.settings.array("kept_after").compactMap(\.intValue)
        #expect(kept.last == 100)
        var names: Set<String> = []
        for (name, golden) in try Self.settings.object("optimizers") {
            let choice = try choice(golden)
            names.insert(choice.name)
            var values = try Goldens.floats(file, "start")
            let state = try state(choice, count: values.count)
            for step in 0..<100 {
                state.gradients.update(from: Array(gradients[step * 37..<(step + 1) * 37]), count: 37)
                state.update(&values, scale: 1, learningRate: try golden.double("lr"), number: step + 1, team)
                guard kept.contains(step + 1) else { continue }
                let expected = try Goldens.floats(file, "\(name).after_\(step + 1)")
                let difference = Goldens.difference(values, expected)
                let largest = expected.reduce(1) { max($0, abs($1)) }
                #expect(difference < 1e-6 * largest, "\(name) after \(step + 1) steps: \(difference)")
            }
        }
        #expect(names == Set(Optimizers.list.names))
    }

    @Test("A gradient longer than the limit is clipped as torch clips it")
    func clipping() throws {
        let file = try SafetensorsFile(path: Goldens.path("optimizers/vectors.safetensors"))
        let clipping = try #require(Self.settings["clipping"])
        let gradient = Array(try Goldens.floats(file, "gradients")[..<37])
        let expected = try Goldens.floats(file, "clipped_gradient")
        let team = try Team(threadCount: 1)
        let state = try state(NamedChoice("sgd", ["momentum": 0]), count: 37)
        state.gradients.update(from: gradient, count: 37)
        let norm = state.gradientNorm(team)
        #expect(abs(norm - (try clipping.double("norm"))) < 1e-5)
        let scale = OptimizerState.clipping(norm: norm, maximum: Float(try clipping.double("maximum_norm")))
        var values = [Float](repeating: 0, count: 37)
        state.update(&values, scale: scale, learningRate: 1, number: 1, team)
        #expect(Goldens.difference(values.map { -$0 }, expected) < 1e-6)
        #expect(OptimizerState.clipping(norm: norm, maximum: 0) == 1)
    }

    @Test(
        "An optimizer keeps as many arrays as it needs, under names of their own",
        arguments: [
            (NamedChoice("adamw"), ["first_moment", "second_moment"]),
            (NamedChoice("adam"), ["first_moment", "second_moment"]),
            (NamedChoice("sgd"), ["velocity"]), (NamedChoice("sgd", ["momentum": 0]), []),
            (NamedChoice("adagrad"), ["sum_of_squares"]),
        ])
    func memory(choice: NamedChoice, arrays: [String]) throws {
        let state = try state(choice, count: 1000)
        #expect(state.kept.arrays.map(\.name) == arrays)
        #expect(state.kept.arrays.allSatisfy { $0.count == 1000 })
    }

    @Test("Settings are declared once: each has its default, and both ends of its range are taken")
    func declarations() throws {
        for list in [Optimizers.list.names.map { ($0, "optimizer") }, Schedules.list.names.map { ($0, "schedule") }] {
            for (name, kind) in list {
                func find(_ choice: NamedChoice) throws -> Settings {
                    try kind == "optimizer"
                        ? Optimizers.list.find(choice).settings : Schedules.list.find(choice).settings
                }
                let declarations = kind == "optimizer" ? Optimizers.list.declarations : Schedules.list.declarations
                let index = try #require(list.firstIndex { $0.0 == name })
                let declared = try JSON(parsing: declarations[index], source: name).requireObject()
                let defaults = try find(NamedChoice(name)).values
                #expect(declared.keys == defaults.keys)
                for (key, setting) in declared {
                    #expect(setting["default"] == defaults[key], "\(name).\(key)")
                    #expect(setting["description"]?.stringValue?.isEmpty == false)
                    for limit in [setting["minimum"], setting["maximum"]].compactMap({ $0 }) {
                        _ = try find(NamedChoice(name, [key: limit]))
                    }
                    for wrong in ["text", .array([]), .double(-1e300)] as [JSON] {
                        let error = #expect(throws: GraftError.self) { try find(NamedChoice(name, [key: wrong])) }
                        #expect(error?.code == .invalidArgument)
                        #expect(
                            error?.message.hasPrefix("\(kind)_settings: \(key) of \(kind) \"\(name)\" must be ")
                                == true,
                            "\(error?.message ?? "")")
                    }
                }
            }
        }
    }

    @Test("An unknown name or setting is refused, and the message says what there is")
    func unknown() throws {
        let name = #expect(throws: GraftError.self) { try Optimizers.list.find(NamedChoice("lion")) }
        #expect(name?.code == .notFound)
        #expect(name?.message == "optimizer \"lion\"; this build has adamw, adam, sgd, adagrad")
        let setting = #expect(throws: GraftError.self) {
            try Optimizers.list.find(NamedChoice("sgd", ["weight_decay": 0.1]))
        }
        #expect(setting?.code == .invalidArgument)
        #expect(
            setting?.message
                == "optimizer_settings: optimizer \"sgd\" has no setting \"weight_decay\"; it has momentum, nesterov, l2, "
                + "head_lr_ratio, loraplus_lr_ratio"
        )
        let none = #expect(throws: GraftError.self) { try StepPlans.list.find(NamedChoice("plain", ["x": 1])) }
        #expect(none?.message == "step_plan_settings: step_plan \"plain\" has no setting \"x\"; it has none")
        let fixture = try TrainingFixture(rows: 3)
        let adapter = try fixture.adapter()
        for change in [
            { $0.optimizer = NamedChoice("lion") }, { $0.schedule = NamedChoice("lion") },
            { $0.stepPlan = NamedChoice("lion") },
        ] as [(inout TrainerOptions) -> Void] {
            #expect(throws: GraftError.self) {
                try Trainer(adapter: adapter, options: TrainingFixture.options(change))
            }
        }
        // A refused trainer leaves the adapter to the next.
        _ = try Trainer(adapter: adapter, options: TrainingFixture.options())
    }
}
