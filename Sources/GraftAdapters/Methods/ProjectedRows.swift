import CGraftKernels
import GraftLayers
import GraftTensor

/// Virtual rows that two layers make of smaller ones while they learn: P = tanh(E W₁ᵀ + b₁) W₂ᵀ +
/// b₂.
///
/// E [count, inputs], W₁ [inner, inputs], W₂ [width, inner], P [count, width]. A file has P alone.
final class ProjectedRows: VirtualRows {
    let count: Int
    let layers: PrefixLayers
    private let inputWidth: Int
    private let innerWidth: Int
    private let width: Int
    private let embedding: Parameter
    private let first: (weight: Parameter, bias: Parameter)
    private let second: (weight: Parameter, bias: Parameter)

    /// Adds its tensors to the plan, with torch's first values.
    init(
        _ plan: inout AdapterPlan, count: Int, inputWidth: Int, innerWidth: Int, width: Int, startsAtZero: Bool,
        layers: PrefixLayers = .own, savedAs name: String
    ) throws(GraftError) {
        self.layers = layers
        self.count = count
        self.inputWidth = inputWidth
        self.innerWidth = innerWidth
        self.width = width
        func add(_ name: String, _ shape: [Int], _ initial: PlannedTensor.Initial) throws(GraftError) -> Parameter {
            try plan.add("prompt_encoder." + name, shape: shape, initial, isSaved: false)
        }
        let firstBound = PlannedTensor.Initial.uniform(bound: 1 / Float(inputWidth).squareRoot())
        let secondBound =
            startsAtZero ? .zero : PlannedTensor.Initial.uniform(bound: 1 / Float(innerWidth).squareRoot())
        embedding = try add("embedding.weight", [count, inputWidth], .normal(deviation: 1))
        first = (
            try add("transform.0.weight", [innerWidth, inputWidth], firstBound),
            try add("transform.0.bias", [innerWidth], firstBound)
        )
        second = (
            try add("transform.2.weight", [width, innerWidth], secondBound),
            try add("transform.2.bias", [width], secondBound)
        )
        plan.made.append(
            MadeTensor(name: name, shape: [count, width]) { [self] values, out throws(GraftError) in
                let inner = try Memory(byteCount: 2 * self.count * self.innerWidth * 4)
                self.compute(
                    values, inner: Matrix(inner.floats(), rows: 2 * self.count, columns: self.innerWidth), into: out,
                    try Team(threadCount: 1))
            })
    }

    private func matrix(_ base: UnsafeMutablePointer<Float>, _ parameter: Parameter, columns: Int) -> Matrix {
        Matrix(base + parameter.offset, rows: parameter.count / columns, columns: columns)
    }

    /// `inner` [2 count, inner] receives what tanh was given, and below it what it gave.
    private func compute(
        _ values: UnsafeMutablePointer<Float>, inner: Matrix, into out: Matrix, _ team: Team
    ) {
        let before = inner.rows(from: 0, count: count)
        let after = inner.rows(from: count, count: count)
        team.multiply(
            matrix(values, embedding, columns: inputWidth), matrix(values, first.weight, columns: inputWidth),
            transposeB: true, into: before)
        team.addToRows(matrix(values, first.bias, columns: innerWidth), of: before)
        gk_activation_forward(
            team.kernel, Activation.tanh.kernel, Int64(before.count), before.base, after.base)
        team.multiply(after, matrix(values, second.weight, columns: innerWidth), transposeB: true, into: out)
        team.addToRows(matrix(values, second.bias, columns: width), of: out)
    }

    func make(_ numbers: AdapterNumbers, keeps: Bool, pass: Pass) throws(GraftError) -> MadeRows {
        let inner = try pass.kept.matrix(rows: 2 * count, columns: innerWidth)
        let rows = try pass.kept.matrix(rows: count, columns: width)
        compute(numbers.values, inner: inner, into: rows, pass.team)
        guard keeps, numbers.gradients != nil else { return MadeRows(rows: rows, gradients: nil) }
        let gradients = try pass.kept.matrix(rows: count, columns: width)
        gradients.base.update(repeating: 0, count: gradients.count)
        return MadeRows(rows: rows, gradients: gradients, inner: inner)
    }

    func backward(_ made: MadeRows, _ numbers: AdapterNumbers, pass: Pass) throws(GraftError) {
        guard let dP = made.gradients, let inner = made.inner, let gradients = numbers.gradients else { return }
        let mark = pass.scratch.mark
        defer { pass.scratch.rewind(to: mark) }
        let team = pass.team
        let after = inner.rows(from: count, count: count)
        team.multiply(
            dP, after, transposeA: true, adding: 1, into: matrix(gradients, second.weight, columns: innerWidth))
        addColumnSums(of: dP, to: gradients + second.bias.offset, team)
        let dInner = try pass.scratch.matrix(rows: count, columns: innerWidth)
        team.multiply(dP, matrix(numbers.values, second.weight, columns: innerWidth), into: dInner)
        gk_activation_backward(
            team.kernel, Activation.tanh.kernel, Int64(dInner.count), inner.base, dInner.base, dInner.base)
        let rows = matrix(numbers.values, embedding, columns: inputWidth)
        team.multiply(
            dInner, rows, transposeA: true, adding: 1, into: matrix(gradients, first.weight, columns: inputWidth))
        addColumnSums(of: dInner, to: gradients + first.bias.offset, team)
        team.multiply(
            dInner, matrix(numbers.values, first.weight, columns: inputWidth), adding: 1,
            into: matrix(gradients, embedding, columns: inputWidth))
    }

    private func addColumnSums(of x: Matrix, to sums: UnsafeMutablePointer<Float>, _ team: Team) {
        gk_add_column_sums(team.kernel, Int64(x.rows), Int64(x.columns), x.base, Int64(x.stride), sums)
    }
}
