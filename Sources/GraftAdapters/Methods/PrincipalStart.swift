import GraftFormats
import GraftLayers
import GraftTensor

/// PiSSA (Meng et al. 2024): A and B start at the r largest singular values of W = U S Vᵀ, and what
/// is left of W is frozen.
///
///     A₀ = √(S_r / s) V_rᵀ    B₀ = U_r √(S_r / s)    y = (W − s B₀ A₀) x + s B A x    with LoRA's factor s
///
/// The base model is shared, so its weights stay and s B₀ A₀ x is taken away beside them. The file
/// is that of the plain LoRA which is equal to it, as PEFT converts one: of rank 2 r, with A₀ below
/// A and −B₀ beside B.
enum PrincipalStart {
    private static let name = "pissa"
    private static let iterated = "pissa_niter_"

    /// Whether `init_lora_weights` is one of these, and how often it iterates; nil within for all
    /// singular values.
    static func iterations(_ name: String) -> Int?? {
        if name == Self.name { return .some(nil) }
        guard name.hasPrefix(iterated), let count = Int(name.dropFirst(iterated.count)), (0...1000).contains(count)
        else { return nil }
        return count
    }

    /// Puts the start of a site's A and B beside them, once all that learns is planned.
    static func plan(
        _ plan: inout AdapterPlan, _ delta: LoraDelta, at index: Int, _ path: String, _ site: Site, iterations: Int?,
        _ place: String
    ) throws(GraftError) {
        guard delta.rank <= min(site.inputs, site.outputs) else {
            throw GraftError(
                .invalidArgument,
                "\(place): rank \(delta.rank) at \(path) [\(site.outputs), \(site.inputs)], which has no more than "
                    + "\(min(site.inputs, site.outputs)) singular values to start at")
        }
        let initial = (
            a: plan.addTail(to: delta.a, axis: 0, isNegated: false),
            b: plan.addTail(to: delta.b, axis: 1, isNegated: true)
        )
        try plan.exchange(at: index, for: .linear(delta.starting(at: initial)))
        plan.add { values, seed throws(GraftError) in
            try start(values, delta, site, iterations, RandomNumbers(seed: seed, stream: path))
            for (own, learning) in [(initial.a, delta.a), (initial.b, delta.b)] {
                (values + own.offset).update(from: values + learning.offset, count: own.count)
            }
        }
    }

    private static func start(
        _ values: UnsafeMutablePointer<Float>, _ delta: LoraDelta, _ site: Site, _ iterations: Int?,
        _ random: RandomNumbers
    ) throws(GraftError) {
        let parts = try site.withWeight(rows: site.outputs, columns: site.inputs) { w throws(GraftError) in
            guard let iterations else { return try SingularValues(overwriting: w) }
            return try SingularValues(
                of: w, rank: delta.rank, iterations: iterations, random: random, team: try Team(threadCount: 0))
        }
        defer { withExtendedLifetime(parts.memory) {} }
        parts.split(
            rank: delta.rank, dividedBy: delta.factor, a: values + delta.a.offset, b: values + delta.b.offset)
    }

    /// The settings of the plain LoRA: twice the rank, at the same factor.
    static func saved(_ settings: JSONObject) -> JSONObject {
        guard let start = settings["init_lora_weights"]?.stringValue, iterations(start) != nil else { return settings }
        var plain = settings
        plain["init_lora_weights"] = .bool(true)
        let usesSquareRoot = settings["use_rslora"]?.boolValue ?? false
        func doubled(_ value: JSON) -> JSON { value.intValue.map { .integer(2 * $0) } ?? value }
        func scaled(_ value: JSON) -> JSON {
            if !usesSquareRoot, value.intValue != nil { return doubled(value) }
            return value.doubleValue.map { .double($0 * (usesSquareRoot ? 2.squareRoot() : 2)) } ?? value
        }
        func each(_ key: String, _ change: (JSON) -> JSON) {
            guard let values = settings[key]?.objectValue else { return }
            var changed = JSONObject()
            for (pattern, value) in values { changed[pattern] = change(value) }
            plain[key] = .object(changed)
        }
        plain["r"] = doubled(settings["r"] ?? 8)
        plain["lora_alpha"] = scaled(settings["lora_alpha"] ?? 8)
        each("rank_pattern", doubled)
        each("alpha_pattern", scaled)
        return plain
    }
}
