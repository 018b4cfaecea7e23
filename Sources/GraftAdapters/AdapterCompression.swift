import GraftFormats
import GraftLayers
import GraftTensor

/// Makes a LoRA of an adapter: of each change of a weight the best one of rank r, which its largest
/// singular values are (Eckart and Young 1936).
///
/// B A = U_r S_r V_rᵀ with A = √S_r V_rᵀ and B = U_r √S_r. What is no change of a weight stays as
/// it is: the head, norms, biases, modules that the model lacks, tables of another vocabulary.
package struct AdapterCompression {
    /// A module and what its rank costs: ‖ΔW − B A‖ / ‖ΔW‖ (Frobenius); 0 where there is no change.
    package typealias Report = (_ module: String, _ error: Double) throws(GraftError) -> Void

    private let old: AdapterContent
    private let delta: WeightDelta
    private let rank: Int
    private let layout: PeftLayout
    /// Of the model's sites.
    private var targets: [Int] = []
    /// Names of `modules_to_save` that remain.
    private var saved: [String] = []

    /// - Parameter old: nothing changes its numbers meanwhile.
    init(_ old: AdapterContent, rank: Int) throws(GraftError) {
        delta = try WeightDelta(old, scale: 1)
        guard let layout = old.layout as? PeftLayout else {
            throw GraftError(.unsupported, "method \"\(old.method.name)\" has no changes of weights to compress")
        }
        self.old = old
        self.rank = rank
        self.layout = layout
        let saved = try layout.settings.optionalStrings("modules_to_save") ?? []
        self.saved = saved.filter { name in
            PeftLayout.allHeadNames.contains(name)
                || old.model.conventions.headPaths.contains { AdapterPlan.covers(name, $0) }
                || old.model.sites.indices.contains { site in
                    AdapterPlan.covers(name, old.names.path(of: old.names.sites[site])) && !isReplaced(site)
                }
        }
        targets = old.model.sites.indices.filter { site in
            guard delta.changesWeight(at: site), let action = old.plan.sites[site] else { return false }
            let path = old.names.path(of: old.names.sites[site])
            return action.action != nil || isReplaced(site) && !self.saved.contains { AdapterPlan.covers($0, path) }
        }
    }

    /// Whether the adapter has a weight of its own in the place of a linear module's of the same
    /// shape.
    private func isReplaced(_ site: Int) -> Bool {
        let module = old.model.sites[site]
        return old.plan.sites[site]?.weight != nil && module.kind == .linear && !module.isAbsent
            && site != old.model.vocabulary.head && delta.weightShape(at: site) == module.weightShape
    }

    /// The LoRA, and the error of all modules together.
    package func compress(_ report: Report) throws(GraftError) -> (adapter: Adapter, error: Double) {
        guard !targets.isEmpty else {
            throw GraftError(.invalidArgument, "the adapter changes no weight that could be compressed")
        }
        let new = try content()
        var (lost, whole) = (0.0, 0.0)
        for site in targets {
            let (tail, all) = try decompose(site, into: new)
            (lost, whole) = (lost + tail, whole + all)
            try report(old.names.path(of: old.names.sites[site]), all > 0 ? (tail / all).squareRoot() : 0)
        }
        try copyRest(to: new)
        try new.requireFinite(.diverged, "the compressed adapter's ")
        return (Adapter(loaded: new), whole > 0 ? (lost / whole).squareRoot() : 0)
    }

    private func ownRank(_ site: Int) -> Int {
        min(rank, old.names.sites[site].inputs, old.names.sites[site].outputs)
    }

    /// An adapter of the right shape.
    private func content() throws(GraftError) -> AdapterContent {
        var settings = JSONObject()
        settings["r"] = .integer(rank)
        settings["lora_alpha"] = .integer(rank)
        settings["target_modules"] = .array(targets.map { .string(old.names.path(of: old.names.sites[$0])) })
        var (ranks, alphas) = (JSONObject(), JSONObject())
        for site in targets where ownRank(site) < rank {
            let path = old.names.path(of: old.names.sites[site])
            ranks[path] = .integer(ownRank(site))
            alphas[path] = .integer(ownRank(site))
        }
        settings["rank_pattern"] = .object(ranks)
        settings["alpha_pattern"] = .object(alphas)
        settings["modules_to_save"] = saved.isEmpty ? .null : .array(saved.map(JSON.string))
        let changesBias = old.model.sites.indices.contains { site in
            delta.changesBias(at: site) && (old.plan.sites[site]?.weight == nil || targets.contains(site))
        }
        settings["bias"] = changesBias ? "all" : "none"
        for key in ["task_type", "ensure_weight_tying", "base_model_name_or_path"] {
            settings[key] = layout.settings[key]
        }
        let new = try PeftLayout(method: Lora.self, given: settings, likeThat: layout)
        return try AdapterContent(model: old.model, layout: new, seed: 0, use: .load, place: "the compressed adapter")
    }

    /// Σ s² beyond the rank, and of all.
    private func decompose(_ site: Int, into new: AdapterContent) throws(GraftError) -> (tail: Double, all: Double) {
        let module = old.names.sites[site]
        let memory = try delta.change(at: site)
        let shape = module.weightShape
        let values = try SingularValues(overwriting: Matrix(memory.floats(), rows: shape[0], columns: shape[1]))
        defer { withExtendedLifetime((memory, values.memory)) {} }
        let isTable = module.kind == .embedding
        let path = old.names.path(of: module)
        guard let a = new.tensor(new.names.tensor(path, isTable ? "lora_embedding_A" : "lora_A.weight")),
            let b = new.tensor(new.names.tensor(path, isTable ? "lora_embedding_B" : "lora_B.weight"))
        else { throw GraftError(.internal, "the compressed adapter has no place for \(path)") }
        let rank = ownRank(site)
        // [outputs, inputs], or the other way round where torch keeps it so.
        values.split(rank: rank, isTransposed: isTable || module.isTransposed, a: a, b: b)
        func squares(_ range: Range<Int>) -> Double {
            range.reduce(0) { $0 + Double(values.s[$1]) * Double(values.s[$1]) }
        }
        return (squares(rank..<values.count), squares(0..<values.count))
    }

    /// What the adapter has beside changes of weights.
    private func copyRest(to new: AdapterContent) throws(GraftError) {
        for (site, module) in old.names.sites.enumerated() {
            guard let action = new.plan.sites[site] else { continue }
            if let own = action.weight, let was = old.plan.sites[site]?.weight {
                (new.values + own.offset).update(from: old.values + was.offset, count: own.count)
            }
            guard let bias = action.bias else { continue }
            let numbers = try delta.bias(at: site) { out in module.copyBias?(out) }
            (new.values + bias.offset).update(from: numbers.floats(), count: bias.count)
        }
        guard let head = new.plan.head, let was = old.plan.head else { return }
        for (own, other) in zip(head.parameters, was.parameters) {
            (new.values + own.offset).update(from: old.values + other.offset, count: own.count)
        }
    }
}

extension Adapter {
    /// A LoRA of rank `rank` that comes closest to what the adapter does, and the error that the
    /// rank costs, of each module and of all together.
    package func compressed(
        rank: Int, _ report: AdapterCompression.Report
    ) throws(GraftError) -> (adapter: Adapter, error: Double) {
        try read { content, _ throws(GraftError) in
            let result = try AdapterCompression(content, rank: rank).compress(report)
            result.adapter.content.maximumLength = content.maximumLength
            return result
        }
    }
}
