import GraftFormats
import GraftLayers
import GraftTensor

/// The setting `bias` of LoRA and its kin: which of the model's biases learn, too.
struct TrainedBiases: Sendable {
    private enum Choice: String { case none, all, loraOnly = "lora_only" }

    private let choice: Choice

    init(_ settings: JSONObject, place: String) throws(GraftError) {
        let name = try settings.optionalString("bias") ?? "none"
        guard let choice = Choice(rawValue: name) else {
            throw GraftError(
                .invalidArgument, "\(place): bias must be \"none\", \"all\" or \"lora_only\", found \"\(name)\"")
        }
        self.choice = choice
    }

    /// Adds them; `targets` are the sites that the method adapts.
    func plan(_ plan: inout AdapterPlan, _ names: ModuleNames, targets: [Int]) throws(GraftError) {
        switch choice {
        case .none: break
        case .loraOnly: for index in targets { try planBias(at: index, isTarget: true, &plan, names) }
        case .all:
            for index in names.sites.indices {
                try planBias(at: index, isTarget: targets.contains(index), &plan, names)
            }
        }
    }

    /// A copy of the base bias that training may change; PEFT keeps a target's under `base_layer`.
    private func planBias(
        at index: Int, isTarget: Bool, _ plan: inout AdapterPlan, _ names: ModuleNames
    ) throws(GraftError) {
        let site = names.sites[index]
        guard let copy = site.copyBias, !site.isAbsent, names.has(site), plan.sites[index]?.bias == nil else {
            return
        }
        if names.model.conventions.isHead(site), plan.head != nil { return }
        let name = names.tensor(names.path(of: site), isTarget ? "base_layer.bias" : "bias")
        let parameter = try plan.add(name, shape: [site.outputs], .copy(copy))
        plan.replace(at: index, bias: parameter)
    }
}
