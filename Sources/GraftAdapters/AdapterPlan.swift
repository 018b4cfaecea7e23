import GraftLayers
import GraftTensor

/// A tensor of an adapter: its name in the file, its shape, its place among the parameters, its
/// first values.
package struct PlannedTensor: Sendable {
    package enum Initial: Sendable {
        case zero
        case one
        /// Uniform in [-bound, bound].
        case uniform(bound: Float)
        case normal(deviation: Float)
        /// Normal, drawn again beyond two deviations.
        case truncatedNormal(deviation: Float)
        /// What the frozen module has.
        case copy(Site.Copy)
        /// Rows of a table: these, or as many as there is room for, drawn at random.
        case rows([Int32]?, of: Site)
        /// What follows from tensors that were planned before.
        case made(
            @Sendable (
                _ values: UnsafeMutablePointer<Float>, _ own: UnsafeMutablePointer<Float>
            ) throws(GraftError) -> Void)
    }

    package let name: String
    package let shape: [Int]
    package let parameter: Parameter
    package let initial: Initial
    /// A second name under which the file has the same numbers, where two tied modules are one.
    package let secondName: String?
    /// What follows its numbers in the file.
    package fileprivate(set) var tail: TensorTail?
    /// Of which it has a row (axis 0) or a column (axis 1) each; the file has those that are kept.
    fileprivate(set) var ranks: (of: PrunedRanks, axis: Int)?
    /// Whether the file has it, rather than a tensor that is made of it.
    let isSaved: Bool

    /// All names that it has in the file.
    var names: [String] { isSaved ? [name] + (secondName.map { [$0] } ?? []) : [] }

    /// Fills the tensor's values. The same seed and name give the same numbers everywhere.
    func initialize(_ values: UnsafeMutablePointer<Float>, seed: UInt64) throws(GraftError) {
        let own = values + parameter.offset
        var random = RandomNumbers(seed: seed, stream: name)
        switch initial {
        case .zero: own.update(repeating: 0, count: parameter.count)
        case .one: own.update(repeating: 1, count: parameter.count)
        case .uniform(let bound):
            for index in 0..<parameter.count { own[index] = (2 * random.uniform() - 1) * bound }
        case .normal(let deviation):
            for index in 0..<parameter.count { own[index] = random.normal() * deviation }
        case .truncatedNormal(let deviation):
            for index in 0..<parameter.count {
                var value = random.normal()
                while abs(value) > 2 { value = random.normal() }
                own[index] = value * deviation
            }
        case .copy(let copy): copy(own)
        case .rows(let ids, let table):
            let all = try Memory(byteCount: table.inputs * table.outputs * 4)
            table.copyWeight(all.floats())
            for row in 0..<parameter.count / table.outputs {
                let id = ids.map { Int($0[row % $0.count]) } ?? random.below(table.inputs)
                let from = all.floats(from: id * table.outputs)
                for column in 0..<table.outputs {
                    own[row * table.outputs + column] = table.outputScale * from[column]
                }
            }
        case .made(let make): try make(values, own)
        }
    }
}

/// Numbers that do not learn and are no tensor of their own: in a file they stand after those of a
/// tensor of the same shape, in more rows (axis 0) or columns (axis 1).
package struct TensorTail: Sendable {
    let parameter: Parameter
    let axis: Int
    /// Whether the file has them with the other sign.
    let isNegated: Bool
}

/// A tensor of the file that is made of others, which the file does not have.
package struct MadeTensor: Sendable {
    let name: String
    /// [rows, columns].
    let shape: [Int]
    /// Writes it, from the adapter's numbers.
    let write: @Sendable (_ values: UnsafeMutablePointer<Float>, _ out: Matrix) throws(GraftError) -> Void

    func make(from values: UnsafeMutablePointer<Float>) throws(GraftError) -> Memory {
        let memory = try Memory(byteCount: shape.reduce(4, *))
        try write(values, Matrix(memory.floats(), rows: shape[0], columns: shape[1]))
        return memory
    }
}

