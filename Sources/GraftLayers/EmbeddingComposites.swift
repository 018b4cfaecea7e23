import GraftTensor

/// Actions at an embedding site one after the other.
final class EmbeddingSequence: EmbeddingAction {
    private let members: [CompositeMember<any EmbeddingAction>]
    let changesOutput = true
    let readsWeight: Bool

    init(_ members: [CompositeMember<any EmbeddingAction>]) {
        self.members = members
        readsWeight = members.contains { $0.action.readsWeight }
    }

    func forward(
        _ ids: UnsafePointer<Int32>, into y: Matrix, _ module: EmbeddingModule, _ context: SiteContext
    ) throws(GraftError) -> UnsafeMutableRawPointer? {
        for member in members { _ = try member.action.forward(ids, into: y, module, context.of(member.numbers)) }
        return nil
    }

    func backward(
        _ dy: Matrix, ids: UnsafePointer<Int32>, kept: UnsafeMutableRawPointer?, _ context: SiteContext
    ) {}
}

/// The weighted mean of what actions make of the rows of an embedding site.
final class EmbeddingAverage: EmbeddingAction {
    private let members: [CompositeMember<any EmbeddingAction>]
    /// Of those that do not act here.
    private let restWeight: Float
    let changesOutput = true
    let readsWeight: Bool

    init(_ members: [CompositeMember<any EmbeddingAction>], restWeight: Float) {
        self.members = members
        readsWeight = members.contains { $0.action.readsWeight }
        self.restWeight = restWeight
    }

    func forward(
        _ ids: UnsafePointer<Int32>, into y: Matrix, _ module: EmbeddingModule, _ context: SiteContext
    ) throws(GraftError) -> UnsafeMutableRawPointer? {
        let pass = context.pass
        let plain = try pass.scratch.matrix(rows: y.rows, columns: y.columns)
        y.copy(to: plain)
        let own = try pass.scratch.matrix(rows: y.rows, columns: y.columns)
        var mean = RunningMean(in: y, weight: restWeight, pass.team)
        for member in members {
            plain.copy(to: own)
            _ = try member.action.forward(ids, into: own, module, context.of(member.numbers))
            mean.add(own, weight: member.weight)
        }
        return nil
    }

    func backward(
        _ dy: Matrix, ids: UnsafePointer<Int32>, kept: UnsafeMutableRawPointer?, _ context: SiteContext
    ) {}
}
