import GraftFormats
import GraftLayers
import GraftTensor

/// Low-rank adaptation (Hu et al. 2021, eq. 3): y += (alpha / r) · B A dropout(x).
///
/// A [r, in], B [out, r]. B starts at zero, so training starts at the base model. With `use_rslora`
/// the factor is alpha / √r (Kalajdzievski 2023). Embeddings too: E[t] += (alpha / r) · B A[:, t].
/// `init_lora_weights` "pissa" starts at the largest singular values of the weight:
/// `PrincipalStart`.
/// With `use_dora` the changed weight's rows have lengths of their own, which are learned: see
/// `DoraDelta`.
package struct Lora: AdapterMethod {
    package static let name = "lora"
    package static let layout: any AdapterLayout.Type = PeftLayout.self
    package static let typeName: String? = "LORA"

    private enum Start: Equatable {
        case zero, gaussian, random
        /// PiSSA; nil stands for all singular values, exactly.
        case principal(iterations: Int?)
    }
    /// Ways in which A and B of a file may have started: what was trained is a plain LoRA.
    private static let pastStarts = ["eva", "orthogonal", "mica"]

    private let rank: Int
    private let alpha: Double
    private let ranks: PatternValues<Int>
    private let alphas: PatternValues<Double>
    private let usesSquareRoot: Bool
    private let dropout: Float
    private let biases: TrainedBiases
    private let hasOutputBias: Bool
    private let start: Start
    private let hasMagnitude: Bool
    private let targets: TargetModules
    private let place: String

    /// Of a fresh adapter. PEFT's, but for alpha and the targets: `Benchmarks/recipe.py` measures
    /// what these learn. What a file leaves out means what PEFT means by it.
    private static let defaults: [(key: String, value: JSON)] = [
        ("alpha_pattern", .object(JSONObject())), ("auto_mapping", .null), ("base_model_name_or_path", .null),
        ("bias", .string("none")), ("exclude_modules", .null), ("fan_in_fan_out", .bool(false)),
        ("inference_mode", .bool(true)), ("init_lora_weights", .bool(true)), ("layers_pattern", .null),
        ("layers_to_transform", .null), ("lora_alpha", .integer(16)), ("lora_bias", .bool(false)),
        ("lora_dropout", .double(0)), ("modules_to_save", .null), ("peft_type", "LORA"),
        ("r", .integer(8)), ("rank_pattern", .object(JSONObject())), ("revision", .null),
        ("target_modules", .null), ("task_type", .null), ("use_dora", .bool(false)), ("use_rslora", .bool(false)),
    ]

    /// Settings that say where a file came from, or matter only beside another that is refused.
    package static let withoutEffect: Set<String> = [
        "auto_mapping", "base_model_name_or_path", "fan_in_fan_out", "inference_mode", "megatron_core", "peft_type",
        "peft_version", "qalora_group_size", "revision", "runtime_config", "task_type",
    ]

    /// Settings that PEFT has and this build does not: refused by name unless at the value that
    /// turns them off.
    static let undone: Set<String> = [
        "alora_invocation_tokens", "arrow_config", "corda_config", "eva_config", "kasa_config",
        "layer_replication", "loftq_config", "lora_ga_config", "megatron_config", "monteclora_config",
        "target_parameters", "trainable_token_indices", "use_bdlora", "use_qalora", "velora_config",
    ]

    private static let done: Set<String> = [
        "alpha_pattern", "bias", "ensure_weight_tying", "exclude_modules", "init_lora_weights", "layers_pattern",
        "layers_to_transform",
        "lora_alpha", "lora_bias", "lora_dropout", "modules_to_save", "r", "rank_pattern", "target_modules",
        "use_dora", "use_rslora",
    ]

    package static func settings(
        completing given: JSONObject, for model: Model, place: String
    ) -> JSONObject {
        var settings = JSONObject()
        for (key, value) in defaults { settings[key] = value }
        settings["target_modules"] = .array(linearModules(of: model).map(JSON.string))
        for (key, value) in given { settings[key] = value }
        return settings
    }

    /// The names of all linear modules, each once: "query", "key", "value" and "dense" of BERT.
    private static func linearModules(of model: Model) -> [String] {
        var names: [String] = []
        for site in model.sites where site.kind == .linear && site.place == .backbone && !site.isAbsent {
            let name = site.path.split(separator: ".").last.map(String.init) ?? site.path
            if !names.contains(name) { names.append(name) }
        }
        return names
    }

    package init(settings: JSONObject, use: SettingsUse, place: String) throws(GraftError) {
        self.place = place
        try settings.requireDone(Self.done, undone: Self.undone, use: use, place: place) {
            Self.hasNoEffect($0, settings, use)
        }
        rank = try Self.rank(Self.given("r", settings) ?? 8, "\(place): r")
        alpha = try Self.alpha(Self.given("lora_alpha", settings) ?? 8, "\(place): lora_alpha")
        dropout = try settings.dropout("lora_dropout", place: place) ?? 0
        ranks = try PatternValues(settings, key: "rank_pattern", place: place, read: Self.rank)
        alphas = try PatternValues(settings, key: "alpha_pattern", place: place, read: Self.alpha)
        usesSquareRoot = try settings.optionalBool("use_rslora") ?? false
        hasOutputBias = try settings.optionalBool("lora_bias") ?? false
        hasMagnitude = try settings.optionalBool("use_dora") ?? false
        guard !hasOutputBias || !hasMagnitude else {
            throw GraftError(.invalidArgument, "\(place): lora_bias does not go with use_dora: expected one of them")
        }
        biases = try TrainedBiases(settings, place: place)
        start = try Self.start(settings["init_lora_weights"] ?? true, use: use, place: place)
        if case .principal = start, hasMagnitude {
            throw GraftError(.unsupported, "\(place): init_lora_weights \"pissa\" with use_dora; expected one of them")
        }
        targets = try TargetModules(settings, place: place)
    }

    private static func given(_ key: String, _ settings: JSONObject) -> JSON? {
        guard let value = settings[key], !value.isNull else { return nil }
        return value
    }

    private static func rank(_ value: JSON, _ what: String) throws(GraftError) -> Int {
        guard let rank = value.intValue, rank > 0, rank <= 1 << 16 else {
            throw GraftError(
                .invalidArgument, "\(what) must be a whole number from 1 to 65536, found \(value.briefText)")
        }
        return rank
    }

    private static func alpha(_ value: JSON, _ what: String) throws(GraftError) -> Double {
        guard let alpha = value.doubleValue, alpha > 0, alpha <= 1e6 else {
            throw GraftError(
                .invalidArgument, "\(what) must be a number above 0 and at most 1e6, found \(value.briefText)")
        }
        return alpha
    }

    /// How a trained file's A began, where it says so, is of no consequence any more.
    private static func hasNoEffect(_ key: String, _ settings: JSONObject, _ use: SettingsUse) -> Bool {
        withoutEffect.contains(key)
            || key == "eva_config" && use != .create && settings["init_lora_weights"]?.stringValue == "eva"
    }

    private static func start(_ value: JSON, use: SettingsUse, place: String) throws(GraftError) -> Start {
        switch value {
        case .bool(true), .null: return .zero
        case .bool(false): return .random
        case .string("gaussian"): return .gaussian
        case .string(let name) where use != .create && pastStarts.contains(name): return .zero
        case .string(let name) where use != .load:
            if let start = PrincipalStart.iterations(name) { return .principal(iterations: start) }
        default: break
        }
        let others = use == .load ? pastStarts : ["pissa", "pissa_niter_16"]
        let names = (["gaussian"] + others).map { "\"\($0)\"" }
        throw GraftError(
            .unsupported,
            "\(place): init_lora_weights is \(value.serialized(indent: nil)); expected true, false, "
                + names.joined(separator: ", ") + " (others change the base weights, or need data to start from)")
    }

    package func plan(_ plan: inout AdapterPlan, names: ModuleNames, use: SettingsUse) throws(GraftError) {
        let chosen = try targets.sites(
            names, kinds: [.linear, .embedding], defaults: names.model.conventions.defaultTargets[Self.name], use: use)
        if use == .create {
            let paths = chosen.map { names.path(of: names.sites[$0]) }
            try ranks.requireMatches(among: paths)
            try alphas.requireMatches(among: paths)
        }
        for index in chosen { try planDelta(at: index, &plan, names, use: use) }
        try biases.plan(&plan, names, targets: chosen)
    }

    private func planDelta(
        at index: Int, _ plan: inout AdapterPlan, _ names: ModuleNames, use: SettingsUse
    ) throws(GraftError) {
        let site = names.sites[index]
        let path = names.path(of: site)
        let rank = try ranks.value(for: path) ?? self.rank
        let alpha = try alphas.value(for: path) ?? self.alpha
        let factor = Float(alpha / (usesSquareRoot ? Double(rank).squareRoot() : Double(rank)))
        // Kaiming with a = √5: uniform in ±1/√fan_in, as torch.nn.Linear.
        let wide = PlannedTensor.Initial.uniform(bound: 1 / Float(site.inputs).squareRoot())
        let narrow = PlannedTensor.Initial.uniform(bound: 1 / Float(rank).squareRoot())
        switch site.kind {
        case .linear:
            let a = try plan.add(
                names.tensor(path, "lora_A.weight"), shape: [rank, site.inputs],
                start == .gaussian ? .normal(deviation: 1 / Float(rank)) : wide)
            let b = try plan.add(
                names.tensor(path, "lora_B.weight"), shape: [site.outputs, rank], start == .random ? narrow : .zero)
            let bias =
                hasOutputBias
                ? try plan.add(
                    names.tensor(path, "lora_B.bias"), shape: [site.outputs], start == .random ? narrow : .zero) : nil
            let delta = LoraDelta(
                a: a, b: b, bias: bias, rank: rank, inputs: site.inputs, outputs: site.outputs, factor: factor,
                dropout: dropout)
            guard hasMagnitude else { return try plan.act(at: index, .linear(delta)) }
            let magnitude = try planMagnitude(of: site, path, &plan, names, use: use) {
                (values, lengths, team, copyRows) throws(GraftError) in
                try delta.rowLengths(into: lengths, values, team, scratch: Arena(), copyRows: copyRows)
            }
            try plan.act(at: index, .linear(DoraDelta(delta, magnitude)))
        case .embedding:
            if case .principal = start {
                throw GraftError(
                    .unsupported,
                    "\(place): init_lora_weights \"pissa\" on the embedding \(path); expected linear modules")
            }
            guard !hasOutputBias else {
                throw GraftError(.unsupported, "\(place): lora_bias on the embedding \(path)")
            }
            let a = try plan.add(
                names.tensor(path, "lora_embedding_A"), shape: [rank, site.inputs],
                start == .random ? .normal(deviation: 1) : .zero)
            let b = try plan.add(
                names.tensor(path, "lora_embedding_B"), shape: [site.outputs, rank], .normal(deviation: 1))
            let delta = LoraEmbeddingDelta(
                a: a, b: b, rank: rank, vocabulary: site.inputs, width: site.outputs, factor: factor,
                frozenRow: site.frozenRow)
            guard hasMagnitude else { return try plan.act(at: index, .embedding(delta)) }
            let magnitude = try planMagnitude(of: site, path, &plan, names, use: use) {
                (values, lengths, team, copyRows) throws(GraftError) in
                try delta.columnLengths(into: lengths, values, team, scratch: Arena(), copyRows: copyRows)
            }
            try plan.act(at: index, .embedding(DoraEmbeddingDelta(delta, magnitude)))
        case .norm, .convolution, .hidden: break
        }
    }

    package func planFrozen(_ plan: inout AdapterPlan, names: ModuleNames) throws(GraftError) {
        guard case .principal(let iterations) = start else { return }
        for (index, site) in names.sites.enumerated() {
            guard let delta = plan.sites[index]?.action?.linear as? LoraDelta else { continue }
            try PrincipalStart.plan(&plan, delta, at: index, names.path(of: site), site, iterations: iterations, place)
        }
    }

    package static func saved(_ settings: JSONObject) -> JSONObject { PrincipalStart.saved(settings) }

    private typealias Lengths =
        @Sendable (
            _ values: UnsafeMutablePointer<Float>, _ lengths: UnsafeMutablePointer<Float>, _ team: Team,
            _ copyRows: (_ first: Int, _ rows: Matrix) -> Void
        ) throws(GraftError) -> Void

    /// The magnitude starts as what it stands for: the lengths of the changed weight.
    private func planMagnitude(
        of site: Site, _ path: String, _ plan: inout AdapterPlan, _ names: ModuleNames, use: SettingsUse,
        lengths: @escaping Lengths
    ) throws(GraftError) -> Magnitude {
        let start = PlannedTensor.Initial.made { (values, own) throws(GraftError) in
            let (rows, columns) =
                site.kind == .embedding ? (site.inputs, site.outputs) : (site.outputs, site.inputs)
            try site.withWeight(rows: rows, columns: columns) { weight throws(GraftError) in
                try lengths(values, own, try Team(threadCount: 1)) { first, rows in
                    weight.rows(from: first, count: rows.rows).copy(to: rows)
                }
            }
        }
        let parameter = try plan.add(
            names.tensor(path, "lora_magnitude_vector"), shape: [site.outputs], use == .create ? start : .zero)
        return Magnitude(parameter, lengths: plan.derive(count: site.outputs))
    }
}
