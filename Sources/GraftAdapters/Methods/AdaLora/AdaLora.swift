import GraftFormats
import GraftLayers
import GraftTensor

/// Adaptive low-rank adaptation (Zhang et al. 2023, eq. 3): y += alpha / init_r · B (E ∘ A
/// dropout(x)).
///
/// A [r, in], E [r, 1], B [out, r]: a decomposition as by singular values, whose E starts at zero.
/// Training begins with `init_r` ranks at each module and prunes those that matter least, until the
/// modules have `target_r` on average: see `AdaLoraRule`. Files have what is kept.
package struct AdaLora: AdapterMethod {
    package static let name = "adalora"
    package static let layout: any AdapterLayout.Type = PeftLayout.self
    package static let typeName: String? = "ADALORA"

    private static let patternKey = "rank_pattern"
    /// What a file says instead of null, which PEFT does not read: steps that no training has.
    private static let openEnd = Int(Int32.max)

    private let schedule: RankSchedule
    private let rankCount: Int
    /// nil stands for the rank that a module has, as a file that was trained with 0.
    private let alpha: Double?
    private let dropout: Float
    private let startsAtZero: Bool
    private let smoothing: (sensitivity: Float, uncertainty: Float)
    private let penalty: Double
    private let targets: TargetModules
    private let biases: TrainedBiases
    private let patterns: [(name: String, kept: [Bool])]
    private let place: String

    /// PEFT's.
    private static let defaults: [(key: String, value: JSON)] = [
        ("auto_mapping", .null), ("base_model_name_or_path", .null), ("beta1", .double(0.85)), ("beta2", .double(0.85)),
        ("bias", "none"), ("deltaT", 1), ("exclude_modules", .null), ("fan_in_fan_out", false),
        ("inference_mode", true), ("init_lora_weights", true), ("init_r", 12), ("layers_pattern", .null),
        ("layers_to_transform", .null), ("lora_alpha", 8), ("lora_dropout", .double(0)), ("modules_to_save", .null),
        ("orth_reg_weight", .double(0.5)), ("peft_type", "ADALORA"), (patternKey, .null), ("revision", .null),
        ("target_modules", .null), ("target_r", 8), ("task_type", .null), ("tfinal", 0), ("tinit", 0),
        ("total_step", .null),
    ]

    /// Where a file came from; and which ranks it has, which its tensors say as well.
    package static let withoutEffect: Set<String> = [
        "auto_mapping", "base_model_name_or_path", "fan_in_fan_out", "inference_mode", "megatron_core", "peft_type",
        "peft_version", "qalora_group_size", "rank_pattern", "revision", "runtime_config", "task_type",
    ]

    /// Settings of LoRA that PEFT's AdaLoRA has, too, and passes over; all of its files have `r`.
    private static let passedOver: Set<String> = ["alpha_pattern", "lora_bias", "r", "use_rslora"]

    /// Settings that PEFT has and refuses here, or that this build does not do.
    private static let undone: Set<String> = Lora.undone.union(passedOver).union(["use_dora"])

    private static let done: Set<String> = [
        "beta1", "beta2", "bias", "deltaT", "ensure_weight_tying", "exclude_modules", "init_lora_weights", "init_r",
        "layers_pattern", "layers_to_transform", "lora_alpha", "lora_dropout", "modules_to_save", "orth_reg_weight",
        "rank_pattern", "target_modules", "target_r", "tfinal", "tinit", "total_step",
    ]

    package static func settings(completing given: JSONObject, for model: Model, place: String) -> JSONObject {
        var settings = JSONObject()
        for (key, value) in defaults { settings[key] = value }
        for (key, value) in given { settings[key] = value }
        if settings["target_modules"]?.isNull ?? true, let names = defaultTargets(model) {
            settings["target_modules"] = .array(names.map(JSON.string))
        }
        return settings
    }

    /// LoRA's, unless an architecture has others.
    private static func defaultTargets(_ model: Model) -> [String]? {
        model.conventions.defaultTargets[name] ?? model.conventions.defaultTargets[Lora.name]
    }

    package init(settings: JSONObject, use: SettingsUse, place: String) throws(GraftError) {
        self.place = place
        try settings.requireDone(Self.done, undone: Self.undone, use: use, place: place) {
            Self.withoutEffect.contains($0) || use != .create && Self.passedOver.contains($0)
                || $0 == "r" && settings[$0] == 8
        }
        let numbers = NumberSettings(settings, place: place)
        rankCount = try numbers.count("init_r", default: 12, in: 1...1 << 16)
        let target = try numbers.count("target_r", default: 8, in: 1...1 << 16)
        guard use != .create || target <= rankCount else {
            throw GraftError(
                .invalidArgument, "\(place): target_r is \(target); expected at most init_r, which is \(rankCount)")
        }
        schedule = try RankSchedule(numbers, targetRank: target)
        smoothing = (
            Float(try numbers.number("beta1", default: 0.85, "above 0 and below 1") { $0 > 0 && $0 < 1 }),
            Float(try numbers.number("beta2", default: 0.85, "above 0 and below 1") { $0 > 0 && $0 < 1 })
        )
        penalty = try numbers.number("orth_reg_weight", default: 0.5, "at least 0") { $0 >= 0 && $0 <= 1e6 }
        dropout = try settings.dropout("lora_dropout", place: place) ?? 0
        let alpha = try numbers.number("lora_alpha", default: 8, "above 0 and at most 1e6") {
            $0 <= 1e6 && (use != .create || $0 > 0)
        }
        self.alpha = alpha > 0 ? alpha : nil
        startsAtZero = try Self.startsAtZero(settings["init_lora_weights"] ?? true, use: use, place: place)
        targets = try TargetModules(settings, place: place)
        biases = try TrainedBiases(settings, place: place)
        patterns = try Self.patterns(settings, count: rankCount, place: place)
        guard use != .create || patterns.isEmpty else {
            throw GraftError(
                .invalidArgument, "\(place): \(Self.patternKey) is what training finds; expected null")
        }
    }

    private static func startsAtZero(_ value: JSON, use: SettingsUse, place: String) throws(GraftError) -> Bool {
        switch value {
        case .bool(let starts): return starts
        case .null: return true
        case .string where use != .create: return true
        default:
            throw GraftError(
                .invalidArgument, "\(place): init_lora_weights must be true or false, found \(value.briefText)")
        }
    }

    private static func patterns(
        _ settings: JSONObject, count: Int, place: String
    ) throws(GraftError) -> [(name: String, kept: [Bool])] {
        var patterns: [(name: String, kept: [Bool])] = []
        for (name, value) in try settings.optionalObject(patternKey) ?? JSONObject() {
            let kept = value.arrayValue?.compactMap(\.boolValue) ?? []
            guard kept.count == count, value.arrayValue?.count == count else {
                throw GraftError(
                    .invalidArgument,
                    "\(place): \(patternKey)[\"\(name)\"] must be a list of true and false for each of init_r ranks, "
                        + "\(count); found \(value.briefText)")
            }
            patterns.append((name, kept))
        }
        return patterns
    }

    package func plan(_ plan: inout AdapterPlan, names: ModuleNames, use: SettingsUse) throws(GraftError) {
        let chosen = try targets.sites(
            names, kinds: [.linear, .embedding], defaults: Self.defaultTargets(names.model), use: use)
        var known: [String: [Bool]] = [:]
        for (name, kept) in patterns { known[Self.bare(name, names)] = kept }
        var modules: [AdaLoraModule] = []
        for index in chosen {
            let site = names.sites[index]
            let path = names.path(of: site)
            guard site.kind == .linear else {
                throw GraftError(.unsupported, "\(place): adalora on the embedding \(path); expected linear modules")
            }
            let places =
                known.removeValue(forKey: Self.bare(path + ".lora_E", names))
                ?? Array(repeating: true, count: rankCount)
            modules.append(try planDelta(at: index, site, path, places, &plan, names))
        }
        if let name = known.keys.sorted().first {
            throw GraftError(.invalidArgument, "\(place): \(Self.patternKey)[\"\(name)\"] is of no module adapted")
        }
        plan.trainingRule = AdaLoraRule(
            schedule: schedule, modules: modules, smoothing: smoothing, penalty: penalty, hasAlpha: alpha != nil,
            place: place)
        try biases.plan(&plan, names, targets: chosen)
    }

    /// A name in a pattern, whatever class the adapter was saved from.
    private static func bare(_ name: String, _ names: ModuleNames) -> String {
        let prefix = names.model.conventions.prefix(name.hasPrefix)
        return String(name.dropFirst(prefix.count))
    }

    private func planDelta(
        at index: Int, _ site: Site, _ path: String, _ places: [Bool], _ plan: inout AdapterPlan, _ names: ModuleNames
    ) throws(GraftError) -> AdaLoraModule {
        let rank = places.count { $0 }
        let start = PlannedTensor.Initial.normal(deviation: startsAtZero ? 0.02 : 1)
        let a = try plan.add(names.tensor(path, "lora_A"), shape: [rank, site.inputs], start)
        let b = try plan.add(names.tensor(path, "lora_B"), shape: [site.outputs, rank], start)
        let e = try plan.add(names.tensor(path, "lora_E"), shape: [rank, 1], startsAtZero ? .zero : start)
        plan.prune(
            PrunedRanks(name: path + ".lora_E", singularValues: e, places: places),
            rank > 0 ? [(a, 0), (b, 1), (e, 0)] : [])
        let module = AdaLoraModule(a: a, b: b, e: e, rank: rank, inputs: site.inputs, outputs: site.outputs)
        guard rank > 0 else { return module }
        // As PEFT has it: what alpha is divided by is the rank at the beginning.
        let factor = Float(alpha ?? Double(rank)) / (Float(rankCount) + 1e-5)
        let delta = LoraDelta(
            a: a, b: b, bias: nil, rank: rank, inputs: site.inputs, outputs: site.outputs, factor: factor,
            dropout: dropout, singularValues: ScaleVector(e))
        try plan.act(at: index, .linear(delta))
        return module
    }

    package static func settings(ofFile settings: JSONObject) -> JSONObject {
        var own = settings
        if settings["total_step"]?.intValue == openEnd { own["total_step"] = .null }
        return own
    }

    package static func saved(_ settings: JSONObject) -> JSONObject {
        var saved = settings
        if settings["total_step"]?.isNull ?? true { saved["total_step"] = .integer(openEnd) }
        return saved
    }

    package static func noted(_ ranks: [(name: String, kept: [Bool])]) -> JSONObject {
        var pattern = JSONObject()
        for (name, kept) in ranks { pattern[name] = .array(kept.map(JSON.bool)) }
        var noted = JSONObject()
        let isWhole = ranks.allSatisfy { !$0.kept.contains(false) }
        noted[patternKey] = isWhole ? .null : .object(pattern)
        return noted
    }
}
