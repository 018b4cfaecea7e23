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
        try average(members, restWeight: restWeight, of: y, context) { action, own, context throws(GraftError) in
            _ = try action.forward(ids, into: own, module, context)
        }
        return nil
    }

    func backward(
        _ dy: Matrix, ids: UnsafePointer<Int32>, kept: UnsafeMutableRawPointer?, _ context: SiteContext
    ) {}
}
