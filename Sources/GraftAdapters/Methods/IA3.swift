import GraftFormats
import GraftLayers
import GraftTensor

/// Infused adapter by inhibiting and amplifying inner activations (Liu et al. 2022, section 3.3):
/// y = (W x + b) ∘ l.
///
/// l [out, 1] for each target; feed-forward modules scale what they read instead, y = W (x ∘ l) + b
/// with l [1, in]. All l start at 1, so training starts at the base model.
package struct IA3: AdapterMethod {
    package static let name = "ia3"
    package static let layout: any AdapterLayout.Type = PeftLayout.self
    package static let typeName: String? = "IA3"

    private let targets: TargetModules
    /// By PEFT's rule names of a list are ends of paths, which need not begin at a point: of BERT's
    /// modules "output.dense" is the attention's output, too.
    private let feedForward: TargetModules.Names?
    private let startsAtOne: Bool
    private let place: String

    private static let defaults: [(key: String, value: JSON)] = [
        ("auto_mapping", .null), ("base_model_name_or_path", .null), ("exclude_modules", .null),
        ("fan_in_fan_out", .bool(false)), ("feedforward_modules", .null), ("inference_mode", .bool(true)),
        ("init_ia3_weights", .bool(true)), ("modules_to_save", .null), ("peft_type", "IA3"), ("revision", .null),
        ("target_modules", .null), ("task_type", .null),
    ]

    package static let withoutEffect: Set<String> = [
        "auto_mapping", "base_model_name_or_path", "fan_in_fan_out", "inference_mode", "peft_type", "peft_version",
        "revision", "runtime_config", "task_type",
    ]

    private static let done: Set<String> = [
        "exclude_modules", "feedforward_modules", "init_ia3_weights", "modules_to_save", "target_modules",
    ]

    package static func settings(completing given: JSONObject, for model: Model, place: String) -> JSONObject {
        var settings = JSONObject()
        for (key, value) in defaults { settings[key] = value }
        for (key, value) in given { settings[key] = value }
        // Names of one's own beside the default feed-forward modules are nothing that PEFT would
        // load again.
        if settings["target_modules"]?.isNull ?? true, let names = model.conventions.defaultTargets[name] {
            settings["target_modules"] = .array(names.map(JSON.string))
            if settings["feedforward_modules"]?.isNull ?? true {
                settings["feedforward_modules"] = .array(model.conventions.feedForwardModules.map(JSON.string))
            }
        }
        return settings
    }

    package init(settings: JSONObject, use: SettingsUse, place: String) throws(GraftError) {
        self.place = place
        try settings.requireDone(Self.done, use: use, place: place) { Self.withoutEffect.contains($0) }
        targets = try TargetModules(settings, place: place)
        feedForward = try TargetModules.Names(
            settings["feedforward_modules"], key: "feedforward_modules", place: place)
        startsAtOne = try settings.optionalBool("init_ia3_weights") ?? true
        if case .array? = settings["target_modules"], case .list(let names)? = feedForward, use == .create {
            let chosen = try settings.optionalStrings("target_modules") ?? []
            if let name = names.first(where: { !chosen.contains($0) }) {
                throw GraftError(
                    .invalidArgument, "\(place): feedforward_modules has \"\(name)\", which target_modules has not")
            }
        }
    }

    package func plan(_ plan: inout AdapterPlan, names: ModuleNames, use: SettingsUse) throws(GraftError) {
        let conventions = names.model.conventions
        let chosen = try targets.sites(
            names, kinds: [.linear], defaults: conventions.defaultTargets[Self.name], use: use)
        let feedForward = feedForward ?? .list(conventions.feedForwardModules)
        var hasFeedForward = false
        for index in chosen {
            let site = names.sites[index]
            let path = names.path(of: site)
            let scalesInput = try feedForward.ends(path)
            hasFeedForward = hasFeedForward || scalesInput
            let vector = ScaleVector(
                try plan.add(
                    names.tensor(path, "ia3_l"), shape: scalesInput ? [1, site.inputs] : [site.outputs, 1],
                    startsAtOne ? .one : .normal(deviation: 1)))
            try plan.act(
                at: index,
                .linear(
                    scalesInput ? ScaledInput(vector) : ScaledOutput(vector, hasBias: site.copyBias != nil)))
        }
        if case .expression(let text, _) = feedForward, use == .create, !hasFeedForward {
            throw GraftError(.notFound, "\(place): feedforward_modules \"\(text)\" matches none of the modules adapted")
        }
    }
}

extension TargetModules.Names {
    /// Whether a module is one of these by the rule of `feedforward_modules`.
    fileprivate func ends(_ path: String) throws(GraftError) -> Bool {
        if case .list(let names) = self { return names.contains { path.hasSuffix($0) } }
        return try matches(path)
    }
}