/// What an adapter consists of: its tensors, and what it does at each site. Built once; methods add
/// to it.
package struct AdapterPlan: Sendable {
    package private(set) var tensors: [PlannedTensor] = []
    package private(set) var parameterCount = 0
    /// Of them, those that learn: the first.
    package private(set) var trainedCount = 0
    /// Numbers that follow from them.
    package private(set) var derivedCount = 0
    package private(set) var sites: [SiteAdapter?]
    package var head: HeadParameters?
    /// What happens around each update of a training; nil for nothing.
    package var trainingRule: (any TrainingRule)?
    /// What gives several tensors of a fresh adapter first values that depend on one another, after
    /// their own.
    private(set) var starts: [Start] = []

    typealias Start = @Sendable (_ values: UnsafeMutablePointer<Float>, _ seed: UInt64) throws(GraftError) -> Void
    /// See `AttachedAdapter`.
    package var prefix: (any VirtualRows)?
    package var prompt: (any VirtualRows)?
    /// Of each module whose ranks training prunes.
    private(set) var prunedRanks: [PrunedRanks] = []
    /// What the file has in place of tensors that are not saved.
    var made: [MadeTensor] = []

    /// The tensors of the file, each with its shape.
    var fileTensors: [(name: String, shape: [Int])] {
        tensors.filter(\.isSaved).map { ($0.name, $0.savedShape) } + made.map { ($0.name, $0.shape) }
    }
    private let kinds: [Site.Kind]

    init(_ sites: [Site]) {
        kinds = sites.map(\.kind)
        self.sites = Array(repeating: nil, count: sites.count)
    }

    /// Frozen tensors come after all others.
    mutating func add(
        _ name: String, shape: [Int], _ initial: PlannedTensor.Initial, isFrozen: Bool = false,
        secondName: String? = nil, isSaved: Bool = true
    ) throws(GraftError) -> Parameter {
        try Memory.check()
        var count = 1
        for size in shape {
            let (product, overflow) = count.multipliedReportingOverflow(by: size)
            guard size >= 0, !overflow, product < 1 << 40 else {
                throw GraftError(.outOfMemory, "tensor \"\(name)\" of shape \(shape) is too large")
            }
            count = product
        }
        let parameter = Parameter(offset: parameterCount, count: count, isFrozen: isFrozen)
        tensors.append(
            PlannedTensor(
                name: name, shape: shape, parameter: parameter, initial: initial, secondName: secondName,
                isSaved: isSaved))
        // Each tensor starts on a cache line, so that kernels of neighbours never share one.
        parameterCount += (count + 15) & ~15
        if !isFrozen { trainedCount = parameterCount }
        return parameter
    }

    mutating func add(_ start: @escaping Start) { starts.append(start) }

    /// Gives a tensor a tail as large as itself; after all that learns.
    mutating func addTail(to parameter: Parameter, axis: Int, isNegated: Bool) -> Parameter {
        let tail = Parameter(offset: parameterCount, count: parameter.count, isFrozen: true)
        parameterCount += (parameter.count + 15) & ~15
        for index in tensors.indices where tensors[index].parameter.offset == parameter.offset {
            tensors[index].tail = TensorTail(parameter: tail, axis: axis, isNegated: isNegated)
        }
        return tail
    }

    /// Has files leave out ranks that training has pruned, of tensors that have one row each (axis
    /// 0) or one column (axis 1).
    mutating func prune(_ ranks: PrunedRanks, _ parts: [(parameter: Parameter, axis: Int)]) {
        prunedRanks.append(ranks)
        for index in tensors.indices {
            guard let part = parts.first(where: { $0.parameter.offset == tensors[index].parameter.offset }),
                tensors[index].parameter.count == part.parameter.count
            else { continue }
            tensors[index].ranks = (ranks, part.axis)
        }
    }

    /// Room for numbers that follow from the adapter's.
    mutating func derive(count: Int) -> DerivedNumbers {
        defer { derivedCount += (count + 15) & ~15 }
        return DerivedNumbers(offset: derivedCount, count: count)
    }

    /// Has the adapter act at a site. A site has one action, of its own kind.
    mutating func act(at site: Int, _ action: SiteAction) throws(GraftError) {
        var own = sites[site] ?? SiteAdapter()
        guard action.fits(kinds[site]), own.action == nil else {
            throw GraftError(
                .internal, "\(action) at site \(site), which is of kind \(kinds[site]) or has another action")
        }
        own.action = action
        sites[site] = own
    }

    /// Has the adapter do something else at a site where it acts.
    mutating func exchange(at site: Int, for action: SiteAction) throws(GraftError) {
        sites[site]?.action = nil
        try act(at: site, action)
    }

    /// Gives a site numbers of the adapter's own in the place of the model's.
    mutating func replace(at site: Int, weight: Parameter? = nil, bias: Parameter? = nil) {
        var own = sites[site] ?? SiteAdapter()
        own.weight = weight ?? own.weight
        own.bias = bias ?? own.bias
        sites[site] = own
    }
}
