import GraftFormats
import GraftLayers
import GraftTensor

/// Bottleneck adapters (Houlsby et al. 2019): a small network at the end of a sub-layer, whose
/// result joins what goes into the residual stream. With x the sub-layer's output, t the residual,
/// f the non-linearity and s the scaling,
///
///     x ← r + s · (U f(D z + b) + c)
///
/// where sequential adapters read z = x (`original_ln_before` false) or the model's own norm of x +
/// t (Pfeiffer et al. 2020), and parallel ones z = t (He et al. 2021). r is x, or with
/// `residual_before_ln` false z, or with "post_add" x + t. D [inner, hidden], U [hidden, inner],
/// inner = ⌊hidden / `reduction_factor`⌋.
package struct Bottleneck: AdapterMethod {
    package static let name = "bottleneck"
    package static let layout: any AdapterLayout.Type = AdapterHubLayout.self
    package static let typeName: String? = nil

    private enum Start: String, CaseIterable { case bert, mamAdapter = "mam_adapter", houlsby }

    private let sublayers: [Site.Sublayer]
    private let reduction: LayerValues
    private let activation: Activation
    private let input: BottleneckEffect.Input
    private let base: BottleneckEffect.Base
    private let scaling: Float
    private let dropout: Float
    private let start: Start
    private let leftOut: [Int]
    private let place: String

    /// Settings that this build honours only at the value given here, which is AdapterHub's
    /// default.
    private static let fixed: [(key: String, value: JSON)] = [
        ("cross_adapter", false), ("inv_adapter", nil), ("ln_after", false), ("ln_before", false),
        ("original_ln_after", true), ("phm_layer", false), ("stochastic_depth", 0.0), ("use_gating", false),
    ]

    /// Settings that matter only beside one that is fixed, or when fresh weights are drawn.
    package static let withoutEffect: Set<String> = [
        "adapter_residual_before_ln", "architecture", "factorized_phm_W", "factorized_phm_rule",
        "hypercomplex_nonlinearity", "init_weights_seed", "inv_adapter_reduction_factor", "learn_phm", "phm_bias",
        "phm_c_init", "phm_dim", "phm_init_range", "phm_rank", "shared_W_phm", "shared_phm_rule",
    ]

    private static let done: Set<String> = [
        "dropout", "init_weights", "is_parallel", "leave_out", "mh_adapter", "non_linearity", "original_ln_before",
        "output_adapter", "reduction_factor", "residual_before_ln", "scaling",
    ]

    package init(settings: JSONObject, use: SettingsUse, place: String) throws(GraftError) {
        self.place = place
        try Self.refuseUndone(settings, use: use, place: place)
        sublayers =
            (try settings.bool("mh_adapter") ? [.attention] : [])
            + (try settings.bool("output_adapter") ? [.feedForward] : [])
        guard !sublayers.isEmpty else {
            throw GraftError(.invalidArgument, "\(place): mh_adapter and output_adapter are both false: nothing adapts")
        }
        reduction = try LayerValues(settings, key: "reduction_factor", place: place)
        let function = try settings.string("non_linearity")
        guard let activation = Activation(name: function.lowercased()) else {
            throw GraftError(
                .unsupported,
                "\(place): non_linearity \"\(function)\"; expected "
                    + Activation.names.joined(separator: ", "))
        }
        self.activation = activation
        (input, base) = try Self.wiring(settings, place: place)
        scaling = try Self.scaling(settings, place: place)
        dropout = try settings.dropout("dropout", place: place) ?? 0
        let startName = try settings.optionalString("init_weights") ?? Start.bert.rawValue
        guard let start = Start(rawValue: startName) else {
            throw GraftError(
                .unsupported,
                "\(place): init_weights \"\(startName)\"; expected "
                    + Start.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", "))
        }
        self.start = start
        var leftOut: [Int] = []
        for value in try settings.optionalArray("leave_out") ?? [] {
            guard let layer = value.intValue else {
                throw GraftError(
                    .invalidArgument, "\(place): leave_out holds \(value.kind); expected numbers of layers")
            }
            leftOut.append(layer)
        }
        self.leftOut = leftOut
    }

    private static func refuseUndone(
        _ settings: JSONObject, use: SettingsUse, place: String
    ) throws(GraftError) {
        for (key, value) in settings where !done.contains(key) && !withoutEffect.contains(key) {
            let usual = fixed.first { $0.key == key }?.value
            guard usual != nil || use != .create else {
                throw GraftError.unknownSetting(key, of: done.union(fixed.map(\.key)), place: place)
            }
            if value == usual || value.doubleValue == 0 || (value.isOff && usual?.isOff ?? true) { continue }
            throw GraftError.undone(key, value, place: place)
        }
        guard settings["init_weights_seed"]?.isOff ?? true || use != .create else {
            throw GraftError(
                .unsupported, "\(place): init_weights_seed: the adapter's own seed says where its weights start")
        }
    }

    private static func wiring(
        _ settings: JSONObject, place: String
    ) throws(GraftError) -> (BottleneckEffect.Input, BottleneckEffect.Base) {
        if try settings.optionalBool("is_parallel") ?? false { return (.residual, .output) }
        let readsNorm = try settings.optionalBool("original_ln_before") ?? false
        switch settings["residual_before_ln"] ?? true {
        case .bool(true): return (readsNorm ? .sum : .output, .output)
        case .bool(false): return readsNorm ? (.sum, .input) : (.output, .output)
        case .string("post_add") where readsNorm: return (.sum, .sum)
        case .string("post_add"):
            throw GraftError(
                .invalidArgument, "\(place): residual_before_ln \"post_add\" needs original_ln_before to be true")
        case let value:
            throw GraftError(
                .invalidArgument,
                "\(place): residual_before_ln must be true, false or \"post_add\", found \(value.kind)")
        }
    }

    private static func scaling(_ settings: JSONObject, place: String) throws(GraftError) -> Float {
        if let kind = settings["scaling"]?.stringValue {
            throw GraftError(.unsupported, "\(place): scaling \"\(kind)\"; expected a number")
        }
        let scaling = try settings.optionalDouble("scaling") ?? 1
        guard scaling.isFinite, abs(scaling) < 1e6 else {
            throw GraftError(.invalidArgument, "\(place): scaling must be a finite number, found \(scaling)")
        }
        return Float(scaling)
    }

    package func plan(_ plan: inout AdapterPlan, names: ModuleNames, use: SettingsUse) throws(GraftError) {
        let layerCount = 1 + (names.sites.filter { !$0.kind.hasWeights }.map(\.layer).max() ?? 0)
        if use == .create, let layer = leftOut.first(where: { $0 < 0 || $0 >= layerCount }) {
            throw GraftError(
                .invalidArgument, "\(place): leave_out has layer \(layer); the model has layers 0 to \(layerCount - 1)")
        }
        for (index, site) in names.sites.enumerated() {
            guard case .hidden(let sublayer) = site.kind, sublayers.contains(sublayer),
                !leftOut.contains(site.layer)
            else { continue }
            try planEffect(at: index, &plan, names)
        }
        guard plan.sites.contains(where: { $0?.action != nil }) else {
            throw GraftError(.invalidArgument, "\(place): leave_out names all layers: nothing adapts")
        }
    }

    private func planEffect(at index: Int, _ plan: inout AdapterPlan, _ names: ModuleNames) throws(GraftError) {
        let site = names.sites[index]
        let width = site.outputs
        let quotient = (Double(width) / (try reduction.value(ofLayer: site.layer))).rounded(.down)
        guard quotient <= Double(1 << 16) else {
            throw GraftError(.invalidArgument, "\(place): reduction_factor gives an inner width of \(quotient)")
        }
        let inner = max(1, Int(quotient))
        let path = names.path(of: site)
        let weights = BottleneckEffect.Weights(
            down: try plan.add(
                names.tensor(path, "adapter_down.0.weight"), shape: [inner, width], initialDown(inputs: width)),
            downBias: try plan.add(names.tensor(path, "adapter_down.0.bias"), shape: [inner], .zero),
            up: try plan.add(names.tensor(path, "adapter_up.weight"), shape: [width, inner], initialUp),
            upBias: try plan.add(names.tensor(path, "adapter_up.bias"), shape: [width], .zero))
        let effect = BottleneckEffect(
            weights, width: width, inner: inner, input: input, base: base, activation: activation, factor: scaling,
            dropout: dropout)
        try plan.act(at: index, .hidden(effect))
    }

    private func initialDown(inputs: Int) -> PlannedTensor.Initial {
        switch start {
        case .bert: .normal(deviation: 0.02)
        case .mamAdapter: .uniform(bound: 1 / Float(inputs).squareRoot())
        case .houlsby: .truncatedNormal(deviation: 0.01)
        }
    }

    private var initialUp: PlannedTensor.Initial {
        switch start {
        case .bert: .normal(deviation: 0.02)
        case .mamAdapter: .zero
        case .houlsby: .truncatedNormal(deviation: 0.01)
        }
    }
}
