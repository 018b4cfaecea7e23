import CGraftKernels
import GraftTensor

/// A mixer and the residual stream t around it: t [tokens, width] → y [m, width], where m is the
/// tokens, or from the attention of a model's last layer on those that are read.
///
///     y = norm(t + branch(dropout(mix(t))))        the norm after the sum, as BERT; or mix(o)
///     y = t + branch(dropout(norm(mix(norm(t)))))  norms in the branch: before the mixer, as GPT-2 and Llama,
///                                                  after it, as OLMo 2, or both, as Gemma 2
package final class Sublayer: @unchecked Sendable {
    package enum NormPlace: Sendable {
        case afterSum(LayerNorm)
        case inBranch(before: Norm?, after: Norm?)
    }

    private let norm: NormPlace
    private let mixer: any Mixer
    /// nil where the mixer has its own.
    private let branch: Branch?
    /// Whether adapters act on t instead of the mixer's output, as AdapterHub has it in ALBERT's
    /// attention. Only with a norm after the sum.
    private let adaptsResidual: Bool
    /// Whether the mixer reads what the layer was given, o, rather than t. Only with a norm after
    /// the sum.
    let mixesOrigin: Bool
    /// Of y.
    package let unit: Pass.Unit
    private let width: Int
    private let dropout: Dropout?
    /// Sites of the mixer and of the norms in the branch.
    private let innerSites: Range<Int>
    /// All sites.
    private let sites: Range<Int>

    package struct Kept: BitwiseCopyable {
        /// One behind the other.
        fileprivate let parts: UnsafeMutablePointer<Part>
    }

    /// Of a part of the rows: see `eachPart`.
    fileprivate struct Part: BitwiseCopyable {
        let t: Matrix
        /// Of a norm before.
        let before: Norm.Kept?
        let mixer: UnsafeMutableRawPointer
        /// Of a norm of what the mixer gives.
        let after: Norm.Kept?
        let branch: Branch.Kept?
        /// Of a norm after the sum.
        let sum: LayerNorm.Kept?
    }

    package init(
        norm: NormPlace, mixer: any Mixer, branch: Branch?, adaptsResidual: Bool = false, mixesOrigin: Bool = false,
        unit: Pass.Unit, width: Int, dropout: Dropout? = nil, innerSites: Range<Int>, sites: Range<Int>
    ) {
        self.norm = norm
        self.mixer = mixer
        self.branch = branch
        self.adaptsResidual = adaptsResidual
        self.mixesOrigin = mixesOrigin
        self.unit = unit
        self.width = width
        self.dropout = dropout
        self.innerSites = innerSites
        self.sites = sites
    }

    /// Whether an adapter of this pass learns anything here.
    package func learns(_ pass: Pass) -> Bool { pass.learns(at: sites) || mixer.learns(pass) }

    private func partCount(_ pass: Pass) -> Int { mixer.mixesTokens ? 1 : pass.partCount(unit) }

    /// Where tokens do not read each other, some of them at a time, so that little lies between the
    /// mixer's products however long rows are; all at once elsewhere. `rows` takes a part's from
    /// any matrix.
    private func eachPart(
        _ pass: Pass, _ body: (_ index: Int, _ rows: (Matrix) -> Matrix) throws(GraftError) -> Void
    ) throws(GraftError) {
        let count = partCount(pass)
        guard count > 1 else { return try body(0) { $0 } }
        for index in 0..<count {
            try pass.within(part: index, of: unit) { first, count throws(GraftError) in
                try body(index) { $0.rows(from: first, count: count) }
            }
        }
    }

    /// y is not t, which must stay as it is until backward where `keeps`.
    ///
    /// - Parameter origin: o; nil where that is t.
    package func forward(
        _ t: Matrix, origin: Matrix? = nil, into y: Matrix, keeps: Bool, pass: Pass
    ) throws(GraftError) -> Kept? {
        let parts = keeps ? try pass.kept.allocate(Part.self, count: partCount(pass)) : nil
        try eachPart(pass) { index, rows throws(GraftError) in
            let kept = try forward(
                part: rows(t), origin: origin.map(rows), into: rows(y), keeps: keeps, keepsOnly: false, pass: pass)
            if let kept { parts?[index] = kept }
        }
        return parts.map(Kept.init)
    }

    /// d(t) from d(y), which is overwritten; dt is the same matrix where t and y have the same
    /// rows, or nil where only the adapters' gradients are wanted.
    ///
    /// - Parameter origin: o and where d(o) goes, for a mixer that reads it.
    package func backward(
        _ gradient: Matrix, _ kept: Kept, into dt: Matrix?, origin: (o: Matrix, gradient: Matrix?)? = nil, pass: Pass
    ) throws(GraftError) {
        try eachPart(pass) { index, rows throws(GraftError) in
            try backward(
                part: rows(gradient), kept.parts[index], into: dt.map(rows),
                origin: origin.map { (rows($0.o), $0.gradient.map(rows)) }, pass: pass)
        }
    }

    /// The same from t: each part goes through forward once more, for what backward needs of it.
    package func backwardAgain(
        _ gradient: Matrix, _ t: Matrix, into dt: Matrix?, origin: (o: Matrix, gradient: Matrix?), pass: Pass
    ) throws(GraftError) {
        try eachPart(pass) { _, rows throws(GraftError) in
            let marks = (pass.kept.mark, pass.scratch.mark)
            defer {
                pass.kept.rewind(to: marks.0)
                pass.scratch.rewind(to: marks.1)
            }
            let gradient = rows(gradient)
            let origin = (o: rows(origin.o), gradient: origin.gradient.map(rows))
            let y = try pass.scratch.matrix(rows: gradient.rows, columns: width)
            let kept = try forward(part: rows(t), origin: origin.o, into: y, keeps: true, keepsOnly: true, pass: pass)
            guard let kept else { return }
            try backward(part: gradient, kept, into: dt.map(rows), origin: origin, pass: pass)
        }
    }

    private func forward(
        part t: Matrix, origin: Matrix?, into y: Matrix, keeps: Bool, keepsOnly: Bool, pass: Pass
    ) throws(GraftError) -> Part? {
        let mark = pass.scratch.mark
        defer { pass.scratch.rewind(to: mark) }
        // Where the mixer reads tokens and fewer are wanted, their rows of t are what its output is
        // added to.
        let residual = { () throws(GraftError) in
            try t.rows == y.rows ? t : pass.select(t, self.unit, in: pass.arena(keeping: keeps))
        }
        switch norm {
        case .afterSum(let norm):
            let isAdapted = branch?.isAdapted(pass) ?? false
            let swaps = adaptsResidual && isAdapted
            let mixed = try pass.arena(keeping: keeps && swaps).matrix(rows: y.rows, columns: width)
            let mixerKept = try mixer.forward(
                mixesOrigin ? origin ?? t : t, into: mixed, keeps: keeps, keepsOnly: false, pass: pass)
            let residual = try residual()
            var dropout = dropout?.settings(pass, width: width)
            if isAdapted, var early = dropout {
                // Adapters read the mixer's output after dropout, so it cannot wait for the norm.
                gk_apply_dropout(pass.team.kernel, &early, Int64(mixed.count), mixed.base, mixed.base)
                dropout = nil
            }
            var (adapted, other) = (mixed, residual)
            if swaps {
                (adapted, other) = (try pass.scratch.matrix(rows: y.rows, columns: width), mixed)
                residual.copy(to: adapted)
            }
            let branchKept = try branch?.forward(adapted, residual: other, norm: norm, keeps: keeps, pass: pass)
            let sum = try norm.forward(adapted, residual: other, dropout: dropout, into: y, keeps: keeps, pass: pass)
            guard let mixerKept else { return nil }
            return Part(t: t, before: nil, mixer: mixerKept, after: nil, branch: branchKept, sum: sum)
        case .inBranch(let before, let after):
            // Cheap enough to be computed once more where backward reads it.
            let n = try before == nil ? t : pass.scratch.matrix(rows: t.rows, columns: width)
            let beforeKept = try before?.forward(t, into: n, keeps: keeps, pass: pass)
            let mixed = try after == nil ? y : pass.arena(keeping: keeps).matrix(rows: y.rows, columns: width)
            let skipsOutput = keepsOnly && after == nil && !(branch?.isAdapted(pass) ?? false)
            let mixerKept = try mixer.forward(n, into: mixed, keeps: keeps, keepsOnly: skipsOutput, pass: pass)
            let afterKept = try after?.forward(mixed, into: y, keeps: keeps, pass: pass)
            let residual = try residual()
            if !skipsOutput { dropout?.apply(to: y, pass) }
            let branchKept = try branch?.forward(y, residual: residual, keeps: keeps, pass: pass)
            if !skipsOutput { pass.team.add(residual, to: y) }
            guard let mixerKept else { return nil }
            return Part(
                t: t, before: beforeKept, mixer: mixerKept, after: afterKept, branch: branchKept, sum: nil)
        }
    }

    private func backward(
        part gradient: Matrix, _ kept: Part, into dt: Matrix?, origin: (o: Matrix, gradient: Matrix?)?, pass: Pass
    ) throws(GraftError) {
        let mark = pass.scratch.mark
        defer { pass.scratch.rewind(to: mark) }
        var sumNorm: LayerNorm?
        if case .afterSum(let norm) = norm, let sum = kept.sum {
            norm.backward(gradient, sum, into: gradient, pass: pass)
            sumNorm = norm
        }
        var dMixed = gradient
        if let branch, let branchKept = kept.branch {
            dMixed = try branch.backward(gradient, branchKept, norm: sumNorm, pass: pass)
        }
        if adaptsResidual, branch?.isAdapted(pass) ?? false {
            // What came back is d(t), and what was left d(mixed): each goes to the other's place.
            let dResidual = dMixed
            dMixed = try pass.scratch.matrix(rows: gradient.rows, columns: width)
            gradient.copy(to: dMixed)
            dResidual.copy(to: gradient)
        }
        /// Where the next d(mixed) goes: d(y) is that of the residual stream, too, and stays.
        func apart() throws(GraftError) -> Matrix {
            try dMixed.base == gradient.base
                ? pass.scratch.matrix(rows: gradient.rows, columns: width) : dMixed
        }
        if var dropout = dropout?.settings(pass, width: width) {
            let dropped = try apart()
            gk_apply_dropout(pass.team.kernel, &dropout, Int64(dMixed.count), dMixed.base, dropped.base)
            dMixed = dropped
        }
        guard dt != nil || pass.learns(at: innerSites) || mixer.learns(pass) else { return }
        if case .inBranch(_, let after?) = norm, let afterKept = kept.after {
            let normed = try apart()
            after.backward(dMixed, afterKept, into: normed, pass: pass)
            dMixed = normed
        }
        guard case .inBranch(let before?, _) = norm, let beforeKept = kept.before else {
            if let dt { pass.selectBackward(gradient, unit, into: dt) }
            if mixesOrigin {
                return try mixer.backward(
                    dMixed, kept.mixer, x: origin?.o ?? kept.t, into: origin?.gradient, accumulate: false, pass: pass)
            }
            return try mixer.backward(dMixed, kept.mixer, x: kept.t, into: dt, accumulate: true, pass: pass)
        }
        var n = kept.t
        if mixer.readsInput(pass) {
            n = try pass.scratch.matrix(rows: kept.t.rows, columns: width)
            try before.again(beforeKept, into: n, pass: pass)
        }
        let needsNorm = dt != nil || before.learns(pass)
        let dn = try needsNorm ? pass.scratch.matrix(rows: kept.t.rows, columns: width) : nil
        try mixer.backward(dMixed, kept.mixer, x: n, into: dn, accumulate: false, pass: pass)
        guard let dn else { return }
        before.backward(dn, beforeKept, into: dn, pass: pass)
        guard let dt else { return }
        pass.selectBackward(gradient, unit, into: dt)
        pass.team.add(dn, to: dt)
    }
}
