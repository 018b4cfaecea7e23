import GraftTensor

/// Actions at a linear site one after the other: each takes the module for what those before it
/// made of it.
///
/// So y goes through them from the first to the last, and x, where they change it, from the last to
/// the first.
final class LinearSequence: LinearAction {
    private let members: [CompositeMember<any LinearAction>]
    let changesInput: Bool
    let changesOutput = true
    let readsWeight: Bool

    init(_ members: [CompositeMember<any LinearAction>]) {
        self.members = members
        readsWeight = members.contains { $0.action.readsWeight }
        changesInput = members.contains { $0.action.changesInput }
    }

    func before(_ x: Matrix, into changed: Matrix, _ context: SiteContext) throws(GraftError) {
        var read = x
        for member in members.reversed() where member.action.changesInput {
            try member.action.before(read, into: changed, context.of(member.numbers))
            read = changed
        }
    }

    func forward(
        _ x: Matrix, into y: Matrix, _ module: LinearModule, _ context: SiteContext
    ) throws(GraftError) -> UnsafeMutableRawPointer? {
        if changesInput {
            try run(members.count - 1, x, into: y, module, context)
        } else {
            for member in members { _ = try member.action.forward(x, into: y, module, context.of(member.numbers)) }
        }
        return nil
    }

    /// Runs the members up to `last`, which is given x, and those before it what they are given of
    /// that.
    private func run(
        _ last: Int, _ x: Matrix, into y: Matrix, _ module: LinearModule, _ context: SiteContext
    ) throws(GraftError) {
        let member = members[last]
        let own = context.of(member.numbers)
        if last > 0 {
            var read = x
            if member.action.changesInput {
                read = try context.pass.scratch.matrix(rows: x.rows, columns: x.columns)
                try member.action.before(x, into: read, own)
            }
            try run(last - 1, read, into: y, module, context)
        }
        _ = try member.action.forward(x, into: y, module, own)
    }

    func backward(
        _ dy: Matrix, x: Matrix, kept: UnsafeMutableRawPointer?, into dx: Matrix?, _ module: LinearModule,
        _ context: SiteContext
    ) {}
}

/// The weighted mean of what actions at a linear site give, each of the module as it is.
final class LinearAverage: LinearAction {
    private let members: [CompositeMember<any LinearAction>]
    /// Of those that do not act here.
    private let restWeight: Float
    let changesOutput = true
    let readsWeight: Bool

    init(_ members: [CompositeMember<any LinearAction>], restWeight: Float) {
        self.members = members
        readsWeight = members.contains { $0.action.readsWeight }
        self.restWeight = restWeight
    }

    func forward(
        _ x: Matrix, into y: Matrix, _ module: LinearModule, _ context: SiteContext
    ) throws(GraftError) -> UnsafeMutableRawPointer? {
        let pass = context.pass
        try average(members, restWeight: restWeight, of: y, context) { action, own, context throws(GraftError) in
            if action.changesInput {
                let read = try pass.scratch.matrix(rows: x.rows, columns: x.columns)
                try action.before(x, into: read, context)
                try module.multiply(read, into: own, addsBias: true, pass)
            }
            _ = try action.forward(x, into: own, module, context)
        }
        return nil
    }

    func backward(
        _ dy: Matrix, x: Matrix, kept: UnsafeMutableRawPointer?, into dx: Matrix?, _ module: LinearModule,
        _ context: SiteContext
    ) {}
}
